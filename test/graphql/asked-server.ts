import { HeaderMap, type ApolloServer } from '@apollo/server';
import type { GraphQLSchema } from 'graphql';
import { type ContextParts, createContext, type RequestContext } from '../../src/graphql/context.ts';
import { createGraphqlServer, type GraphqlOptions } from '../../src/graphql/server/server.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import { createLogger } from '../../src/logging.ts';
import type { Services } from '../../src/services.ts';

/** What the body of an answer over HTTP holds, as far as these tests read it. */
export interface HttpAnswer {
  readonly status: number;
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly cost?: { readonly requested: number; readonly maximum: number } };
}

/** A started GraphQL server without a service behind it: it can refuse operations, and answer what needs no data. */
export async function startServer(
  schema: GraphQLSchema,
  options: Partial<GraphqlOptions> = {},
): Promise<ApolloServer<RequestContext>> {
  const defaults = {
    maxDepth: 12,
    maxAliases: 30,
    maxCost: 1000,
    persisted: null,
    production: false,
    rates: NO_RATES,
    refusals: { forbidden: () => undefined },
  };
  const server = createGraphqlServer(schema, createLogger('silent'), { ...defaults, ...options });
  await server.start();
  return server;
}

/** No limits. */
export const NO_RATES = { take: () => Promise.resolve(null) };

/** Operations that need no data never look at it. */
export const CONTEXT: ContextParts = {
  viewer: DEFAULT_VIEWER,
  services: {} as Services,
  limits: { maxPage: 1000, maxVertices: 1000 },
  links: { absolute: (path) => path },
};

/** Sends a body as a client does over HTTP that takes `application/graphql-response+json`. */
export async function post(server: ApolloServer<RequestContext>, body: object): Promise<HttpAnswer> {
  const headers = new HeaderMap([
    ['content-type', 'application/json'],
    ['accept', 'application/graphql-response+json'],
  ]);
  const response = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers, search: '', body },
    context: async () => createContext(CONTEXT),
  });
  if (response.body.kind !== 'complete') throw new Error('an incremental answer');
  return { status: response.status ?? 200, ...(JSON.parse(response.body.string) as object) };
}
