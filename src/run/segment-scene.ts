import { setImmediate } from 'node:timers/promises';
import type { AreaMask } from '../raster/area-mask.ts';
import { LogitMosaic, type RowBand } from '../raster/logit-mosaic.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import { rowFromProbability } from '../vector/threshold-row.ts';
import { type AnsweredWindow, answersInOrder, settledLater, type WindowAsking } from './ask-windows.ts';
import type { RunPhase } from '../segmentation/segmentation.ts';

/** Receives the progress of a run. */
export interface ProgressSink {
  enter(phase: RunPhase): void;
  /** @param durationMs null for a window of an earlier attempt */
  windowDone(windowsDone: number, durationMs: number | null): void;
}

/** One run over a scene: its questions share reading and encoding of every window. */
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
 * Infers every window without a saved answer and builds the masks band by band: memory holds one row of windows and the
 * run lengths of the masks, never the scene. Answers are saved and blended while the model works on later windows.
 * @throws errors of {@link answersInOrder}; earlier answers are saved by then
 */
export async function segmentScene(run: SceneRun): Promise<SceneMasks> {
  const building = new MaskBuilding(run);
  let [takenBefore, taken] = [Promise.resolve(), Promise.resolve()];
  try {
    for await (const answered of answersInOrder(run)) {
      await takenBefore;
      takenBefore = taken;
      taken = settledLater(takenBefore.then(() => building.take(answered)));
    }
    await taken;
  } finally {
    await Promise.allSettled([taken]);
  }
  return building.finish();
}

/** Saves answers and blends them into masks, window by window in plan order. */
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
      await setImmediate(); // lets other work of the event loop go first
      this.run.signal.throwIfAborted();
    }
  }
}

/** Thresholds a band into the masks. @returns number of its pixels with data inside the area of interest */
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
