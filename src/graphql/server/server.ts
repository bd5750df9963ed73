import 'reflect-metadata';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import type { GraphQLSchema, ValidationRule } from 'graphql';
import type { Logger } from '../../logging.ts';
import { legacyStatusPlugin, outagePlugin, warningsPlugin } from './answer-plugins.ts';
import type { Refusals } from '../../identity/refusals.ts';
import type { RateLimits } from '../../identity/rate-limits.ts';
import type { RequestContext } from '../context.ts';
import { rolePlugin } from './role-plugin.ts';
import { costPlugin } from './cost-plugin.ts';
import { formatError } from './format-error.ts';
import { MAX_TOKENS } from '../request-shape.ts';
import { requestShapePlugin } from './request-shape-plugin.ts';
import { answerTextsPlugin } from '../text-answer/answer-texts-plugin.ts';
import { telemetryPlugin } from './telemetry-plugin.ts';
import { stringifyWithJsonText } from '../text-answer/json-text.ts';
import { persistedOnlyPlugin, persistedOperationsCache, type PersistedOperations } from './persisted-operations.ts';

export interface GraphqlOptions {
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxCost: number;
  /** The only operations that are answered over the network; null: any, and clients may register theirs by hash. */
  readonly persisted: PersistedOperations | null;
  /** What workspaces may use up by the minute. */
  readonly rates: Pick<RateLimits, 'take'>;
  /** Records attempts that were refused. */
  readonly refusals: Pick<Refusals, 'forbidden'>;
  /** Turns introspection off. */
  readonly production: boolean;
  /** Called for each answered operation with its type and the code of its first error, `ok` without one. */
  readonly onOperation?: (type: string, code: string) => void;
}

/** Rules that report as any other validation error; by themselves those of the library throw. */
export function limitRules({ maxDepth, maxAliases }: GraphqlOptions): ValidationRule[] {
  const reporting = { propagateOnRejection: false };
  return [
    maxDepthRule({
      n: maxDepth,
      flattenFragments: true,
      onReject: [(context, error) => context?.reportError(error)],
      ...reporting,
    }),
    maxAliasesRule({ n: maxAliases, onReject: [(context, error) => context?.reportError(error)], ...reporting }),
  ];
}

function plugins({
  maxCost,
  persisted,
  rates,
  refusals,
  onOperation,
}: GraphqlOptions): ApolloServerPlugin<RequestContext>[] {
  return [
    ...(persisted ? [persistedOnlyPlugin(persisted)] : []),
    requestShapePlugin,
    rolePlugin(refusals),
    costPlugin(maxCost, rates),
    warningsPlugin,
    telemetryPlugin(onOperation),
    answerTextsPlugin,
    outagePlugin,
    legacyStatusPlugin,
    // It would be called for every field of every node, for directives that the schema does not have.
    ApolloServerPluginCacheControlDisabled(),
    ApolloServerPluginLandingPageDisabled(),
  ];
}

/** The GraphQL server, not started: CSRF prevention on, operations limited, one table of errors. */
export function createGraphqlServer(
  schema: GraphQLSchema,
  logger: Logger,
  options: GraphqlOptions,
): ApolloServer<RequestContext> {
  const { persisted, production } = options;
  return new ApolloServer<RequestContext>({
    schema,
    csrfPrevention: true,
    introspection: !production,
    hideSchemaDetailsFromClientErrors: production,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: limitRules(options),
    persistedQueries: persisted ? { cache: persistedOperationsCache(persisted) } : {},
    formatError: formatError(logger),
    stringifyResult: (value) => stringifyWithJsonText(value, '\n'),
    logger,
    plugins: plugins(options),
  });
}
