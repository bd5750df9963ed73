import { currentRequest } from './request-scope.ts';
import { pino, type Logger as PinoLogger } from 'pino';

/** The log of a process: JSON lines on standard error, so that standard output stays free for answers. */
export type Logger = PinoLogger;

/** @param level least severe level written; messages are `Noun:Verb`, facts are fields */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, mixin: requestFacts }, pino.destination(2));
}

/** Names the request that a line belongs to. */
export function requestFacts(): object {
  const request = currentRequest();
  return request ? { requestId: request.requestId } : {};
}
