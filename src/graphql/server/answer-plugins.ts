import type { ApolloServerPlugin } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import type { RequestContext } from '../context.ts';

/** Adds the warnings of a request to `extensions.warnings`. */
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

/** Errors of who asked too much. */
const TOO_MUCH: ReadonlySet<unknown> = new Set(['RATE_LIMITED', 'QUOTA_EXCEEDED']);

/** Status 503, or 429 for who asked too much, where that left nothing to answer with; with Retry-After where that is known. */
export const outagePlugin: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response: { body, http } }) {
        if (body.kind !== 'single') return;
        const { data, errors } = body.singleResult;
        const outage = errors?.find(
          ({ extensions }) => extensions?.['retryable'] === true || TOO_MUCH.has(extensions?.['code']),
        );
        if (!outage || Object.values(data ?? {}).some((value) => value !== null)) return;
        const { code, retryAfterS } = outage.extensions ?? {};
        http.status = TOO_MUCH.has(code) ? 429 : 503;
        if (typeof retryAfterS === 'number') http.headers.set('retry-after', String(retryAfterS));
      },
    };
  },
};

/**
 * Status 200 for a well-formed request whose operation is refused, where the client takes `application/json`: with that
 * media type a status other than 200 could as well come from a proxy. With `application/graphql-response+json` it is 400.
 * @see https://graphql.github.io/graphql-over-http/draft/#sec-application-json
 */
export const legacyStatusPlugin: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response }) {
        if (response.body.kind === 'single' && cannotComeByPost(response.body.singleResult.errors)) return;
        const wellFormed = typeof request.query === 'string' || request.extensions?.['persistedQuery'] !== undefined;
        const accepted = request.http?.headers.get('accept') ?? 'application/json';
        if (response.http.status === 400 && wellFormed && !accepted.includes('application/graphql-response+json')) {
          response.http.status = 200;
        }
      },
    };
  },
};

/** A subscription sent by POST keeps its status, since no answer would ever follow. */
const cannotComeByPost = (errors: readonly GraphQLFormattedError[] | undefined): boolean =>
  errors?.some(({ extensions }) => extensions?.['code'] === 'SUBSCRIPTION_NEEDS_WEBSOCKET') === true;
