import { AppError } from '../errors.ts';

/** Kind of question: one that must be reasoned about, or a plain description of what to find. */
export type SegmentationTask = 'REASONING' | 'REFERRING';

export interface Question {
  readonly task: SegmentationTask;
  readonly text: string;
}

/** What a model does with a window: its image half, or the questions about it. */
export type ModelPhase = 'encoding' | 'reasoning';

/** What callers may know of a model. */
export interface ModelInfo {
  /** `name/version`. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the manifest, which holds the hash of every other file. */
  readonly sha256: string;
  /** Side of the square window, pixels. */
  readonly windowPx: number;
  /** Side of the logits grid of a window. */
  readonly logitsPx: number;
  /** Ground size of a pixel that the model was trained on, metres. */
  readonly gsdM: { readonly min: number; readonly max: number };
  readonly licence: string;
  /** What computes the model, as {@link SegmentationModel.executionProvider}; absent where it is not known yet. */
  readonly executionProvider?: string | null;
}

/** The one port to a model, wherever it runs. */
export interface SegmentationModel {
  readonly info: ModelInfo;
  /** What computes the model (`cpu`, `cuda`, …); null or absent when it is not known. */
  readonly executionProvider?: string | null;
  /** Whether the graphs are loaded and answer. */
  ready(): boolean;
  /**
   * Checks a question without running the model.
   * @throws {QuestionTooLongError} when it has more tokens than the model reads
   */
  check(question: Question): void;
  /**
   * Answers questions about one window; the image is encoded once for all of them.
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`, letterboxed, not normalised
   * @param onPhase called when the image begins to be encoded, which a window that is kept encoded is not, and when the
   *   questions begin; a model that cannot tell the two apart begins with the questions
   * @returns per question the logits `[logitsPx, logitsPx]`, row-major, before the sigmoid
   * @throws {QuestionTooLongError} {@link ModelUnavailableError} when nothing answers now; {@link ModelLateError} when this
   *   window was begun and its time is over; {@link ModelCrashedError} when what ran the model ended at work on it;
   *   {@link ModelRejectedError} when the model refuses this request; the signal's reason as soon as it is aborted, inside a
   *   window too
   */
  infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
    onPhase?: (phase: ModelPhase) => void,
  ): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** The question has more tokens than the model was built to read; `tokens` is how many at least. */
export class QuestionTooLongError extends AppError {
  readonly code = 'PROMPT_TOO_LONG';
  constructor(
    readonly tokens: number,
    readonly maxTokens: number,
  ) {
    super(`the prompt takes ${tokens} tokens or more; the model reads at most ${maxTokens}`);
  }
}

/** The model's graphs cannot be loaded; the cause holds what the runtime said. */
export class ModelFailureError extends AppError {
  readonly code = 'MODEL_FAILED';
  constructor(modelId: string, cause: unknown) {
    super(`model ${modelId} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** An outage: nothing that runs the model answers now. The same request may succeed later. */
export class ModelUnavailableError extends AppError {
  readonly code = 'MODEL_UNAVAILABLE';
  /** @param retryAfterS seconds after which it is worth asking again; null when nobody knows */
  constructor(
    modelId: string,
    readonly reason: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(`model ${modelId} does not answer now: ${reason}`);
  }
}

/**
 * The model began with this very request and did not answer in the time that a request may take. That is an outage as long
 * as it answers nothing else either.
 */
export class ModelLateError extends ModelUnavailableError {}

/**
 * What ran the model ended while it worked on this request. That may be chance; a window that does it each time must not
 * be sent for ever.
 */
export class ModelCrashedError extends AppError {
  readonly code = 'MODEL_CRASHED';
  constructor(modelId: string, reason: string) {
    super(`model ${modelId} ended while it worked on the window: ${reason}`);
  }
}

/** The model refuses this very request; it would refuse it again. */
export class ModelRejectedError extends AppError {
  readonly code = 'MODEL_REJECTED';
  constructor(modelId: string, reason: string) {
    super(`model ${modelId} refuses the request: ${reason}`);
  }
}
