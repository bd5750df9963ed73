import { AppError } from '../errors.ts';

/** Kind of question: one that needs reasoning, or a plain description of the target. */
export const SEGMENTATION_TASKS = ['REASONING', 'REFERRING'] as const;
export type SegmentationTask = (typeof SEGMENTATION_TASKS)[number];

export interface Question {
  readonly task: SegmentationTask;
  readonly text: string;
}

/** Work on a window: image encoding, or the questions. */
export type ModelPhase = 'encoding' | 'reasoning';

/** Public facts of a model. */
export interface ModelInfo {
  /** `name/version`. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the manifest, which contains the hash of every other file. */
  readonly sha256: string;
  /** Side of the square window, pixels. */
  readonly windowPx: number;
  /** Side of the logits grid of a window. */
  readonly logitsPx: number;
  /** Range of ground sample distances in training, metres. */
  readonly gsdM: { readonly min: number; readonly max: number };
  readonly licence: string;
  /** See {@link SegmentationModel.executionProvider}; absent while unknown. */
  readonly executionProvider?: string | null;
}

/** Port to a model, wherever it runs. */
export interface SegmentationModel {
  readonly info: ModelInfo;
  /** Execution provider (`cpu`, `cuda`, …); null or absent while unknown. */
  readonly executionProvider?: string | null;
  /** Whether the graphs are loaded and ready. */
  ready(): boolean;
  /**
   * Checks a question without running the model.
   * @throws {QuestionTooLongError} when it exceeds the model's token limit
   */
  check(question: Question): void;
  /**
   * Answers questions about one window; the image is encoded once for all of them.
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`, letterboxed, not normalised
   * @param onPhase called when encoding starts (skipped for a cached window) and when the questions start; a model that
   *   cannot distinguish them reports only the questions
   * @returns per question the logits `[logitsPx, logitsPx]`, row-major, before the sigmoid
   * @throws {QuestionTooLongError} {@link ModelUnavailableError} when nothing answers now; {@link ModelLateError} when this
   *   window was started and timed out; {@link ModelCrashedError} when the process or thread of the model crashed on it;
   *   {@link ModelRejectedError} when the model refuses this request; the signal's reason as soon as it is aborted, also in
   *   the middle of a window
   */
  infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
    onPhase?: (phase: ModelPhase) => void,
  ): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** The question exceeds the model's token limit; `tokens` is a lower bound. */
export class QuestionTooLongError extends AppError {
  readonly code = 'PROMPT_TOO_LONG';
  constructor(
    readonly tokens: number,
    readonly maxTokens: number,
  ) {
    super(`The prompt has at least ${tokens} tokens; the model reads at most ${maxTokens}.`);
  }
}

/** The model's graphs cannot be loaded; the cause is the runtime's error. */
export class ModelFailureError extends AppError {
  readonly code = 'MODEL_FAILED';
  constructor(modelId: string, cause: unknown) {
    super(`Model ${modelId} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** An outage: no server or thread of the model answers now. The same request may succeed later. */
export class ModelUnavailableError extends AppError {
  readonly code = 'MODEL_UNAVAILABLE';
  /** @param retryAfterS seconds after which to retry; null when unknown */
  constructor(
    modelId: string,
    readonly reason: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(`Model ${modelId} is unavailable: ${reason}`);
  }
}

/** The model started on this request and timed out. This is an outage as long as it answers nothing else either. */
export class ModelLateError extends ModelUnavailableError {}

/** The model crashed on this request. That may be chance; a window that does it each time must not be retried for ever. */
export class ModelCrashedError extends AppError {
  readonly code = 'MODEL_CRASHED';
  constructor(modelId: string, reason: string) {
    super(`Model ${modelId} crashed while processing the window: ${reason}`);
  }
}

/** The model refuses this request, and would refuse it again. */
export class ModelRejectedError extends AppError {
  readonly code = 'MODEL_REJECTED';
  constructor(modelId: string, reason: string) {
    super(`Model ${modelId} refused the request: ${reason}`);
  }
}
