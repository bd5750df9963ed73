import { AppError } from '../errors.ts';
import type { ModelLateError, Question, SegmentationModel } from '../inference/segmentation-model.ts';
import type { KeptWindows } from './kept-windows.ts';
import type { ModelCircuits } from './model-circuits.ts';

/** The model started on a window and did not answer in time. */
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

/** The model answers other requests, but timed out on this window. */
export class WindowLateError extends AppError {
  readonly code = 'MODEL_TIMEOUT';
  constructor(modelId: string, { number, windows, cause }: LateWindow) {
    super(`Model ${modelId} answers other requests but timed out on window ${number} of ${windows}: ${cause.reason}`, {
      cause,
    });
  }
}

/** Asked about an empty window, to check whether the model answers at all. */
const SIMPLE_QUESTION: Question = { task: 'REFERRING', text: 'water' };

/** An attempt at a run, with its record of earlier attempts. */
interface Attempt {
  readonly model: Pick<SegmentationModel, 'info' | 'infer'>;
  readonly circuits: ModelCircuits;
  readonly kept: Pick<KeptWindows, 'hadLateWindow' | 'noteLateWindow'>;
  readonly signal: AbortSignal;
}

/**
 * Distinguishes a window that takes too long from a model that is unavailable: the window is at fault when the model
 * answered any other request of this process during the attempt. After an attempt that ended with a timeout the model is
 * first asked about an empty window, since a run alone with its model has no other evidence.
 * @param ask runs the windows
 * @throws {WindowLateError} when the window is at fault; {@link ModelLateError} when nothing was answered; errors of `ask`
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
