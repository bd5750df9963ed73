import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';

const INTERNAL: string = ApolloServerErrorCode.INTERNAL_SERVER_ERROR;

/** The error as one that refuses a whole operation, before any of it runs. */
export function refusal(error: AppError): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { code: error.code, http: { status: 400 } },
  });
}

function causeOf(error: unknown): unknown {
  const thrown = unwrapResolverError(error);
  return thrown instanceof Error && thrown.cause instanceof AppError ? thrown.cause : thrown;
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
    if (cause instanceof AppError) return { message: cause.message, ...place, extensions: { code: cause.code } };
    const code = formatted.extensions?.['code'];
    if (typeof code === 'string' && code !== INTERNAL) {
      return { message, ...place, extensions: { code } };
    }
    logger.error({ err: cause, path }, 'Request:Failed');
    return {
      message: 'The service failed to answer; its log has the reason.',
      ...place,
      extensions: { code: INTERNAL },
    };
  };
}
