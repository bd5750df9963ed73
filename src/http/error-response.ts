import type { ErrorRequestHandler, Response } from 'express';
import { AppError, OutageError } from '../errors.ts';
import { isChallenge } from '../identity/identity-errors.ts';
import { budgetHeaders, RateLimitedError } from '../identity/rate-limits.ts';
import { retryAfterS } from '../graphql/server/format-error.ts';
import type { Logger } from '../logging.ts';

/**
 * HTTP status of the errors that have one of their own. Others: `*_NOT_FOUND` is 404, an {@link OutageError} 503, every other
 * {@link AppError} 400.
 */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  CRS_NOT_WRITABLE: 422,
  DATABASE_FULL: 507,
  EXPORT_FORMAT_UNKNOWN: 404,
  EXPORT_NOT_ALLOWED: 403,
  EXPORT_TOO_LARGE: 413,
  HOST_NOT_ALLOWED: 421,
  FILE_TOO_LARGE: 413,
  FORBIDDEN: 403,
  IMAGE_CORRUPT: 422,
  MASK_TOO_LARGE: 413,
  IMAGE_MEMORY_EXCEEDED: 422,
  IMAGE_TIME_EXCEEDED: 422,
  RATE_LIMITED: 429,
  SOURCE_CHANGED: 409,
  STORAGE_FULL: 507,
  TOO_MANY_UPLOADS: 429,
  UNAUTHENTICATED: 401,
  UPLOAD_EXPIRED: 410,
  UPLOAD_USED: 409,
};

/** What Express and its body parser throw. */
interface HttpError extends Error {
  readonly status: number;
  readonly expose?: boolean;
}

const isHttpError = (error: unknown): error is HttpError =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;

function statusOf(error: AppError): number {
  const { code } = error;
  return STATUS_OF_CODE[code] ?? (retryAfterS(error) !== null ? 503 : code.endsWith('_NOT_FOUND') ? 404 : 400);
}

function refuse(response: Response, status: number, code: string, message: string): void {
  response.removeHeader('ETag');
  response.set('Cache-Control', 'no-store').status(status).json({ error: { code, message } });
}

/** Refusals of the outlet, before GraphQL hears of the operation. */
const refusesOperation = (error: unknown): error is AppError => isChallenge(error) || error instanceof RateLimitedError;

/** Clients of GraphQL look for errors in the form of its answers. */
function refuseOperation(response: Response, error: AppError): void {
  const wait = retryAfterS(error);
  const extensions = { code: error.code, ...(wait === null ? {} : { retryable: true, retryAfterS: wait }) };
  const errors = [{ message: error.message, extensions }];
  response.set('Cache-Control', 'no-store').status(statusOf(error)).json({ errors });
}

/**
 * Answers errors as `{ "error": { "code", "message" } }`. What is neither an {@link AppError} nor a malformed request is
 * logged and answered as `INTERNAL_SERVER_ERROR`. When the answer has begun, the connection is cut: half a file must not
 * look whole.
 */
export function errorResponse(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = error instanceof AppError || isHttpError(error);
    if (!known) logger.error({ err: error, method: request.method, path: request.path }, 'Request:Failed');
    if (error instanceof OutageError) logger.warn({ err: error, path: request.path }, 'Request:Outage');
    const wait = error instanceof AppError ? retryAfterS(error) : null;
    if (wait !== null && !response.headersSent) response.set('Retry-After', String(wait));
    if (error instanceof RateLimitedError && !response.headersSent) response.set(budgetHeaders(error.budget));
    if (isChallenge(error) && !response.headersSent) response.set('WWW-Authenticate', error.challenge);
    if (response.headersSent) response.destroy();
    else if (refusesOperation(error) && request.originalUrl.startsWith('/graphql')) refuseOperation(response, error);
    else if (error instanceof AppError) refuse(response, statusOf(error), error.code, error.message);
    else if (isHttpError(error)) refuse(response, error.status, 'BAD_REQUEST', error.message);
    else refuse(response, 500, 'INTERNAL_SERVER_ERROR', 'The service failed to answer; its log has the reason.');
  };
}
