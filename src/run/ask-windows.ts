import { setImmediate } from 'node:timers/promises';
import { ModelLateError, type Question, type SegmentationModel } from '../inference/segmentation-model.ts';
import { padToWindow, resizeLinear } from '../raster/letterbox.ts';
import type { PlannedWindow, WindowPlan } from '../raster/window-plan.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import type { Scene } from '../scene/scene.ts';
import { LateWindow } from './late-window.ts';
import type { RunPhase } from '../segmentation/segmentation.ts';

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

/** What the windows of a run are asked with. */
export interface WindowAsking {
  readonly scene: Scene;
  readonly source: ImageSource;
  readonly model: Pick<SegmentationModel, 'info' | 'infer'>;
  readonly questions: readonly Question[];
  readonly plan: WindowPlan;
  readonly kept: WindowAnswers;
  readonly progress: { enter(phase: RunPhase): void };
  /** Aborted to stop, also while the model works on a window. */
  readonly signal: AbortSignal;
}

/** A window and what the model said of it. */
export interface AnsweredWindow {
  readonly planned: PlannedWindow;
  readonly answer: WindowAnswer;
  /** From the answer before it to this one; null for an answer of an earlier attempt. */
  readonly durationMs: number | null;
}

/**
 * Windows that take less than this are asked about two at a time, so that the model has the next one at hand when it
 * has answered. Of longer ones that would save less than a hundredth, and the time within which the second must be
 * answered would run while it waits.
 */
const SHORT_WINDOW_MS = 1000;
/** Windows of at most this many scene pixels are read as they are and resized as the published evaluation does. */
const EXACT_RESIZE_PIXELS = 4096 * 4096;
/** Logit of a pixel without data: a probability of two in a thousand million. */
const NO_DATA_LOGIT = -20;

/**
 * The answers about all windows, in the order of the plan. Two windows at most are with the model, and one more is read
 * meanwhile. What the model says of a window behind one that it fails at is kept.
 * @throws {LateWindow} what the image source and the model throw, and the signal's reason
 */
export async function* answersInOrder(asking: WindowAsking): AsyncGenerator<AnsweredWindow> {
  const reading = new WindowReading(asking);
  const begun: BegunWindow[] = [];
  let answeredAt = -Infinity;
  let latestMs = Infinity;
  const first = async (): Promise<AnsweredWindow> => {
    const { planned, begunAt, said } = begun[0]!;
    const { answer, isKept } = await said;
    begun.shift();
    begun[0]?.show();
    const now = performance.now();
    const durationMs = isKept ? null : now - Math.max(begunAt, answeredAt);
    answeredAt = now;
    latestMs = durationMs ?? latestMs;
    return { planned, answer, durationMs };
  };
  try {
    for (const planned of asking.plan.windows) {
      asking.signal.throwIfAborted();
      const window = new BegunWindow(asking, reading, planned);
      if (begun.push(window) === 1) window.show();
      await window.onItsWay;
      while (begun.length > (latestMs < SHORT_WINDOW_MS ? 1 : 0)) yield await first();
    }
    while (begun.length > 0) yield await first();
  } finally {
    for (const window of begun) await window.keep();
  }
}

/** A window of which the answer is on its way. */
class BegunWindow {
  readonly begunAt = performance.now();
  /** Resolves when the model is asked, or need not be. */
  readonly onItsWay: Promise<unknown>;
  readonly said: Promise<{ readonly answer: WindowAnswer; readonly isKept: boolean }>;
  private readonly phases: RunPhase[] = [];
  private isShown = false;

  constructor(
    private readonly asking: WindowAsking,
    reading: WindowReading,
    readonly planned: PlannedWindow,
  ) {
    reading.begin(planned);
    const sent = takenUpLater(this.send(reading));
    this.onItsWay = sent.catch(() => undefined);
    this.said = takenUpLater(sent.then(({ said }) => said));
  }

  /** Tells phases from now on, first those that it has gone through: it is its turn. */
  show(): void {
    this.isShown = true;
    for (const phase of this.phases.splice(0)) this.asking.progress.enter(phase);
  }

  /** Keeps the answer, if one comes, for the next attempt. */
  async keep(): Promise<void> {
    const said = await this.said.catch(() => null);
    if (said && !said.isKept) await this.asking.kept.write(this.planned.index, said.answer);
  }

  private async send(reading: WindowReading): Promise<Pick<BegunWindow, 'said'>> {
    const answer = await this.asking.kept.read(this.planned.index);
    if (answer) return { said: Promise.resolve({ answer, isKept: true }) };
    this.enter('reading');
    const { image, valid } = await reading.read(this.planned);
    this.asking.signal.throwIfAborted();
    const said = this.ask(image, valid).then((logits) => ({ answer: { logits, valid }, isKept: false }));
    // Not before the request is on its way: the model would wait while the next window is read from memory.
    void setImmediate().then(() => reading.readAhead());
    return { said: takenUpLater(said) };
  }

  private async ask(image: Uint8Array, valid: Uint8Array): Promise<readonly Float32Array[]> {
    const { model, questions, plan, signal } = this.asking;
    if (!valid.includes(1)) return questions.map(() => new Float32Array(model.info.logitsPx ** 2).fill(NO_DATA_LOGIT));
    try {
      return await model.infer(image, questions, signal, (phase) => this.enter(phase));
    } catch (error) {
      if (!(error instanceof ModelLateError)) throw error;
      throw new LateWindow(this.planned.index + 1, plan.windows.length, error);
    }
  }

  private enter(phase: RunPhase): void {
    if (this.isShown) this.asking.progress.enter(phase);
    else this.phases.push(phase);
  }
}

/** A window as the model takes it. */
interface ModelWindow {
  /** HWC uint8 `[modelPx, modelPx, 3]`. */
  readonly image: Uint8Array;
  /** 1 where the shown picture has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/** Reads windows, each while the model works on those before it. */
class WindowReading {
  private next = 0;
  private ahead: { readonly index: number; readonly window: Promise<ModelWindow> } | null = null;

  constructor(private readonly asking: WindowAsking) {}

  /** Says that no window up to this one need be read ahead. */
  begin({ index }: PlannedWindow): void {
    this.next = index + 1;
  }

  read(planned: PlannedWindow): Promise<ModelWindow> {
    return this.ahead?.index === planned.index ? this.ahead.window : readWindow(this.asking, planned);
  }

  /** Begins to read the next window that was not answered before. */
  readAhead(): void {
    const { plan, kept } = this.asking;
    let index = this.next;
    while (kept.has(index)) index++;
    const following = plan.windows[index];
    if (!following || this.ahead?.index === index) return;
    this.ahead = { index, window: takenUpLater(readWindow(this.asking, following)) };
  }
}

async function readWindow({ source, scene, plan }: WindowAsking, planned: PlannedWindow): Promise<ModelWindow> {
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

/** A promise whose rejection is looked at in its turn; until then it must not be unhandled. */
export function takenUpLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
