import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { onBehalfOf } from '../request-scope.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** What a proxy may send as an identifier. */
const IDENTIFIER = /^[\w.:-]{1,100}$/;

/** Gives every answer an `X-Request-Id`: that of a trusted proxy, else a new one. Log lines of the request have it too. */
export function requestId(proxies: TrustedProxies): RequestHandler {
  return (request, response, next) => {
    const sent = proxies.trusts(request) ? request.get('x-request-id') : undefined;
    const id = sent !== undefined && IDENTIFIER.test(sent) ? sent : randomUUID();
    response.set('X-Request-Id', id);
    onBehalfOf({ requestId: id, address: proxies.clientOf(request) }, next);
  };
}
