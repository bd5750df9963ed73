import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';

/** A file that may be kept by caches and read in parts. */
export interface StoredFile {
  /** Quoted, of the version of the file; see RFC 9110, section 8.8.3. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly contentType: string;
  /** Makes the file; not called for clients that have it already. */
  readonly read: () => Promise<RenderedFile | SlicedFile>;
}

/** A file that is read in parts where it lies. */
export interface SlicedFile {
  readonly bytes: number;
  /** The bytes `[start, end)`. */
  readonly slice: (start: number, end: number) => AsyncIterable<Buffer>;
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
  if (request.method === 'HEAD' || start === end) response.end();
  else await pipeline(Readable.from('pieces' in file ? sliceOf(file, start, end) : file.slice(start, end)), response);
}

/**
 * The part that the client asks for, `[start, end)`. Null for the whole file: when no part is asked for, when the part is
 * of another version, and for several parts or a malformed header, which a server may ignore.
 * @see RFC 9110, section 14.2
 */
function rangeOf(
  request: Asking,
  { bytes }: Pick<RenderedFile, 'bytes'>,
  etag: string,
): readonly [start: number, end: number] | 'UNSATISFIABLE' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) return 'UNSATISFIABLE';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return [ranges[0]!.start, ranges[0]!.end + 1];
}

/** A file in pieces, in order. */
export interface RenderedFile {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
}

const MAX_BYTES = 64 * 1024 ** 2;

/**
 * Files that were drawn lately. Readers of a Cloud Optimized GeoTIFF ask for one file in many ranges, which must not mean
 * drawing it many times. A file larger than all the room is not kept.
 */
export class RenderingCache {
  private readonly files = new LRUCache<string, RenderedFile>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes + 1,
  });

  /** @param key of the file's content @param render makes the file when it is not at hand */
  async get(key: string, render: () => Promise<Buffer[]>): Promise<RenderedFile> {
    const kept = this.files.get(key);
    if (kept) return kept;
    const pieces = await render();
    const file = { pieces, bytes: pieces.reduce((sum, { length }) => sum + length, 0) };
    this.files.set(key, file);
    return file;
  }
}

/** The bytes `[start, end)` of a file, without copies. */
function* sliceOf({ pieces }: RenderedFile, start: number, end: number): Generator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, piece.length)];
    if (from < to) yield piece.subarray(from, to);
    at += piece.length;
  }
}
