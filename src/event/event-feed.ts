import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../database/database.ts';
import type { Logger } from '../logging.ts';
import { cursorOf, type EventPosition, type EventStore, type EventType, type StoredEvent } from './event.ts';
import type { OutboxRepository } from './event.repository.ts';

/** Interval of polling for events that were not visible when they were announced, milliseconds. */
const LOOK_EVERY_MS = 1000;
/** Events read at once. */
const BATCH = 100;

/** Wakes everyone in this process who reads the outbox, whichever process writes it: one listener and one look for all. */
export class EventFeed {
  private readonly readers = new Set<() => void>();
  private readonly closing = new AbortController();
  private newest = '';
  private looking: Promise<void> = Promise.resolve();
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly outbox: Pick<OutboxRepository, 'newest'>,
    private readonly session: Pick<Session, 'listen'>,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const wake = (): void => this.wake();
    this.stopListening = await this.session.listen('terraql_events', { onNotification: wake, onReconnect: wake });
    this.looking = this.look();
  }

  async close(): Promise<void> {
    this.stopListening();
    this.closing.abort();
    this.wake();
    await this.looking;
  }

  /** @param wake called when there may be new events @returns stops it */
  onEvents(wake: () => void): () => void {
    this.readers.add(wake);
    return () => void this.readers.delete(wake);
  }

  /** Events of a workspace behind a position, then those that happen; ends by its `return`. */
  follow(store: EventStore, types: readonly EventType[], after: EventPosition): EventStream {
    const stream = new EventStream(store, types, after, () => stop());
    const stop = this.onEvents(() => stream.wake());
    if (this.closing.signal.aborted) void stream.return();
    else this.closing.signal.addEventListener('abort', () => void stream.return(), { once: true });
    return stream;
  }

  private wake(): void {
    for (const reader of this.readers) reader();
  }

  /** An event becomes visible once all earlier transactions have ended, which is not announced. */
  private async look(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (this.readers.size === 0 || signal.aborted) continue;
      try {
        const newest = await this.outbox.newest();
        const cursor = newest === null ? '' : cursorOf(newest);
        if (cursor !== this.newest) this.wake();
        this.newest = cursor;
      } catch (err) {
        this.logger.warn({ err }, 'Events:Unread');
      }
    }
  }
}

/** Events as they happen, read when their reader asks: one that is slow holds nothing but its position. */
export class EventStream implements AsyncIterableIterator<StoredEvent> {
  private batch: StoredEvent[] = [];
  private ended = false;
  private stale = true;
  private resume: () => void = () => undefined;

  /** @param onEnd called once, after the last reader has left */
  constructor(
    private readonly store: EventStore,
    private readonly types: readonly EventType[],
    private position: EventPosition,
    private readonly onEnd: () => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StoredEvent>> {
    for (;;) {
      const event = this.batch.shift();
      if (this.ended) return { done: true, value: undefined };
      if (event) return { done: false, value: event };
      if (this.stale) await this.read();
      else await new Promise<void>((resolve) => (this.resume = resolve));
    }
  }

  return(): Promise<IteratorResult<StoredEvent>> {
    if (!this.ended) this.onEnd();
    this.ended = true;
    this.resume();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** There may be new events. */
  wake(): void {
    this.stale = true;
    this.resume();
  }

  private async read(): Promise<void> {
    this.stale = false;
    this.batch = await this.store.after(this.position, this.types, BATCH);
    const last = this.batch.at(-1);
    if (last) this.position = last.position;
    if (this.batch.length === BATCH) this.stale = true;
  }
}
