import type { Readable } from 'node:stream';

/** Bytes of a file; the end is not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a server answered to a request for a range. */
export interface RangeAnswer {
  readonly statusCode: number;
  /** The strong entity tag, quotes included; null for none or a weak one (RFC 9110, 8.8.3). */
  readonly etag: string | null;
  /** `Content-Range` of a 206 or 416: the bytes that follow, and the size of the file. */
  readonly range: { readonly start: number; readonly end: number; readonly sizeBytes: number } | null;
  /** Seconds that the server wants to be left alone; null without a wish. */
  readonly retryAfterS: number | null;
  readonly body: Readable;
}

/** Asks one server for ranges of one file. */
export interface RangeFetcher {
  /** The address without secrets, for messages. */
  readonly name: string;
  /**
   * Sends one request. The caller reads the body or destroys it.
   * @param etag asks for the range of this version only; null for whichever there is
   * @throws {PassingRangeError} when the connection fails; errors of guards as they are
   */
  fetch(range: ByteRange, etag: string | null, signal: AbortSignal): Promise<RangeAnswer>;
  /** Finds the address again after it was refused, for addresses that expire. @returns false when there is no other */
  renew?(): Promise<boolean>;
}

/** Parses `bytes 0-99/1000`, or `bytes * /1000` without a space, of which the range is empty; null for anything else. */
export function parseContentRange(text: string | undefined): RangeAnswer['range'] {
  const found = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(text ?? '');
  if (!found) return null;
  const [, first, last, size] = found;
  const start = Number(first ?? 0);
  return { start, end: last === undefined ? start : Number(last) + 1, sizeBytes: Number(size) };
}

/** A tag that names exact bytes; weak tags and none are null. */
export function strongTag(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]+"$/.test(etag) ? etag : null;
}

/** Seconds of a `Retry-After`, which is a number or a date (RFC 9110, 10.2.3). */
export function parseRetryAfter(text: string | undefined, now: Date): number | null {
  if (text === undefined) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
