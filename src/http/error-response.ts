import type { ErrorRequestHandler, Response } from 'express';
import { statusOfCode } from '../error-codes.ts';
import { AppError, OutageError } from '../errors.ts';
import { isChallenge } from '../identity/identity-errors.ts';
import { budgetHeaders, RateLimitedError } from '../identity/rate-limits.ts';
import { retryAfterS } from '../graphql/server/format-error.ts';
import type { Logger } from '../logging.ts';

/** What Express and its body parser throw. */
interface HttpError extends Error {
  readonly status: number;
  readonly expose?: boolean;
}

const isHttpError = (error: unknown): error is HttpError =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;

const statusOf = ({ code }: AppError): number => statusOfCode(code);

function refuse(response: Response, status: number, code: string, message: string, details: object = {}): void {
  response.removeHeader('ETag');
  response
    .set('Cache-Control', 'no-store')
    .status(status)
    .json({ error: { code, message, ...details } });
}

/** Refusals of the outlet, before GraphQL hears of the operation. */
const refusesOperation = (error: unknown): error is AppError => isChallenge(error) || error instanceof RateLimitedError;

/** Clients of GraphQL look for errors in the form of its answers. */
function refuseOperation(response: Response, error: AppError): void {
  const wait = retryAfterS(error);
  const extensions = {
    code: error.code,
    ...error.details,
    ...(wait === null ? {} : { retryable: true, retryAfterS: wait }),
  };
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
    else if (error instanceof AppError) refuse(response, statusOf(error), error.code, error.message, error.details);
    else if (isHttpError(error)) refuse(response, error.status, 'BAD_REQUEST', error.message);
    else refuse(response, 500, 'INTERNAL_SERVER_ERROR', 'The service failed to answer; its log has the reason.');
  };
}
