import type { Dispatcher } from 'undici';
import { parseJson } from '../parse-json.ts';
import { plainText } from '../plain-text.ts';
import { EndpointFailure } from './endpoint-pool.ts';
import { ModelRejectedError } from './segmentation-model.ts';

/** Response of a server. */
export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Uint8Array;
}

/** Longest reason that is taken from a server, characters. */
const MAX_REASON = 300;
const NO_REASON = 'without a reason';

/** Header of our own model server's error responses: the error code. */
export const ERROR_CODE = 'Terraql-Error-Code';

/** Maps a response other than 200 to an outage of the server, a failure or crash of its model, or an invalid request. */
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

/** Classifies a failed request: the connection broke during the request, or there was none. */
export function failureOf(cause: unknown): EndpointFailure {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  const brokeOff = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
  return new EndpointFailure(plainText(reasonOf(cause), MAX_REASON), brokeOff ? 'broken' : 'dead');
}

/** As {@link parseJson}. */
export function jsonOf(body: Uint8Array): unknown {
  return parseJson(Buffer.from(body).toString('utf8'));
}

/** The error text of a protocol response, else the beginning of the body. */
export function errorText(body: Uint8Array): string {
  const json = jsonOf(body);
  if (typeof json === 'object' && json !== null && 'error' in json)
    return plainText(String(json.error), MAX_REASON) || NO_REASON;
  return plainText(Buffer.from(body.subarray(0, MAX_REASON)).toString('utf8'), MAX_REASON) || NO_REASON;
}

/** Parses Retry-After, a number of seconds or a date (RFC 9110, 10.2.3), to seconds; null without one. */
function retryAfterS(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
