import { setImmediate } from 'node:timers/promises';
import type { AreaMask } from '../raster/area-mask.ts';
import { LogitMosaic, type RowBand } from '../raster/logit-mosaic.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import { rowFromProbability } from '../vector/threshold-row.ts';
import { type AnsweredWindow, answersInOrder, takenUpLater, type WindowAsking } from './ask-windows.ts';
import type { RunPhase } from '../segmentation/segmentation.ts';

/** Where a run tells how far it is. */
export interface ProgressSink {
  enter(phase: RunPhase): void;
  /** @param durationMs null for a window that an earlier attempt has done */
  windowDone(windowsDone: number, durationMs: number | null): void;
}

/** One run over a scene: all its questions share the reading and the encoding of every window. */
export interface SceneRun extends WindowAsking {
  /** Probability from which a pixel belongs to the mask. */
  readonly threshold: number;
  /** Pixels outside are never part of the mask; null: the whole scene counts. */
  readonly area: AreaMask | null;
  readonly progress: ProgressSink;
}

/** What a run found. */
export interface SceneMasks {
  /** One mask per question, in the scene frame. */
  readonly masks: readonly MaskRuns[];
  /** Pixels that have data and lie in the area of interest. */
  readonly validPixels: number;
}

/**
 * Asks the model about every window of the plan that is not answered yet, and builds the masks band by band: memory holds
 * one row of windows and the runs of the masks, never the scene. An answer is kept and blended while the model works on
 * the next windows.
 * @throws what {@link answersInOrder} throws; answers that came before are kept by then
 */
export async function segmentScene(run: SceneRun): Promise<SceneMasks> {
  const building = new MaskBuilding(run);
  let [takenBefore, taken] = [Promise.resolve(), Promise.resolve()];
  try {
    for await (const answered of answersInOrder(run)) {
      await takenBefore;
      takenBefore = taken;
      taken = takenUpLater(takenBefore.then(() => building.take(answered)));
    }
    await taken;
  } finally {
    await Promise.allSettled([taken]);
  }
  return building.finish();
}

/** Keeps answers and blends them into masks, window by window in the order of the plan. */
class MaskBuilding {
  private readonly mosaic: LogitMosaic;
  private readonly masks: readonly MaskRuns[];
  private validPixels = 0;

  constructor(private readonly run: SceneRun) {
    const { plan, model, questions, scene } = run;
    this.mosaic = new LogitMosaic(plan, model.info.logitsPx, questions.length);
    this.masks = questions.map(() => new MaskRuns(scene.widthPx, scene.heightPx));
  }

  async take({ planned, answer, durationMs }: AnsweredWindow): Promise<void> {
    const { kept, progress } = this.run;
    if (durationMs !== null) await kept.write(planned.index, answer);
    await this.addBands(this.mosaic.add(planned, answer.logits, answer.valid));
    progress.windowDone(planned.index + 1, durationMs);
  }

  async finish(): Promise<SceneMasks> {
    await this.addBands(this.mosaic.finish());
    return { masks: this.masks, validPixels: this.validPixels };
  }

  private async addBands(bands: Iterable<RowBand>): Promise<void> {
    for (const band of bands) {
      this.validPixels += addBand(this.run, this.masks, band);
      await setImmediate(); // whoever else waits for the event loop goes first
      this.run.signal.throwIfAborted();
    }
  }
}

/** Thresholds a band into the masks. @returns its pixels that have data and lie in the area of interest */
function addBand({ threshold, area }: SceneRun, masks: readonly MaskRuns[], band: RowBand): number {
  let validPixels = 0;
  for (let r = 0; r < band.height; r++) {
    const from = r * band.width;
    const valid = band.valid.subarray(from, from + band.width);
    area?.clearOutside(valid, band.x, band.y + r);
    for (const value of valid) validPixels += value;
    band.probabilities.forEach((probabilities, question) => {
      const shown = probabilities.subarray(from, from + band.width);
      const found = rowFromProbability(band.y + r, shown, threshold, valid);
      masks[question]!.pushRow({ ...found, toggles: found.toggles.map((column) => column + band.x) });
    });
  }
  return validPixels;
}
