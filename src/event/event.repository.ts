import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import {
  EVENT_TYPES,
  EventData,
  type EventPosition,
  type EventStore,
  type EventType,
  type StoredEvent,
} from './event.ts';

const EventRow = z
  .object({
    transaction: z.string(),
    id: z.number(),
    type: z.enum(EVENT_TYPES),
    objectId: z.string(),
    data: EventData,
    at: z.date(),
  })
  .transform(({ transaction, id, ...event }): StoredEvent => ({ position: { transaction, id }, ...event }));

const PositionRow = z.object({ transaction: z.string(), id: z.number() });

/** Transactions below are complete: none of them will add an event. */
const COMPLETE = Prisma.sql`pg_snapshot_xmin(pg_current_snapshot())`;

/** Events of one workspace, in the table `event`. */
export class EventRepository implements EventStore {
  constructor(private readonly database: Pick<Queries, 'query' | 'scope'>) {}

  async end(): Promise<EventPosition> {
    const [row] = await this.database.query(
      PositionRow,
      Prisma.sql`SELECT ${COMPLETE}::text AS transaction, 0::float8 AS id`,
    );
    if (!row) throw new Error('the database has no snapshot');
    return row;
  }

  /** Uses `event_of_workspace`. */
  after({ transaction, id }: EventPosition, types: readonly EventType[], limit: number): Promise<StoredEvent[]> {
    return this.database.query(
      EventRow,
      Prisma.sql`
        SELECT e.transaction::text AS transaction, e.id::float8 AS id, e.type, e.object_id AS "objectId", e.data, e.at
        FROM ${this.database.scope.rows('event')} AS e
        WHERE (e.transaction, e.id) > (${transaction}::text::xid8, ${id}::float8::bigint) AND e.transaction < ${COMPLETE}
          AND e.type = ANY(${`{${types.join(',')}}`}::text::text[])
        ORDER BY e.transaction, e.id LIMIT ${limit}::int`,
    );
  }
}

/** The outbox of all workspaces. */
export class OutboxRepository {
  constructor(private readonly database: Pick<Queries, 'query' | 'execute'>) {}

  /** Position of the newest event that readers can see; null when there is none. Uses `event_newest`. */
  async newest(): Promise<EventPosition | null> {
    const [row] = await this.database.query(
      PositionRow,
      Prisma.sql`
        SELECT e.transaction::text AS transaction, e.id::float8 AS id FROM event AS e
        WHERE e.transaction < ${COMPLETE} ORDER BY e.transaction DESC, e.id DESC LIMIT 1`,
    );
    return row ?? null;
  }

  /** Forgets events. Uses `event_at`. */
  async removeBefore(time: Date): Promise<number> {
    return this.database.execute(Prisma.sql`DELETE FROM event WHERE at < ${time.toISOString()}::text::timestamptz`);
  }
}
