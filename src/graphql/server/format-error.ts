import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isRetryable } from '../../error-codes.ts';
import { AppError, type ErrorDetails, OutageError } from '../../errors.ts';
import { RateLimitedError } from '../../identity/rate-limits.ts';
import { QuotaExceededError } from '../../quota.ts';
import type { Logger } from '../../logging.ts';

const INTERNAL: string = ApolloServerErrorCode.INTERNAL_SERVER_ERROR;

/** The error as one that refuses a whole operation, before any of it runs. */
export function refusal(error: AppError, status = 400): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { code: error.code, http: { status } },
  });
}

/** Wait for errors that pass but do not say when, seconds. */
const RETRY_AFTER_S = 2;

/** @returns seconds after which the same request may succeed; null when it will not */
export function retryAfterS(error: AppError): number | null {
  if (error instanceof OutageError || error instanceof RateLimitedError || error instanceof QuotaExceededError) {
    return error.retryAfterS;
  }
  return isRetryable(error.code) ? RETRY_AFTER_S : null;
}

function extensionsOf(error: AppError): { code: string; retryable?: true; retryAfterS?: number } {
  const wait = retryAfterS(error);
  const told = { code: error.code, ...error.details };
  return wait === null ? told : { ...told, retryable: true, retryAfterS: wait };
}

function causeOf(error: unknown): unknown {
  const thrown = unwrapResolverError(error);
  if (thrown instanceof GraphQLError && thrown.originalError instanceof AppError) return thrown.originalError;
  if (thrown instanceof AppError) return thrown;
  return thrown instanceof Error && thrown.cause instanceof AppError ? thrown.cause : thrown;
}

/** The variable that GraphQL refuses, as the path of the value in it, from the words of graphql-js. */
function argumentOf(message: string): ErrorDetails {
  const [, variable, at] =
    /^Variable "\$(\w+)" (?:got invalid value .*? at "([^"]+)"|got invalid|of )/s.exec(message) ?? [];
  return variable === undefined ? {} : { argument: at ?? variable };
}

/**
 * The one place where errors become GraphQL errors: an {@link AppError} keeps its message and code, what GraphQL itself
 * says of a malformed operation passes, anything else is logged and becomes `INTERNAL_SERVER_ERROR`. Never a stack.
 */
export function formatError(logger: Logger) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const { message, locations, path } = formatted;
    const place = { ...(locations ? { locations } : {}), ...(path ? { path } : {}) };
    const cause = causeOf(error);
    if (cause instanceof OutageError) logger.warn({ err: cause, path }, 'Request:Outage');
    if (cause instanceof AppError) return { message: cause.message, ...place, extensions: extensionsOf(cause) };
    const code = formatted.extensions?.['code'];
    if (typeof code === 'string' && code !== INTERNAL) {
      return { message, ...place, extensions: { code, ...argumentOf(message) } };
    }
    logger.error({ err: cause, path }, 'Request:Failed');
    return {
      message: 'The service failed to answer; its log has the reason.',
      ...place,
      extensions: { code: INTERNAL },
    };
  };
}
