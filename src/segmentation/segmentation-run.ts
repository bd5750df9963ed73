import { AppError } from '../errors.ts';
import type { ModelInfo, SegmentationModel } from '../inference/segmentation-model.ts';
import type { Logger } from '../logging.ts';
import type { BlobStore } from '../scene/blob-store.ts';
import type { ImageSource } from '../scene/image-source.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { toCocoCounts } from '../vector/coco-counts.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import { EarlierAnswers } from './earlier-answers.ts';
import { KeptWindows } from './kept-windows.ts';
import type { ModelCircuits } from './model-circuits.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { RunProgress } from './run-progress.ts';
import type { Claim, RunStore } from './run.store.ts';
import { segmentScene, type SceneMasks } from './segment-scene.ts';
import type { EmptyReason, Segmentation, SegmentationProgress } from './segmentation.ts';
import { SegmentationNotRunningError, type SegmentationResult, UncomparedAnswersError } from './segmentation.store.ts';
import { contactsWithin, featuresOf, type Ground, groundOf, labelScene } from './vectorise-mask.ts';

/** What a run needs of the rest of the service. */
export interface RunPorts {
  readonly store: RunStore;
  readonly scenes: { get(id: string): Promise<Scene>; open(scene: Scene): Promise<ImageSource> };
  readonly models: { get(wanted: string): Promise<SegmentationModel>; list(): readonly ModelInfo[] };
  readonly circuits: ModelCircuits;
  readonly blobs: BlobStore;
  readonly logger: Logger;
}

export interface RunLimits {
  readonly nearM: number;
  readonly maxWindows: number;
}

/** The reason with which a run is stopped that nobody waits for any more, or that another process goes on with. */
export class RunAbandoned extends Error {}

/** The weights that the question was put to are no longer there. */
export class ModelChangedError extends AppError {
  readonly code = 'MODEL_CHANGED';
  constructor({ model }: Segmentation, present: ModelInfo) {
    super(
      `the question was put to ${model.id} with sha256 ${model.sha256}; that model now has ${present.sha256}: ask again`,
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

  get batchId(): string {
    return this.claim.batchId;
  }

  /** Segmentations without an answer that still belong to this attempt. */
  get unanswered(): Segmentation[] {
    return [...this.open.values()];
  }

  /** Leaves a segmentation out; with the last one the run stops, also while the model works on a window. */
  leaveOut(id: string): void {
    if (this.open.delete(id) && this.open.size === 0) this.stop(new RunAbandoned());
  }

  stop(reason: Error): void {
    this.controller.abort(reason);
  }

  /**
   * Carries the batch out.
   * @throws what reading, the model and storing throw; the reason of {@link stop}
   */
  async carryOut(): Promise<void> {
    const { scenes, models, circuits } = this.ports;
    const [first] = this.claim.segmentations;
    if (!first) return;
    const scene = await scenes.get(first.sceneId);
    const model = await circuits.send(first.model.id, () => models.get(first.model.id));
    if (model.info.sha256 !== first.model.sha256) throw new ModelChangedError(first, model.info);
    const plan = planRun(first, scene, model.info, this.limits.maxWindows);
    const progress = new RunProgress(plan.windows?.windows.length ?? 0, (state) => this.writeProgress(state));
    try {
      await this.storeAll(scene, plan, await this.ask(scene, model, plan, progress), progress);
    } finally {
      await progress.end();
    }
  }

  private async ask(
    scene: Scene,
    model: SegmentationModel,
    { windows, area }: RunPlan,
    progress: RunProgress,
  ): Promise<SceneMasks | null> {
    if (windows === null) return null;
    const { scenes, circuits, blobs, logger } = this.ports;
    const asked = this.claim.segmentations;
    const ids = asked.map(({ id }) => id);
    const source = await scenes.open(scene);
    try {
      return await segmentScene({
        scene,
        source,
        model: {
          info: model.info,
          infer: (...request) => circuits.send(model.info.id, () => model.infer(...request)),
        },
        questions: asked.map(({ task, prompt }) => ({ task, text: prompt })),
        plan: windows,
        threshold: asked[0]!.threshold,
        area,
        kept: await KeptWindows.open(blobs, logger, this.batchId, ids),
        progress,
        signal: this.controller.signal,
      });
    } finally {
      await source.close();
    }
  }

  /** Segmentations that ended elsewhere or were taken away are left out. */
  private async writeProgress(progress: SegmentationProgress): Promise<void> {
    try {
      const attempts = this.unanswered;
      const running = await this.ports.store.progress(attempts, progress);
      for (const { id } of attempts) if (!running.has(id)) this.leaveOut(id);
    } catch (error) {
      this.stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** @param found null when the area of interest has no pixel of the scene */
  private async storeAll(
    scene: Scene,
    { windows }: RunPlan,
    found: SceneMasks | null,
    progress: RunProgress,
  ): Promise<void> {
    const ground = groundOf(scene);
    const earlier = new EarlierAnswers(this.ports.store, scene.id);
    for (const [index, segmentation] of this.claim.segmentations.entries()) {
      if (!this.open.has(segmentation.id)) continue;
      progress.enter('tracing');
      const mask = found?.masks[index] ?? new MaskRuns(scene.widthPx, scene.heightPx);
      const labelled = labelScene(mask, ground, segmentation.minAreaM2);
      const result = {
        mask: {
          widthPx: labelled.mask.widthPx,
          heightPx: labelled.mask.heightPx,
          counts: toCocoCounts(labelled.mask),
          pixelCount: labelled.mask.pixelCount,
          meanProbability: labelled.mask.meanProbability ?? 0,
        },
        georeferenced: isGeoreferenced(scene),
        features: featuresOf(labelled, ground),
        nearM: this.limits.nearM,
        windows: windows?.windows.length ?? 0,
        emptyReason: found ? emptyReason(found.validPixels, mask, labelled) : ('OUTSIDE_AREA_OF_INTEREST' as const),
      };
      progress.enter('storing');
      await this.store(segmentation, result, labelled, earlier, ground);
      if (result.features.length > 0) earlier.add(segmentation.id, labelled);
    }
  }

  /** Compares with what is stored and stores, again when another process stored an answer about the scene meanwhile. */
  private async store(
    segmentation: Segmentation,
    result: Omit<SegmentationResult, 'adjacency'>,
    labelled: LabelledMask,
    earlier: EarlierAnswers,
    ground: Ground | null,
  ): Promise<void> {
    const { id } = segmentation;
    while (this.open.has(id)) {
      this.controller.signal.throwIfAborted();
      await earlier.refresh();
      const adjacency = [...contactsWithin(id, labelled, ground), ...earlier.contactsWith({ id, labelled }, ground)];
      try {
        await this.ports.store.storeResult(segmentation, { ...result, adjacency }, earlier.ids);
      } catch (error) {
        if (error instanceof UncomparedAnswersError) continue;
        // Cancelled, deleted or taken away while it was traced: nothing is stored, and nothing went wrong.
        if (!(error instanceof SegmentationNotRunningError)) throw error;
      }
      this.open.delete(id);
    }
  }
}

function emptyReason(validPixels: number, mask: MaskRuns, labelled: LabelledMask): EmptyReason | null {
  if (labelled.labelCount > 0) return null;
  if (validPixels === 0) return 'NO_VALID_PIXELS';
  return mask.pixelCount === 0 ? 'NO_PIXEL_ABOVE_THRESHOLD' : 'ALL_BELOW_MIN_AREA';
}
