import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { type RenderedFile, sliceOf } from './rendering-cache.ts';

/** A file that may be kept by caches and read in parts. */
export interface StoredFile {
  /** Quoted, of the version of the file; see RFC 9110, section 8.8.3. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly contentType: string;
  /** Makes the file; not called for clients that have it already. */
  readonly read: () => Promise<RenderedFile>;
}

/** For files that never change under their address. */
export const IMMUTABLE = 'private, max-age=31536000, immutable';

/** For what changes under its address: clients ask each time whether it is still the same. */
export const REVALIDATED = 'private, no-cache';

/** Text for an entity tag that tells contents apart: 132 bits of their SHA-256. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}

type Asking = Pick<Request, 'method' | 'headers' | 'fresh' | 'range'>;

/** Answers with a file, whole or by `Range`, or with 304 to a client that has this version. */
export async function sendStoredFile(request: Asking, response: Response, stored: StoredFile): Promise<void> {
  const { etag } = stored;
  response.set('ETag', etag).set('Cache-Control', stored.cacheControl);
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const file = await stored.read();
  response.set('Content-Type', stored.contentType).set('Accept-Ranges', 'bytes');
  const range = rangeOf(request, file, etag);
  if (range === 'UNSATISFIABLE') {
    response.set('Content-Range', `bytes */${file.bytes}`).set('Cache-Control', 'no-store').status(416).end();
    return;
  }
  const [start, end] = range ?? [0, file.bytes];
  if (range) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${file.bytes}`);
  response.set('Content-Length', String(end - start));
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(sliceOf(file, start, end)), response);
}

/**
 * The part that the client asks for, `[start, end)`. Null for the whole file: when no part is asked for, when the part is
 * of another version, and for several parts or a malformed header, which a server may ignore.
 * @see RFC 9110, section 14.2
 */
function rangeOf(
  request: Asking,
  { bytes }: RenderedFile,
  etag: string,
): readonly [start: number, end: number] | 'UNSATISFIABLE' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) return 'UNSATISFIABLE';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return [ranges[0]!.start, ranges[0]!.end + 1];
}
