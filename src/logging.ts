import { currentRequest } from './request-scope.ts';
import { pino, type Logger as PinoLogger } from 'pino';

/** The log of a process: JSON lines on standard error, so that standard output stays free for answers. */
export type Logger = PinoLogger;

/**
 * Messages are `Noun:Verb`, facts are fields.
 * @param level least severe level written
 * @param fields added to every line, besides the request that it belongs to
 */
export function createLogger(level: string, fields: () => object = () => ({})): Logger {
  return pino({ level, base: null, mixin: () => ({ ...requestFacts(), ...fields() }) }, pino.destination(2));
}

/** Names the request that a line belongs to. */
export function requestFacts(): object {
  const request = currentRequest();
  return request ? { requestId: request.requestId } : {};
}
