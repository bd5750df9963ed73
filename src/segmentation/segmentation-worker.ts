import { AppError } from '../errors.ts';
import type { SegmentationModel } from '../inference/segmentation-model.ts';
import type { Logger } from '../logging.ts';
import type { WindowPlan } from '../raster/window-plan.ts';
import type { ImageSource } from '../scene/image-source.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { fromCocoCounts, toCocoCounts } from '../vector/coco-counts.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import { planRun } from './plan-run.ts';
import { segmentScene, type SceneMasks } from './segment-scene.ts';
import type { EmptyReason, Segmentation, SegmentationProgress } from './segmentation.ts';
import type { RunQueue } from './segmentation.service.ts';
import { SegmentationNotRunningError, type SegmentationStore } from './segmentation.store.ts';
import { contactsBetween, contactsWithin, featuresOf, labelScene, groundOf } from './vectorise-mask.ts';

/** What the worker needs of the rest of the service. */
export interface WorkerPorts {
  readonly store: SegmentationStore;
  readonly scenes: { get(id: string): Promise<Scene>; open(scene: Scene): Promise<ImageSource> };
  readonly models: { get(wanted: string): Promise<SegmentationModel> };
  readonly logger: Logger;
}

export interface WorkerLimits {
  readonly nearM: number;
  readonly maxWindows: number;
}

/** A run that goes on: who is in it and how to stop it. */
interface ActiveRun {
  readonly ids: Set<string>;
  readonly controller: AbortController;
}

const PROGRESS_EVERY_MS = 500;
const EARLIER_ANSWERS = 1000;

/** Carries out stored segmentations one batch after the other: read, ask, threshold, trace, measure, store. */
export class SegmentationWorker implements RunQueue {
  private active: ActiveRun | null = null;
  private running: Promise<void> | null = null;
  private awake = false;
  private closed = false;

  constructor(
    private readonly ports: WorkerPorts,
    private readonly limits: WorkerLimits,
  ) {}

  /** Takes up what an earlier process left behind, then whatever waits. */
  async start(): Promise<void> {
    const left = await this.ports.store.requeueRunning();
    if (left > 0) this.ports.logger.info({ segmentations: left }, 'Run:Resumed');
    this.wake();
  }

  wake(): void {
    this.awake = true;
    if (this.closed) return;
    this.running ??= this.drain().finally(() => {
      this.running = null;
      if (this.awake) this.wake();
    });
  }

  abandon(segmentationId: string): void {
    if (!this.active?.ids.delete(segmentationId) || this.active.ids.size > 0) return;
    this.active.controller.abort(new RunAbandoned());
  }

  /** Stops between windows; what was running is taken up again at the next start. */
  async close(): Promise<void> {
    this.closed = true;
    this.awake = false;
    this.active?.controller.abort(new RunAbandoned());
    await this.running;
  }

  private async drain(): Promise<void> {
    while (this.awake && !this.closed) {
      this.awake = false;
      try {
        for (let batch = await this.ports.store.claim(); batch.length > 0; batch = await this.ports.store.claim()) {
          await this.run(batch);
          if (this.closed) return;
        }
      } catch (error) {
        this.ports.logger.error({ err: error }, 'Queue:Failed');
      }
    }
  }

  private async run(batch: readonly Segmentation[]): Promise<void> {
    const { store, logger } = this.ports;
    const active: ActiveRun = { ids: new Set(batch.map(({ id }) => id)), controller: new AbortController() };
    this.active = active;
    const started = performance.now();
    try {
      await this.answer(batch, active);
      logger.info({ segmentations: batch.length, durationMs: Math.round(performance.now() - started) }, 'Run:Done');
    } catch (error) {
      if (error instanceof RunAbandoned) return;
      const known = error instanceof AppError;
      logger[known ? 'warn' : 'error']({ err: error, segmentations: [...active.ids] }, 'Run:Failed');
      const failure = known
        ? { code: error.code, message: error.message }
        : { code: 'INTERNAL_SERVER_ERROR', message: 'The run failed; the log of the service has the reason.' };
      for (const id of active.ids) await store.fail(id, failure);
    } finally {
      this.active = null;
    }
  }

  private async answer(batch: readonly Segmentation[], active: ActiveRun): Promise<void> {
    const { scenes, models } = this.ports;
    const first = batch[0]!;
    const scene = await scenes.get(first.sceneId);
    const model = await models.get(first.model.id);
    const { windows: plan, area } = planRun(first, scene, model.info, this.limits.maxWindows);
    if (plan === null) return this.storeOutside(batch, scene, active);
    const source = await scenes.open(scene);
    try {
      const found = await segmentScene({
        scene,
        source,
        model,
        questions: batch.map(({ task, prompt }) => ({ task, text: prompt })),
        plan,
        threshold: first.threshold,
        area,
        signal: active.controller.signal,
        onWindow: this.reporter(plan, active),
      });
      await this.storeAll(batch, scene, found, active, plan.windows.length);
    } finally {
      await source.close();
    }
  }

  /** Writes progress at most twice a second, and drops segmentations that were cancelled elsewhere. */
  private reporter(plan: WindowPlan, active: ActiveRun): (windowsDone: number) => Promise<void> {
    const started = performance.now();
    let written = -Infinity;
    return async (windowsDone) => {
      const now = performance.now();
      if (now - written < PROGRESS_EVERY_MS) return;
      written = now;
      const windowsTotal = plan.windows.length;
      const etaS = (((now - started) / windowsDone) * (windowsTotal - windowsDone)) / 1000;
      await this.report(active, { phase: 'reasoning', windowsDone, windowsTotal, etaS });
      active.controller.signal.throwIfAborted();
    };
  }

  private async report(active: ActiveRun, progress: SegmentationProgress): Promise<void> {
    for (const id of active.ids) if (!(await this.ports.store.progress(id, progress))) this.abandon(id);
  }

  private async storeAll(
    batch: readonly Segmentation[],
    scene: Scene,
    { masks, validPixels }: SceneMasks,
    active: ActiveRun,
    windows: number,
  ): Promise<void> {
    const ground = groundOf(scene);
    const earlier = await this.earlierAnswers(scene);
    for (const [index, segmentation] of batch.entries()) {
      if (!active.ids.has(segmentation.id)) continue;
      const mask = masks[index]!;
      const progress = { windowsDone: windows, windowsTotal: windows, etaS: null };
      await this.report(active, { phase: 'tracing', ...progress });
      const labelled = labelScene(mask, ground, segmentation.minAreaM2);
      const own = { id: segmentation.id, labelled };
      const features = featuresOf(labelled, ground);
      const adjacency = [
        ...contactsWithin(segmentation.id, labelled, ground),
        ...earlier.flatMap((other) => contactsBetween(own, other, ground)),
      ];
      await this.report(active, { phase: 'storing', ...progress });
      await this.store(
        segmentation,
        scene,
        labelled.mask,
        { features, adjacency },
        emptyReason(validPixels, mask, labelled),
      );
      active.ids.delete(segmentation.id);
      if (features.length > 0) earlier.push(own);
    }
  }

  private async storeOutside(batch: readonly Segmentation[], scene: Scene, active: ActiveRun): Promise<void> {
    for (const segmentation of batch) {
      if (!active.ids.has(segmentation.id)) continue;
      const mask = new MaskRuns(scene.widthPx, scene.heightPx);
      await this.store(segmentation, scene, mask, { features: [], adjacency: [] }, 'OUTSIDE_AREA_OF_INTEREST');
    }
  }

  private async store(
    { id }: Segmentation,
    scene: Scene,
    mask: MaskRuns,
    found: Pick<Parameters<SegmentationStore['storeResult']>[1], 'features' | 'adjacency'>,
    reason: EmptyReason | null,
  ): Promise<void> {
    try {
      await this.ports.store.storeResult(id, {
        mask: {
          widthPx: mask.widthPx,
          heightPx: mask.heightPx,
          counts: toCocoCounts(mask),
          pixelCount: mask.pixelCount,
          meanProbability: mask.meanProbability ?? 0,
        },
        georeferenced: isGeoreferenced(scene),
        ...found,
        nearM: this.limits.nearM,
        emptyReason: reason,
      });
    } catch (error) {
      // Cancelled or deleted while it was traced: nothing is stored, and nothing went wrong.
      if (!(error instanceof SegmentationNotRunningError)) throw error;
    }
  }

  /** What was found on the scene before, as labels again: a stored mask is sieved, so its labels are those stored. */
  private async earlierAnswers(scene: Scene): Promise<{ id: string; labelled: LabelledMask }[]> {
    const { store } = this.ports;
    const answers: { id: string; labelled: LabelledMask }[] = [];
    let after: string | null = null;
    do {
      const page = await store.list({ sceneId: scene.id, targetFound: true }, { first: EARLIER_ANSWERS, after });
      for (const { node } of page.edges) {
        const mask = await store.mask(node.id);
        if (mask)
          answers.push({ id: node.id, labelled: labelMask(fromCocoCounts(mask.counts, mask.widthPx, mask.heightPx)) });
      }
      after = page.hasNextPage ? page.edges.at(-1)!.cursor : null;
    } while (after !== null);
    return answers;
  }
}

/** The reason with which a run is stopped that nobody waits for any more; never seen by callers. */
class RunAbandoned extends Error {}

function emptyReason(validPixels: number, mask: MaskRuns, labelled: LabelledMask): EmptyReason | null {
  if (labelled.labelCount > 0) return null;
  if (validPixels === 0) return 'NO_VALID_PIXELS';
  return mask.pixelCount === 0 ? 'NO_PIXEL_ABOVE_THRESHOLD' : 'ALL_BELOW_MIN_AREA';
}
