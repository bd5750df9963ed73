import type { ErrorRequestHandler } from 'express';
import { AppError } from '../errors.ts';
import { ERROR_CODE } from '../inference/remote-answer.ts';
import { ModelUnavailableError } from '../inference/segmentation-model.ts';
import type { Logger } from '../logging.ts';

/** The server is at its request limit; the same request may succeed later. */
export class TooManyRequestsError extends AppError {
  readonly code = 'TOO_MANY_REQUESTS';
  constructor(
    inside: number,
    readonly retryAfterS: number,
  ) {
    super(`The server is busy with ${inside} requests; retry in ${retryAfterS} s.`);
  }
}

/** A request timed out. */
export class DeadlineExceededError extends AppError {
  readonly code = 'DEADLINE_EXCEEDED';
  constructor(
    timeoutMs: number,
    readonly retryAfterS: number,
  ) {
    super(`No answer came within ${timeoutMs / 1000} s; retry in ${retryAfterS} s.`);
  }
}

/** HTTP status by error code; every other {@link AppError} is a bad request: 400. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  DEADLINE_EXCEEDED: 503,
  HOST_NOT_ALLOWED: 421,
  MODEL_CRASHED: 500,
  MODEL_FAILED: 500,
  MODEL_INVALID: 500,
  EXECUTION_PROVIDER_UNAVAILABLE: 500,
  MODEL_NOT_FOUND: 404,
  MODEL_REJECTED: 422,
  MODEL_UNAVAILABLE: 503,
  TOO_MANY_REQUESTS: 429,
  UNAUTHENTICATED: 401,
};

/** HTTP status of unexpected errors. */
const UNEXPECTED = 500;

/** HTTP status of errors of Express and its body parser. */
const httpStatus = (error: unknown): number | null =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500
    ? error.status
    : null;

function waitOf(error: unknown): number | null {
  if (error instanceof TooManyRequestsError || error instanceof DeadlineExceededError) return error.retryAfterS;
  return error instanceof ModelUnavailableError ? (error.retryAfterS ?? 1) : null;
}

/**
 * Sends errors in the protocol's form, `{ "error": "…" }`, with Retry-After where waiting helps. Anything but an
 * {@link AppError} or a malformed request is logged and gets status 500.
 */
export function errorResponse(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const { status, message } = described(error);
    if (status === UNEXPECTED)
      logger.error({ err: error, method: request.method, path: request.path }, 'Request:Failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const wait = waitOf(error);
    if (wait !== null) response.set('Retry-After', String(wait));
    if (error instanceof AppError) response.set(ERROR_CODE, error.code);
    response.status(status).json({ error: message });
  };
}

function described(error: unknown): { status: number; message: string } {
  if (error instanceof AppError) return { status: STATUS_OF_CODE[error.code] ?? 400, message: error.message };
  const status = httpStatus(error);
  if (status !== null) return { status, message: (error as Error).message };
  return { status: UNEXPECTED, message: 'The server failed to answer; its log has the reason.' };
}
