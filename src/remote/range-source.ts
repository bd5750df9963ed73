import type { ByteSource } from '../imagery/byte-source.ts';
import type { RangeCache } from './range-cache.ts';
import type { ByteRange, RangeFetcher } from './range-fetcher.ts';
import { type FileVersion, readRange, RETRY, type RetryPolicy } from './range-reader.ts';
import type { Turns } from './turns.ts';

/** What all remote files of a process share. */
export interface RangePool {
  readonly cache: RangeCache;
  /** Limits concurrent requests. */
  readonly turns: Turns;
  readonly retry?: RetryPolicy;
  /** Aborts the requests in progress. */
  readonly closing: AbortSignal;
}

/** First read at the beginning of a file, which holds the directories of a COG; doubled while reading continues, bytes. */
export const FIRST_READ_BYTES = 16 * 2 ** 10;
const MAX_READ_AHEAD_BYTES = 4 * 2 ** 20;
/** Ranges that lie no further apart are read in one request, bytes. */
const MAX_GAP_BYTES = 16 * 2 ** 10;
/** Longest range of one request, bytes. */
const MAX_RANGE_BYTES = 8 * 2 ** 20;

/**
 * A remote file that is read by range. All bytes come from the version that was registered: another one is an error, never
 * a mixture.
 */
export class RangeSource implements ByteSource {
  private readAheadBytes = FIRST_READ_BYTES;
  private readUpTo = 0;

  /** @param file names the version in the cache */
  constructor(
    private readonly fetcher: RangeFetcher,
    private readonly version: FileVersion,
    private readonly file: string,
    private readonly pool: RangePool,
  ) {}

  get name(): string {
    return this.fetcher.name;
  }

  get sizeBytes(): number {
    return this.version.sizeBytes;
  }

  /** Gives it the first bytes of the file, which were read when it was found. */
  hold(head: Uint8Array): void {
    this.pool.cache.add(this.file, { start: 0, end: head.length }, Promise.resolve(head));
    this.readUpTo = head.length;
    this.readAheadBytes = 2 * head.length;
  }

  /** Reads ahead while one read follows another, as at the beginning of a COG. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const range = { start: Math.min(offset, this.sizeBytes), end: Math.min(offset + length, this.sizeBytes) };
    if (range.start >= range.end) return new Uint8Array(0);
    const held = this.pool.cache.get(this.file, range);
    if (held) return (await held).slice() as Uint8Array<ArrayBuffer>;
    const follows = range.start <= this.readUpTo + MAX_GAP_BYTES && range.end > this.readUpTo;
    const bytes = await this.load(follows ? this.ahead(range) : range);
    return bytes.slice(0, range.end - range.start) as Uint8Array<ArrayBuffer>;
  }

  /** Reads ranges that lie near each other in one request, and those that lie apart at the same time. */
  async prefetch(ranges: readonly ByteRange[]): Promise<void> {
    const missing = ranges
      .map(({ start, end }) => ({ start, end: Math.min(end, this.sizeBytes) }))
      .filter((range) => range.start < range.end && !this.pool.cache.has(this.file, range));
    const waiting = ranges.map((range) => this.pool.cache.get(this.file, range));
    await Promise.all([...mergeRanges(missing).map((range) => this.load(range)), ...waiting]);
  }

  /** Holds nothing: what is being read may be wanted by another image of the same file. */
  async close(): Promise<void> {}

  private ahead(range: ByteRange): ByteRange {
    const end = Math.max(range.end, range.start + this.readAheadBytes);
    this.readAheadBytes = Math.min(MAX_READ_AHEAD_BYTES, 2 * this.readAheadBytes);
    this.readUpTo = Math.min(end, this.sizeBytes);
    return { start: range.start, end: this.readUpTo };
  }

  private load(range: ByteRange): Promise<Uint8Array> {
    const { cache, turns, retry, closing } = this.pool;
    const bytes = turns.take(() => readRange(this.fetcher, range, this.version, retry ?? RETRY, closing), closing);
    cache.add(this.file, range, bytes);
    return bytes;
  }
}

/** Joins ranges that lie near each other; in ascending order. */
export function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    const near = last && start <= last.end + MAX_GAP_BYTES && Math.max(end, last.end) - last.start <= MAX_RANGE_BYTES;
    if (near) last.end = Math.max(end, last.end);
    else merged.push({ start, end });
  }
  return merged;
}
