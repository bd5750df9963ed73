import type { Logger } from '../logging.ts';
import type { Segmentation } from './segmentation.ts';
import type { SegmentationStore } from './segmentation.store.ts';

/** Whether a segmentation is unfinished. */
const isOpen = ({ state }: Pick<Segmentation, 'state'>): boolean => state === 'QUEUED' || state === 'RUNNING';

/**
 * States of one segmentation as they change. Only the newest is buffered, so a slow reader skips states in between. Ends
 * after the final state, when the segmentation is deleted, or by {@link return}.
 */
export class SegmentationStates implements AsyncIterableIterator<Segmentation> {
  private newest: Segmentation | null = null;
  private ended = false;
  private reader: ((result: IteratorResult<Segmentation>) => void) | null = null;

  /** @param onEnd called once, when the watch ends */
  constructor(private readonly onEnd: () => void) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Segmentation>> {
    if (this.newest) {
      const value = this.newest;
      this.newest = null;
      return Promise.resolve({ done: false, value });
    }
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => (this.reader = resolve));
  }

  return(): Promise<IteratorResult<Segmentation>> {
    this.newest = null;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  push(state: Segmentation): void {
    if (this.ended) return;
    if (this.reader) this.answer({ done: false, value: state });
    else this.newest = state;
  }

  /** A state pushed before can still be read. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
    this.answer({ done: true, value: undefined });
  }

  private answer(result: IteratorResult<Segmentation>): void {
    const reader = this.reader;
    this.reader = null;
    reader?.(result);
  }
}

/**
 * Publishes changes of segmentations, whichever process makes them: one database listener per process, and one read per
 * segmentation for all its watchers.
 */
export class SegmentationEvents {
  private readonly watched = new Map<string, Set<SegmentationStates>>();
  private readonly changed = new Set<string>();
  private reading: Promise<void> | null = null;
  private stop: () => void = () => undefined;

  constructor(
    private readonly store: Pick<SegmentationStore, 'byIds' | 'listen'>,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    this.stop = await this.store.listen({
      onChange: ({ id }) => this.note([id]),
      onGap: () => this.note(this.watched.keys()),
    });
  }

  /** Ends every watch. */
  async close(): Promise<void> {
    this.stop();
    for (const states of [...this.watched.values()].flatMap((all) => [...all])) states.end();
    await this.reading;
  }

  /** The present state of a segmentation and those that follow. */
  watch(id: string): SegmentationStates {
    const states = new SegmentationStates(() => this.leave(id, states));
    const all = this.watched.get(id) ?? new Set();
    this.watched.set(id, all.add(states));
    this.note([id]);
    return states;
  }

  private leave(id: string, states: SegmentationStates): void {
    const all = this.watched.get(id);
    all?.delete(states);
    if (all?.size === 0) this.watched.delete(id);
  }

  private note(ids: Iterable<string>): void {
    for (const id of ids) if (this.watched.has(id)) this.changed.add(id);
    if (this.changed.size > 0) this.reading ??= this.read().finally(() => (this.reading = null));
  }

  private async read(): Promise<void> {
    while (this.changed.size > 0) {
      const ids = [...this.changed];
      this.changed.clear();
      try {
        const rows = new Map((await this.store.byIds(ids)).map((row) => [row.id, row]));
        for (const id of ids) this.tell(id, rows.get(id));
      } catch (error) {
        // Watchers get the next change, or a fresh read after the reconnect.
        this.logger.error({ err: error }, 'Segmentation:Unread');
      }
    }
  }

  private tell(id: string, row: Segmentation | undefined): void {
    for (const states of this.watched.get(id) ?? []) {
      if (row) states.push(row);
      if (!row || !isOpen(row)) states.end();
    }
  }
}
