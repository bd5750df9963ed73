import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context.ts';

/** Puts what the client should know of an answer into `extensions.warnings`. */
export const warningsPlugin: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response: { body }, contextValue: { warnings } }) {
        if (body.kind !== 'single' || warnings.size === 0) return;
        const { singleResult } = body;
        singleResult.extensions = { ...singleResult.extensions, warnings: [...warnings] };
      },
    };
  },
};

/**
 * Status 200 for a well-formed request whose operation is refused, where the client takes `application/json`: with that
 * media type a status other than 200 cannot be told from one of a proxy. With `application/graphql-response+json` it is 400.
 * @see https://graphql.github.io/graphql-over-http/draft/#sec-application-json
 */
export const legacyStatusPlugin: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response }) {
        const wellFormed = typeof request.query === 'string' || request.extensions?.['persistedQuery'] !== undefined;
        const accepted = request.http?.headers.get('accept') ?? 'application/json';
        if (response.http.status === 400 && wellFormed && !accepted.includes('application/graphql-response+json')) {
          response.http.status = 200;
        }
      },
    };
  },
};
