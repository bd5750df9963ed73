import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import type { GraphQLSchema, ValidationRule } from 'graphql';
import type { Logger } from '../logging.ts';
import type { RequestContext } from './context.ts';
import { formatError } from './format-error.ts';

export interface GraphqlOptions {
  readonly maxDepth: number;
  /** Turns the sandbox and introspection off. */
  readonly production: boolean;
}

/** A rule that reports too deep an operation as any other validation error; by itself the library's rule throws. */
function depthRule(maxDepth: number): ValidationRule {
  return maxDepthRule({
    n: maxDepth,
    flattenFragments: true,
    onReject: [(context, error) => context?.reportError(error)],
    propagateOnRejection: false,
  });
}

/** The GraphQL server, not started: CSRF prevention on, depth limited, one table of errors. */
export function createGraphqlServer(
  schema: GraphQLSchema,
  logger: Logger,
  { maxDepth, production }: GraphqlOptions,
): ApolloServer<RequestContext> {
  return new ApolloServer<RequestContext>({
    schema,
    csrfPrevention: true,
    introspection: !production,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    validationRules: [depthRule(maxDepth)],
    formatError: formatError(logger),
    logger,
    plugins: [
      production ? ApolloServerPluginLandingPageDisabled() : ApolloServerPluginLandingPageLocalDefault({ embed: true }),
    ],
  });
}
