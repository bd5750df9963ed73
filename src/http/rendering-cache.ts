import { LRUCache } from 'lru-cache';

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
export function* sliceOf({ pieces }: RenderedFile, start: number, end: number): Generator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, piece.length)];
    if (from < to) yield piece.subarray(from, to);
    at += piece.length;
  }
}
