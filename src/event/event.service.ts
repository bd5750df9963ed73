import { type EventPosition, type EventStore, type EventType, positionOf, type StoredEvent } from './event.ts';
import type { EventFeed } from './event-feed.ts';

/** Events of one workspace as they happen. */
export class EventService {
  constructor(
    private readonly store: EventStore,
    private readonly feed: Pick<EventFeed, 'follow'>,
  ) {}

  /**
   * Follows events of some types.
   * @param cursor of the last event that the client has; null: only those from now on
   * @param told turns an event into the client's message; null leaves it out
   * @throws {InvalidCursorError}
   */
  async follow<Told>(
    types: readonly EventType[],
    cursor: string | null,
    told: (event: StoredEvent) => Promise<Told | null>,
  ): Promise<AsyncIterableIterator<Told>> {
    const after: EventPosition = cursor === null ? await this.store.end() : positionOf(cursor);
    const stream = this.feed.follow(this.store, types, after);
    // Not a generator function, which could not be ended while it waits for the next event.
    const iterator: AsyncIterableIterator<Told> = {
      [Symbol.asyncIterator]: () => iterator,
      async next() {
        for (;;) {
          const { done, value } = await stream.next();
          if (done) return { done, value: undefined };
          const answer = await told(value);
          if (answer !== null) return { done: false, value: answer };
        }
      },
      async return() {
        await stream.return();
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }
}
