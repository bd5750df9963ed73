import { setImmediate } from 'node:timers/promises';
import { ModelLateError, type Question, type SegmentationModel } from '../inference/segmentation-model.ts';
import { padToWindow, resizeLinear } from '../raster/letterbox.ts';
import type { PlannedWindow, WindowPlan } from '../raster/window-plan.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import type { Scene } from '../scene/scene.ts';
import { beginSpan, inSpan } from '../telemetry/tracing.ts';
import { AppError } from '../errors.ts';
import { LateWindow } from './late-window.ts';
import type { RunMetrics } from './run-metrics.ts';
import type { RunPhase } from '../segmentation/segmentation.ts';

/** The model's answer for one window. */
export interface WindowAnswer {
  /** Per question, `[logitsPx, logitsPx]`, before the sigmoid. */
  readonly logits: readonly Float32Array[];
  /** 1 where the image shown to the model has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/** Answers of an earlier attempt at the run, by window index. */
export interface WindowAnswers {
  has(index: number): boolean;
  /** @returns null when the window must be inferred again */
  read(index: number): Promise<WindowAnswer | null>;
  write(index: number, answer: WindowAnswer): Promise<void>;
}

/** Inputs for the inference of a run's windows. */
export interface WindowAsking {
  readonly scene: Scene;
  readonly source: ImageSource;
  readonly model: Pick<SegmentationModel, 'info' | 'infer'>;
  readonly questions: readonly Question[];
  readonly plan: WindowPlan;
  readonly kept: WindowAnswers;
  readonly progress: { enter(phase: RunPhase): void };
  /** Aborting it stops the run, also in the middle of a window. */
  readonly signal: AbortSignal;
  readonly metrics?: RunMetrics;
}

/** A window and the model's answer. */
export interface AnsweredWindow {
  readonly planned: PlannedWindow;
  readonly answer: WindowAnswer;
  /** Time since the previous answer; null for an answer of an earlier attempt. */
  readonly durationMs: number | null;
}

/**
 * Windows faster than this are sent two at a time, so that the model always has the next one at hand. For slower windows
 * this would save less than 1 %, and the second request's timeout would run while it waits.
 */
const SHORT_WINDOW_MS = 1000;
/** Windows of at most this many scene pixels are read at full resolution and resized as in the published evaluation. */
const EXACT_RESIZE_PIXELS = 4096 * 4096;
/** Logit of a pixel without data: a probability of 2e-9. */
const NO_DATA_LOGIT = -20;

/**
 * Yields the answers for all windows in plan order. At most two windows are with the model while one more is read. When a
 * window fails, answers for later windows that are already on their way are kept.
 * @throws {LateWindow} errors of the image source and the model, and the signal's reason
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

/** A window whose answer is on its way. */
class BegunWindow {
  readonly begunAt = performance.now();
  /** Resolves once the request is sent, or known to be unnecessary. */
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
    const span = beginSpan('window', { attributes: { 'terraql.window': planned.index } });
    const sent = settledLater(span.run(() => this.send(reading)));
    this.onItsWay = sent.catch(() => undefined);
    this.said = settledLater(sent.then(({ said }) => said));
    void this.said
      .then(({ isKept }) => {
        span.set({ 'terraql.window_kept': isKept });
        asking.metrics?.windowAnswered(isKept ? 'kept' : 'model');
      }, span.fail)
      .finally(span.end);
  }

  /** Reports phases from now on, starting with those already passed. */
  show(): void {
    this.isShown = true;
    for (const phase of this.phases.splice(0)) this.asking.progress.enter(phase);
  }

  /** Saves the answer, if one arrives, for the next attempt. */
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
    // Reading ahead starts only after the request is sent; otherwise the model would wait for it.
    void setImmediate().then(() => reading.readAhead());
    return { said: settledLater(said) };
  }

  private async ask(image: Uint8Array, valid: Uint8Array): Promise<readonly Float32Array[]> {
    const { model, questions, plan, signal } = this.asking;
    if (!valid.includes(1)) return questions.map(() => new Float32Array(model.info.logitsPx ** 2).fill(NO_DATA_LOGIT));
    try {
      return await this.measured(() => model.infer(image, questions, signal, (phase) => this.enter(phase)));
    } catch (error) {
      if (!(error instanceof ModelLateError)) throw error;
      throw new LateWindow(this.planned.index + 1, plan.windows.length, error);
    }
  }

  private async measured<T>(work: () => Promise<T>): Promise<T> {
    const { model, metrics } = this.asking;
    const started = performance.now();
    const answered = (outcome: string): void =>
      metrics?.modelAnswered(model.info.id, outcome, performance.now() - started);
    try {
      const answer = await inSpan('model', { attributes: { 'terraql.model': model.info.id } }, work);
      answered('ok');
      return answer;
    } catch (error) {
      answered(error instanceof AppError ? error.code : 'INTERNAL_SERVER_ERROR');
      throw error;
    }
  }

  private enter(phase: RunPhase): void {
    if (this.isShown) this.asking.progress.enter(phase);
    else this.phases.push(phase);
  }
}

/** A window in the model's input format. */
interface ModelWindow {
  /** HWC uint8 `[modelPx, modelPx, 3]`. */
  readonly image: Uint8Array;
  /** 1 where the image shown to the model has data, `[shownHeightPx, shownWidthPx]`. */
  readonly valid: Uint8Array;
}

/** Reads windows ahead while the model works on earlier ones. */
class WindowReading {
  private next = 0;
  private ahead: { readonly index: number; readonly window: Promise<ModelWindow> } | null = null;

  constructor(private readonly asking: WindowAsking) {}

  /** Skips reading ahead up to and including this window. */
  begin({ index }: PlannedWindow): void {
    this.next = index + 1;
  }

  read(planned: PlannedWindow): Promise<ModelWindow> {
    return this.ahead?.index === planned.index ? this.ahead.window : readWindow(this.asking, planned);
  }

  /** Starts reading the next window without a saved answer. */
  readAhead(): void {
    const { plan, kept } = this.asking;
    let index = this.next;
    while (kept.has(index)) index++;
    const following = plan.windows[index];
    if (!following || this.ahead?.index === index) return;
    this.ahead = { index, window: settledLater(readWindow(this.asking, following)) };
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
  const shown = exact ? resizeLinear(rgb, window.width, window.height, shownWidthPx, shownHeightPx) : rgb;
  return {
    image: padToWindow(shown, planned, plan.modelPx),
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

/** Marks a promise whose rejection is handled later, so that it does not count as unhandled until then. */
export function settledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
