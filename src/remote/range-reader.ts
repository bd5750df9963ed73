import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { discard } from './guarded-http.ts';
import { PassingRangeError, RemoteChangedError, SourceRefusedError, SourceUnavailableError } from './range-errors.ts';
import type { ByteRange, RangeAnswer, RangeFetcher } from './range-fetcher.ts';

/** The version of a file that is read: nothing else is accepted. */
export interface FileVersion {
  /** Strong, quotes included. */
  readonly etag: string;
  readonly sizeBytes: number;
}

export interface RetryPolicy {
  readonly attempts: number;
  /** Pause before the second attempt; it doubles with each and is shortened by chance, milliseconds. */
  readonly firstPauseMs: number;
  /** Longest pause, and the longest `Retry-After` that is waited for, milliseconds. */
  readonly maxPauseMs: number;
  /** Longest time for one request, milliseconds. */
  readonly requestMs: number;
}

export const RETRY: RetryPolicy = { attempts: 5, firstPauseMs: 200, maxPauseMs: 10_000, requestMs: 120_000 };

/** Status codes that may be gone the next time. */
export const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Status codes of an address that has expired, or whose signature has. */
const EXPIRED = new Set([400, 401, 403]);

/**
 * Reads one range of one version of a file, in several attempts if it must.
 * @throws {RemoteChangedError | SourceRefusedError | SourceUnavailableError}
 */
export async function readRange(
  fetcher: RangeFetcher,
  range: ByteRange,
  version: FileVersion,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let renewed = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptRange(fetcher, range, version, policy, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SourceRefusedError && EXPIRED.has(error.statusCode) && !renewed) {
        renewed = true;
        if (await fetcher.renew?.()) continue;
      }
      if (!(error instanceof PassingRangeError)) throw error;
      const pauseMs = pauseBefore(attempt, error.retryAfterS, policy);
      if (attempt >= policy.attempts || pauseMs === null) {
        throw new SourceUnavailableError(fetcher.name, attempt, error.message, { cause: error });
      }
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** @returns milliseconds; null when the server wants to be left alone for longer than anyone waits */
export function pauseBefore(attempt: number, retryAfterS: number | null, policy: RetryPolicy): number | null {
  if (retryAfterS !== null && retryAfterS * 1000 > policy.maxPauseMs) return null;
  const most = Math.min(policy.maxPauseMs, policy.firstPauseMs * 2 ** (attempt - 1));
  return Math.max((retryAfterS ?? 0) * 1000, most * (0.5 + Math.random() / 2));
}

async function attemptRange(
  fetcher: RangeFetcher,
  range: ByteRange,
  version: FileVersion,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(policy.requestMs)]);
  const answer = await fetcher.fetch(range, version.etag, limited);
  try {
    check(answer, range, version, fetcher.name);
    return await bodyOf(answer, range.end - range.start);
  } finally {
    discard(answer.body);
  }
}

function check(
  { statusCode, etag, range, retryAfterS }: RangeAnswer,
  asked: ByteRange,
  version: FileVersion,
  name: string,
) {
  if (PASSING.has(statusCode)) throw new PassingRangeError(`the server answered ${statusCode}`, retryAfterS);
  if (etag !== null && etag !== version.etag) throw new RemoteChangedError(name, `ETag ${version.etag}, now ${etag}`);
  if (statusCode === 412) throw new RemoteChangedError(name, `ETag ${version.etag}, which it no longer has`);
  if (range !== null && range.sizeBytes !== version.sizeBytes) {
    throw new RemoteChangedError(name, `${version.sizeBytes} bytes, now ${range.sizeBytes}`);
  }
  if (statusCode === 200) throw new SourceRefusedError(name, 200, 'the server answered a range with the whole file');
  if (statusCode !== 206) throw new SourceRefusedError(name, statusCode, `the server answered ${statusCode}`);
  if (range === null || range.start !== asked.start || range.end !== asked.end) {
    const got = range === null ? 'none' : `${range.start} to ${range.end}`;
    throw new SourceRefusedError(
      name,
      206,
      `bytes ${asked.start} to ${asked.end} were asked for; the answer has ${got}`,
    );
  }
}

/** Exactly the announced bytes: more are never read, fewer are another attempt. */
async function bodyOf({ body }: RangeAnswer, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length > length) throw new PassingRangeError(`the answer is longer than ${length} bytes`);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (cause) {
    if (cause instanceof PassingRangeError || cause instanceof AppError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PassingRangeError(`the connection broke after ${filled} of ${length} bytes: ${reason}`, null, { cause });
  }
  if (filled < length) throw new PassingRangeError(`the answer has ${filled} of ${length} bytes`);
  return bytes;
}
