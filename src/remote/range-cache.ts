import type { ByteRange } from './range-fetcher.ts';

/** Bytes of a file that were read, or are being read. */
interface Segment extends ByteRange {
  readonly file: string;
  readonly bytes: Promise<Uint8Array>;
}

/** Ranges of remote files that were read last, limited in bytes; shared by all images of a process. */
export class RangeCache {
  /** Least recently used first. */
  private readonly segments = new Set<Segment>();
  private readonly byFile = new Map<string, Set<Segment>>();
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Whether the whole range is held or on its way. */
  has(file: string, range: ByteRange): boolean {
    return this.find(file, range) !== null;
  }

  /** @returns at once null when a part of the range is missing */
  get(file: string, range: ByteRange): Promise<Uint8Array> | null {
    const segment = this.find(file, range);
    if (segment === null) return null;
    this.segments.delete(segment);
    this.segments.add(segment);
    return segment.bytes.then((bytes) => bytes.subarray(range.start - segment.start, range.end - segment.start));
  }

  /** Holds a range from now on; others that want it wait for it. What fails is not kept. */
  add(file: string, range: ByteRange, bytes: Promise<Uint8Array>): void {
    const segment = { file, ...range, bytes };
    const ofFile = this.byFile.get(file) ?? new Set();
    this.byFile.set(file, ofFile.add(segment));
    this.segments.add(segment);
    this.heldBytes += range.end - range.start;
    bytes.catch(() => this.remove(segment));
    for (const oldest of this.segments) {
      if (this.heldBytes <= this.maxBytes || oldest === segment) return;
      this.remove(oldest);
    }
  }

  private find(file: string, { start, end }: ByteRange): Segment | null {
    for (const segment of this.byFile.get(file) ?? []) {
      if (segment.start <= start && end <= segment.end) return segment;
    }
    return null;
  }

  private remove(segment: Segment): void {
    if (!this.segments.delete(segment)) return;
    this.heldBytes -= segment.end - segment.start;
    const ofFile = this.byFile.get(segment.file);
    ofFile?.delete(segment);
    if (ofFile?.size === 0) this.byFile.delete(segment.file);
  }
}
