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
import type { RunPhase } from './segmentation.ts';

/** What the model said of one window. */
export interface WindowAnswer {
  /** Per question, `[logitsPx, logitsPx]`, before the sigmoid. */
  readonly logits: readonly Float32Array[];
  /** 1 where the shown picture has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/** Answers of an earlier attempt at the run, by the index of the window in the plan. */
export interface WindowAnswers {
  has(index: number): boolean;
  /** @returns null when the window must be asked about after all */
  read(index: number): Promise<WindowAnswer | null>;
  write(index: number, answer: WindowAnswer): Promise<void>;
}

/** Where a run tells how far it is. */
export interface ProgressSink {
  enter(phase: RunPhase): void;
  /** @param durationMs null for a window that an earlier attempt has done */
  windowDone(windowsDone: number, durationMs: number | null): void;
}

/** One run over a scene: all its questions share the reading and the encoding of every window. */
export interface SceneRun {
  readonly scene: Scene;
  readonly source: ImageSource;
  readonly model: Pick<SegmentationModel, 'info' | 'infer'>;
  readonly questions: readonly Question[];
  readonly plan: WindowPlan;
  /** Probability from which a pixel belongs to the mask. */
  readonly threshold: number;
  /** Pixels outside are never part of the mask; null: the whole scene counts. */
  readonly area: AreaMask | null;
  readonly kept: WindowAnswers;
  readonly progress: ProgressSink;
  /** Aborted to stop the run, also while the model works on a window. */
  readonly signal: AbortSignal;
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
  /** HWC uint8 `[modelPx, modelPx, 3]`. */
  readonly image: Uint8Array;
  /** 1 where the shown picture has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/**
 * Asks the model about every window of the plan that is not answered yet, and builds the masks band by band: memory holds
 * one row of windows and the runs of the masks, never the scene. An answer is kept and blended while the model works on
 * the next window.
 * @throws what the image source and the model throw, and the signal's reason; answers that came before are kept by then
 */
export async function segmentScene(run: SceneRun): Promise<SceneMasks> {
  const building = new MaskBuilding(run);
  const asking = new WindowAsking(run);
  let [takenBefore, taken] = [Promise.resolve(), Promise.resolve()];
  try {
    for (const planned of run.plan.windows) {
      run.signal.throwIfAborted();
      const asked = takenUpLater(answerTo(run, asking, planned));
      await takenBefore;
      const { answer, durationMs } = await asked;
      takenBefore = taken;
      taken = takenUpLater(takenBefore.then(() => building.take(planned, answer, durationMs)));
    }
    await taken;
  } finally {
    await Promise.allSettled([taken]);
  }
  return building.finish();
}

/** A promise whose rejection is looked at in its turn; until then it must not be unhandled. */
function takenUpLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** @returns `durationMs`: time that the answer took; null for one of an earlier attempt */
async function answerTo(
  { kept }: SceneRun,
  asking: WindowAsking,
  planned: PlannedWindow,
): Promise<{ answer: WindowAnswer; durationMs: number | null }> {
  const started = performance.now();
  const known = await kept.read(planned.index);
  if (known) return { answer: known, durationMs: null };
  return { answer: await asking.ask(planned), durationMs: performance.now() - started };
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

  /** @param durationMs time that the answer took; null for one that was kept before */
  async take(planned: PlannedWindow, answer: WindowAnswer, durationMs: number | null): Promise<void> {
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

/** Logit of a pixel without data: a probability of two in a thousand million. */
const NO_DATA_LOGIT = -20;

/** Asks about one window after the other; the next one is read while the model works on the present one. */
class WindowAsking {
  private ahead: { readonly index: number; readonly window: Promise<ModelWindow> } | null = null;

  constructor(private readonly run: SceneRun) {}

  async ask(planned: PlannedWindow): Promise<WindowAnswer> {
    const { model, questions, progress, signal } = this.run;
    progress.enter('reading');
    const { image, valid } = await this.read(planned);
    signal.throwIfAborted();
    const asked = valid.includes(1)
      ? this.infer(image)
      : Promise.resolve(questions.map(() => new Float32Array(model.info.logitsPx ** 2).fill(NO_DATA_LOGIT)));
    // Not before the request is on its way: the model would wait while the next window is read from memory.
    const ahead = setImmediate().then(() => this.readAhead(planned.index + 1));
    const [logits] = await Promise.all([asked, ahead]);
    return { logits, valid };
  }

  private infer(image: Uint8Array): Promise<Float32Array[]> {
    const { model, questions, progress, signal } = this.run;
    return model.infer(image, questions, signal, (phase) => progress.enter(phase));
  }

  private read(planned: PlannedWindow): Promise<ModelWindow> {
    return this.ahead?.index === planned.index ? this.ahead.window : readWindow(this.run, planned);
  }

  private readAhead(from: number): void {
    const { plan, kept } = this.run;
    let index = from;
    while (kept.has(index)) index++;
    const following = plan.windows[index];
    if (!following) return;
    this.ahead = { index, window: takenUpLater(readWindow(this.run, following)) };
  }
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
