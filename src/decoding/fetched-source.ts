import type { ByteSource } from '../imagery/byte-source.ts';
import type { FetchedRanges, RangesWanted } from './decoder-protocol.ts';
import { ReportedImageError } from './reported-error.ts';

interface Range {
  readonly start: number;
  readonly end: number;
}

/** A file whose bytes the service fetches. One request at a time works on an image, so the answers come in order. */
export class FetchedSource implements ByteSource {
  /** Ranges that came before they were read. */
  private readonly ahead = new Map<string, Uint8Array>();

  /** @param ask sends a message to the service and resolves with its answer */
  constructor(
    readonly sizeBytes: number,
    private readonly ask: (message: RangesWanted) => Promise<FetchedRanges>,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const range = { start: offset, end: Math.min(offset + length, this.sizeBytes) };
    const key = keyOf(range);
    const held = this.ahead.get(key);
    this.ahead.delete(key);
    const [bytes] = held ? [held] : await this.fetch([range]);
    return Uint8Array.from(bytes!); // what comes from another process is a part of a larger buffer
  }

  /** Unread bytes of an earlier call are dropped. */
  async prefetch(ranges: readonly Range[]): Promise<void> {
    this.ahead.clear();
    if (ranges.length === 0) return;
    const fetched = await this.fetch(ranges);
    ranges.forEach((range, i) => this.ahead.set(keyOf(range), fetched[i]!));
  }

  async close(): Promise<void> {
    this.ahead.clear();
  }

  private async fetch(wanted: readonly Range[]): Promise<readonly Uint8Array[]> {
    const answer = await this.ask({ wanted });
    if ('unfetched' in answer) throw new ReportedImageError(answer.unfetched);
    return answer.fetched;
  }
}

const keyOf = ({ start, end }: Range): string => `${start}-${end}`;
