import { AppError } from '../errors.ts';
import type { ModelLateError, Question, SegmentationModel } from '../inference/segmentation-model.ts';
import type { KeptWindows } from './kept-windows.ts';
import type { ModelCircuits } from './model-circuits.ts';

/** The model began with a window and did not answer in time. */
export class LateWindow extends Error {
  /**
   * @param number of the window, the first is 1
   * @param windows of the run
   */
  constructor(
    readonly number: number,
    readonly windows: number,
    override readonly cause: ModelLateError,
  ) {
    super(cause.message, { cause });
  }
}

/** The model answers, but about this window not in the time that a request may take. */
export class WindowLateError extends AppError {
  readonly code = 'MODEL_TIMEOUT';
  constructor(modelId: string, { number, windows, cause }: LateWindow) {
    super(`model ${modelId} answers other requests, but not about window ${number} of ${windows}: ${cause.reason}`, {
      cause,
    });
  }
}

/** Put to an empty window, to see whether the model answers at all. */
const SIMPLE_QUESTION: Question = { task: 'REFERRING', text: 'water' };

/** What an attempt at a run asks, and what it knows of earlier attempts. */
interface Attempt {
  readonly model: Pick<SegmentationModel, 'info' | 'infer'>;
  readonly circuits: ModelCircuits;
  readonly kept: Pick<KeptWindows, 'hadLateWindow' | 'noteLateWindow'>;
  readonly signal: AbortSignal;
}

/**
 * Tells a window that the model cannot do in time from a model that is away: the window is to blame when the model has
 * answered anything else to this process during the attempt. After an attempt that ended at a late window the model is
 * asked about an empty one first, since a run that is alone with its model would never know.
 * @param ask asks about the windows of the run
 * @throws {WindowLateError} when a window is to blame; {@link ModelLateError} when nothing was answered; what `ask` throws
 */
export async function blamingLateWindows<T>(
  { model, circuits, kept, signal }: Attempt,
  ask: (model: Attempt['model']) => Promise<T>,
): Promise<T> {
  const { info } = model;
  const counted = { info, infer: circuits.counted(model) };
  const before = circuits.answers(info.id);
  try {
    if (kept.hadLateWindow) await counted.infer(new Uint8Array(info.windowPx ** 2 * 3), [SIMPLE_QUESTION], signal);
    return await ask(counted);
  } catch (error) {
    if (!(error instanceof LateWindow)) throw error;
    await kept.noteLateWindow();
    throw circuits.answers(info.id) > before ? new WindowLateError(info.id, error) : error.cause;
  }
}
