import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { AllowedHosts, type HostSettings } from '../allowed-hosts.ts';
import { AppError } from '../errors.ts';

/** Who may use the models. */
export interface AccessSettings {
  /** Key that clients send as `Authorization: Bearer …`; undefined: none is asked for. */
  readonly key?: string | undefined;
  /** Names that requests may be addressed to, where no key is asked for; undefined: loopback names alone. */
  readonly hosts?: HostSettings | undefined;
}

/** A request without the key of the server. */
export class ModelServerKeyError extends AppError {
  readonly code = 'UNAUTHENTICATED';
  constructor() {
    super('This model server requires its key; set TERRAQL_MODEL_SERVER_KEY for its clients, too.');
  }
}

const LOOPBACK: HostSettings = { TERRAQL_HOST: '127.0.0.1', TERRAQL_ALLOWED_HOSTS: [], TERRAQL_CORS_ORIGINS: [] };
/** Probes use any name of a process, and have no key. */
const PROBES = new Set(['/v2/health/live', '/v2/health/ready']);
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Requires the key. Without one, requests must be addressed to a name of the server instead, so that no web page
 * reaches it under a name of its own; with a key no page could ask anything.
 */
export function access({ key, hosts = LOOPBACK }: AccessSettings): RequestHandler {
  const names = new AllowedHosts(hosts);
  const wanted = key === undefined ? null : digest(`Bearer ${key}`);
  return (request, response, next) => {
    if (PROBES.has(request.path)) return next();
    if (wanted === null) names.check(request);
    else if (!timingSafeEqual(digest(sent(request)), wanted)) {
      response.set('WWW-Authenticate', 'Bearer realm="TerraQL model server"');
      throw new ModelServerKeyError();
    }
    next();
  };
}

const sent = ({ headers }: Request): string => (headers.authorization ?? '').replace(/^bearer +/i, 'Bearer ');
