import { setImmediate } from 'node:timers/promises';
import type { Question, SegmentationModel } from '../inference/segmentation-model.ts';
import type { AreaMask } from '../raster/area-mask.ts';
import { padToWindow, resizeLinear } from '../raster/letterbox.ts';
import { LogitMosaic, type RowBand } from '../raster/logit-mosaic.ts';
import type { PlannedWindow, WindowPlan } from '../raster/window-plan.ts';
import type { ImageSource } from '../scene/image-source.ts';
import type { Scene } from '../scene/scene.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import { rowFromProbability } from '../vector/threshold-row.ts';

/** One run over a scene: all its questions share the reading and the encoding of every window. */
export interface SceneRun {
  readonly scene: Scene;
  readonly source: ImageSource;
  readonly model: SegmentationModel;
  readonly questions: readonly Question[];
  readonly plan: WindowPlan;
  /** Probability from which a pixel belongs to the mask. */
  readonly threshold: number;
  /** Pixels outside are never part of the mask; null: the whole scene counts. */
  readonly area: AreaMask | null;
  readonly signal: AbortSignal;
  /** Called after each window. */
  onWindow(windowsDone: number): Promise<void>;
}

/** What a run found. */
export interface SceneMasks {
  /** One mask per question, in the scene frame. */
  readonly masks: readonly MaskRuns[];
  /** Pixels that have data and lie in the area of interest. */
  readonly validPixels: number;
}

/** Windows of at most this many scene pixels are read as they are and resized as the published evaluation does. */
const EXACT_RESIZE_PIXELS = 4096 * 4096;

/** A window as the model takes it. */
interface ModelWindow {
  readonly planned: PlannedWindow;
  /** HWC uint8 `[modelPx, modelPx, 3]`. */
  readonly image: Uint8Array;
  /** 1 where the shown picture has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/**
 * Asks the model about every window of the plan and builds the masks band by band: memory holds one row of windows and
 * the runs of the masks, never the scene. The next window is read while the model works on the present one.
 * @throws what the image source and the model throw, and the signal's reason between windows
 */
export async function segmentScene(run: SceneRun): Promise<SceneMasks> {
  const { plan, questions, scene, model, signal } = run;
  const mosaic = new LogitMosaic(plan, model.info.logitsPx, questions.length);
  const masks = questions.map(() => new MaskRuns(scene.widthPx, scene.heightPx));
  let validPixels = 0;
  const take = async (bands: Iterable<RowBand>): Promise<void> => {
    for (const band of bands) {
      validPixels += addBand(run, masks, band);
      await setImmediate(); // whoever else waits for the event loop goes first
    }
  };
  let reading = readWindow(run, plan.windows[0]!);
  for (const [index] of plan.windows.entries()) {
    const { planned, image, valid } = await reading;
    signal.throwIfAborted();
    const following = plan.windows[index + 1];
    if (following) reading = readWindow(run, following);
    // The rejection of a window that is read ahead is taken up when its turn comes; until then it must not be unhandled.
    reading.catch(() => undefined);
    const logits = valid.includes(1)
      ? await model.infer(image, questions, signal)
      : questions.map(() => new Float32Array(model.info.logitsPx ** 2).fill(-20));
    await take(mosaic.add(planned, logits, valid));
    await run.onWindow(index + 1);
  }
  await take(mosaic.finish());
  return { masks, validPixels };
}

async function readWindow({ source, scene, plan }: SceneRun, planned: PlannedWindow): Promise<ModelWindow> {
  const { window, shownWidthPx, shownHeightPx } = planned;
  const exact = plan.mode === 'WHOLE' && window.width * window.height <= EXACT_RESIZE_PIXELS;
  const { rgb, valid } = await source.readRgb(
    window,
    exact ? window.width : shownWidthPx,
    exact ? window.height : shownHeightPx,
    scene,
  );
  const picture = exact ? resizeLinear(rgb, window.width, window.height, shownWidthPx, shownHeightPx) : rgb;
  return {
    planned,
    image: padToWindow(picture, planned, plan.modelPx),
    valid: exact ? shrinkValid(valid, planned) : valid,
  };
}

/** Nearest-neighbour copy of the validity of the scene window at the size shown to the model. */
function shrinkValid(valid: Uint8Array, { window, shownWidthPx, shownHeightPx }: PlannedWindow): Uint8Array {
  const shown = new Uint8Array(shownWidthPx * shownHeightPx);
  for (let j = 0; j < shownHeightPx; j++) {
    const row = Math.floor(((j + 0.5) * window.height) / shownHeightPx) * window.width;
    for (let i = 0; i < shownWidthPx; i++) {
      shown[j * shownWidthPx + i] = valid[row + Math.floor(((i + 0.5) * window.width) / shownWidthPx)]!;
    }
  }
  return shown;
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
