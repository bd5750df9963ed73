import type { Dispatcher } from 'undici';
import { parseJson } from '../parse-json.ts';
import { EndpointFailure } from './endpoint-pool.ts';
import { ModelRejectedError } from './segmentation-model.ts';

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Uint8Array;
}

/** Header of a refusal by our own server: the code of the error that it describes. */
export const ERROR_CODE = 'Terraql-Error-Code';

/** What an answer other than 200 means: an outage of this server, a failure or the end of its model, or a wrong request. */
export function refusalOf(modelId: string, { status, headers, body }: Answer): Error {
  const said = `status ${status}: ${errorText(body)}`;
  const code = headers[ERROR_CODE.toLowerCase()];
  if (code === 'MODEL_CRASHED') return new EndpointFailure(said, 'broken');
  if (code === 'DEADLINE_EXCEEDED') return new EndpointFailure(said, 'late', retryAfterS(headers['retry-after']));
  if (status === 500) return new EndpointFailure(said, 'failed');
  if (status === 429 || status === 503) return new EndpointFailure(said, 'busy', retryAfterS(headers['retry-after']));
  if (status >= 400 && status < 500 && status !== 408 && status !== 425) return new ModelRejectedError(modelId, said);
  return new EndpointFailure(said, 'dead');
}

/** Why a request has no answer: its connection broke off while the server was at work, or there was none. */
export function failureOf(cause: unknown): EndpointFailure {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  const brokeOff = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
  return new EndpointFailure(reasonOf(cause), brokeOff ? 'broken' : 'dead');
}

/** As {@link parseJson}. */
export function jsonOf(body: Uint8Array): unknown {
  return parseJson(Buffer.from(body).toString('utf8'));
}

/** The error of a protocol answer, else the beginning of whatever the server said. */
export function errorText(body: Uint8Array): string {
  const json = jsonOf(body);
  if (typeof json === 'object' && json !== null && 'error' in json) return String(json.error);
  return Buffer.from(body.subarray(0, 200)).toString('utf8').trim() || 'without a reason';
}

/** Seconds of a Retry-After header, which is a number of seconds or a date (RFC 9110, 10.2.3); null without one. */
function retryAfterS(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
