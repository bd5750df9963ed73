import { AsyncLocalStorage } from 'node:async_hooks';

/** The request on whose behalf something is done. */
export interface RequestScope {
  /** In `X-Request-Id` of the answer, and in every log line. */
  readonly requestId: string;
  /** Address of the client, as far as it can be believed. */
  readonly address: string;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** Does `work` and all that it starts on behalf of a request. */
export const onBehalfOf = <T>(scope: RequestScope, work: () => T): T => scopes.run(scope, work);

/** The request that the present work belongs to; undefined outside of requests. */
export const currentRequest = (): RequestScope | undefined => scopes.getStore();
