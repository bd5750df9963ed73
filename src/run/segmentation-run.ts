import { AppError } from '../errors.ts';
import type { ModelInfo, SegmentationModel } from '../inference/segmentation-model.ts';
import type { Logger } from '../logging.ts';
import type { Room } from '../quota.ts';
import type { BlobStore } from '../blob-store.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import type { Scene } from '../scene/scene.ts';
import { KeptWindows } from './kept-windows.ts';
import { blamingLateWindows } from './late-window.ts';
import type { ModelCircuits } from './model-circuits.ts';
import { planRun, type RunPlan } from '../segmentation/plan-run.ts';
import { copiedAnswer, type RunAnswer, tracedAnswer } from './run-answer.ts';
import type { RunMetrics } from './run-metrics.ts';
import { countingMetrics, type RunUsage } from './run-usage.ts';
import { RunProgress } from './run-progress.ts';
import type { Claim, ProgressUpdate, RunStore } from '../segmentation/run.store.ts';
import { segmentScene, type SceneMasks } from './segment-scene.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { SegmentationNotRunningError } from '../segmentation/segmentation.store.ts';
import { contactsWithin, type Ground, groundOf } from './vectorise-mask.ts';

/** Dependencies of a run. */
/** The scenes of a workspace. */
export interface RunScenes {
  get(id: string): Promise<Scene>;
  open(scene: Scene): Promise<ImageSource>;
}

export interface RunPorts {
  readonly store: RunStore;
  readonly scenesOf: (workspace: string) => RunScenes;
  readonly models: { get(wanted: string): Promise<SegmentationModel>; list(): readonly ModelInfo[] };
  readonly circuits: ModelCircuits;
  readonly blobs: BlobStore;
  readonly logger: Logger;
  readonly metrics?: RunMetrics;
  readonly usage: RunUsage;
  /** What a workspace may store. */
  readonly roomOf: (workspace: string) => Room;
}

export interface RunLimits {
  readonly nearM: number;
  readonly maxWindows: number;
}

/** Stops a run that is no longer wanted, or that another process continues. */
export class RunAbandoned extends Error {}

/** The model's weights have changed since the question was asked. */
export class ModelChangedError extends AppError {
  readonly code = 'MODEL_CHANGED';
  constructor({ model }: Segmentation, present: ModelInfo) {
    super(
      `Model ${model.id} had SHA-256 ${model.sha256} when the question was asked and now has ${present.sha256}; ask again.`,
    );
  }
}

/** One attempt at a batch: read, ask, threshold, trace, measure, store. */
export class SegmentationRun {
  private readonly open: Map<string, Segmentation>;
  private readonly controller = new AbortController();

  constructor(
    private readonly claim: Claim,
    private readonly ports: RunPorts,
    private readonly limits: RunLimits,
  ) {
    this.open = new Map(claim.segmentations.map((segmentation) => [segmentation.id, segmentation]));
  }

  /** Trace of the request that asked. */
  get traceparent(): string | null {
    return this.claim.traceparent;
  }

  get batchId(): string {
    return this.claim.batchId;
  }

  /** Unanswered segmentations that still belong to this attempt. */
  get unanswered(): Segmentation[] {
    return [...this.open.values()];
  }

  /** Drops a segmentation; dropping the last one stops the run, also in the middle of a window. */
  drop(id: string): void {
    if (this.open.delete(id) && this.open.size === 0) this.stop(new RunAbandoned());
  }

  stop(reason: Error): void {
    this.controller.abort(reason);
  }

  /**
   * Carries the batch out.
   * @throws errors of reading, inference and storing; the reason of {@link stop}
   */
  async execute(): Promise<void> {
    const [first] = this.claim.segmentations;
    if (!first) return;
    const scene = await this.ports.scenesOf(this.claim.workspace).get(first.sceneId);
    const known = await this.ports.store.sameAnswers(this.claim.segmentations.map(({ id }) => id));
    const asked = this.claim.segmentations.filter(({ id }) => !known.has(id));
    const ground = await groundOf(scene);
    for (const [id, answer] of known) {
      if (this.open.has(id)) await this.store(id, copiedAnswer(scene, ground, answer), ground);
    }
    if (asked.length > 0) await this.answer(scene, asked, ground);
  }

  private async answer(scene: Scene, asked: readonly Segmentation[], ground: Ground | null): Promise<void> {
    const { models, circuits } = this.ports;
    const first = asked[0]!;
    const model = await circuits.send(first.model.id, () => models.get(first.model.id));
    if (model.info.sha256 !== first.model.sha256) throw new ModelChangedError(first, model.info);
    const plan = await planRun(first, scene, model.info, this.limits.maxWindows);
    const windows = plan.windows?.windows.length ?? 0;
    const progress = new RunProgress(windows, (state) => this.writeProgress(state));
    try {
      const found = await this.ask(scene, model, asked, plan, progress);
      for (const [index, { id, minAreaM2 }] of asked.entries()) {
        if (!this.open.has(id)) continue;
        await progress.enterAndShow('tracing');
        const answer = await tracedAnswer(scene, ground, found, index, { minAreaM2, windows });
        progress.enter('storing');
        await this.store(id, answer, ground);
      }
    } catch (error) {
      // The stored progress decides whether this attempt counts as stalled.
      if (!this.controller.signal.aborted) await progress.written();
      throw error;
    } finally {
      await progress.end();
    }
  }

  private async ask(
    scene: Scene,
    model: SegmentationModel,
    asked: readonly Segmentation[],
    { windows, area }: RunPlan,
    progress: RunProgress,
  ): Promise<SceneMasks | null> {
    if (windows === null) return null;
    const { circuits, blobs, logger, usage } = this.ports;
    const { workspace } = this.claim;
    const ids = asked.map(({ id }) => id);
    const { signal } = this.controller;
    const kept = await KeptWindows.open(blobs, logger, this.batchId, ids);
    const source = await this.ports.scenesOf(this.claim.workspace).open(scene);
    try {
      const run = {
        scene,
        source,
        questions: asked.map(({ task, prompt }) => ({ task, text: prompt })),
        plan: windows,
        threshold: asked[0]!.threshold,
        area,
        kept,
        progress,
        signal,
        metrics: countingMetrics(usage, workspace, this.ports.metrics),
      };
      const found = await blamingLateWindows({ model, circuits, kept, signal }, (counted) =>
        segmentScene({ ...run, model: counted }),
      );
      const share = found.validPixels / (scene.widthPx * scene.heightPx);
      usage.add(workspace, { areaKm2: ((scene.areaM2 ?? 0) / 1e6) * share }, model.info.id);
      return found;
    } finally {
      await source.close();
    }
  }

  /** Drops segmentations that ended elsewhere or belong to another attempt now. */
  private async writeProgress(progress: ProgressUpdate): Promise<void> {
    try {
      const attempts = this.unanswered;
      const running = await this.ports.store.progress(attempts, progress);
      for (const { id } of attempts) if (!running.has(id)) this.drop(id);
    } catch (error) {
      this.stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private async store(id: string, { labelled, result }: RunAnswer, ground: Ground | null): Promise<void> {
    const attempt = this.open.get(id)!;
    const { signal } = this.controller;
    signal.throwIfAborted();
    const { length: found } = result.features;
    if (found > 0) await this.ports.roomOf(this.claim.workspace).admit('FEATURES', found, 'prompts');
    const adjacency = contactsWithin(id, labelled, ground);
    try {
      await this.ports.store.storeResult(attempt, { ...result, nearM: this.limits.nearM, adjacency }, signal);
    } catch (error) {
      // Cancelled, deleted or reassigned during vectorisation: nothing is stored, and that is not an error.
      if (!(error instanceof SegmentationNotRunningError)) throw error;
    }
    this.open.delete(id);
  }
}
