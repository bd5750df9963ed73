import { z } from 'zod';
import { type Connections, Prisma } from '../database/database.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { EventPosition } from '../event/event.ts';
import { StoredFilter } from './stored-filter.ts';
import {
  type DeliveryAnswer,
  type DeliveryQueue,
  type DueDelivery,
  type NewDelivery,
  type Outcome,
  type Recipient,
  WEBHOOK_EVENTS,
} from './webhook.ts';

const RecipientRow = z
  .object({
    id: z.string(),
    workspace: z.string(),
    events: z.array(z.enum(WEBHOOK_EVENTS)),
    filter: StoredFilter.nullable(),
    transaction: z.string(),
    eventId: z.number(),
  })
  .transform(({ transaction, eventId, ...row }): Recipient => ({ ...row, position: { transaction, id: eventId } }));

const DueRow = z
  .object({
    id: z.string(),
    webhookId: z.string(),
    url: z.string(),
    secret: z.string(),
    formerSecret: z.string().nullable(),
    body: z.string(),
    attempts: z.number(),
    firstAttemptAt: z.date(),
    failingSince: z.date().nullable(),
  })
  .transform(({ secret, formerSecret, ...row }): DueDelivery => ({
    ...row,
    secrets: formerSecret === null ? [secret] : [secret, formerSecret],
  }));

/** Answers of a delivery that are kept. */
const KEPT_ANSWERS = 20;

const instant = (time: Date): Prisma.Sql => Prisma.sql`${time.toISOString()}::text::timestamptz`;
const IdRow = z.object({ id: z.string() });

/** The queue of deliveries of all workspaces, in the tables `webhook` and `webhook_delivery`. */
export class DeliveryQueueRepository implements DeliveryQueue {
  constructor(private readonly database: Connections) {}

  recipients(): Promise<Recipient[]> {
    return this.database.query(
      RecipientRow,
      Prisma.sql`
        SELECT w.id, w.workspace_id AS workspace, w.events, COALESCE(v.filter, w.filter) AS filter,
               w.transaction::text AS transaction, w.event_id::float8 AS "eventId"
        FROM webhook AS w LEFT JOIN view AS v ON v.id = w.view_id WHERE w.state = 'ACTIVE' ORDER BY w.id`,
    );
  }

  async plan(
    { id, workspace, position: from }: Recipient,
    to: EventPosition,
    deliveries: readonly NewDelivery[],
    now: Date,
  ): Promise<void> {
    const rows = deliveries.map((delivery) => ({ ...delivery, id: uuidV7() }));
    await this.database.transaction(async (queries) => {
      const moved = await queries.execute(Prisma.sql`
        UPDATE webhook SET transaction = ${to.transaction}::text::xid8, event_id = ${to.id}::float8::bigint
        WHERE id = ${id}::uuid AND state = 'ACTIVE' AND transaction = ${from.transaction}::text::xid8
          AND event_id = ${from.id}::float8::bigint`);
      if (moved === 0 || rows.length === 0) return;
      await queries.execute(Prisma.sql`
        INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, type, object_id, body, due_at, created_at)
        SELECT ${workspace}::text, given.id, ${id}::uuid, given."eventId", given.type, given."objectId", given.body,
               ${instant(now)}, ${instant(now)}
        FROM json_to_recordset(${JSON.stringify(rows)}::text::json)
          AS given(id uuid, "eventId" bigint, type text, "objectId" uuid, body text)
        ORDER BY given.id
        ON CONFLICT (webhook_id, event_id) DO NOTHING`);
    });
  }

  async pause(webhookId: string, reason: string): Promise<void> {
    await this.database.execute(
      Prisma.sql`UPDATE webhook SET state = 'PAUSED', paused_reason = ${reason}::text WHERE id = ${webhookId}::uuid`,
    );
  }

  /** Uses `webhook_delivery_due` and `webhook_delivery_line`. */
  async take(busy: readonly string[], now: Date, leaseUntil: Date): Promise<DueDelivery | null> {
    const [taken] = await this.database.query(
      DueRow,
      Prisma.sql`
        UPDATE webhook_delivery AS d
        SET due_at = ${instant(leaseUntil)}, attempts = d.attempts + 1,
            first_attempt_at = COALESCE(d.first_attempt_at, ${instant(now)})
        FROM webhook AS w
        WHERE w.id = d.webhook_id AND d.id = (
          SELECT n.id FROM webhook_delivery AS n JOIN webhook AS v ON v.id = n.webhook_id AND v.state = 'ACTIVE'
          WHERE n.state = 'WAITING' AND n.due_at <= ${instant(now)} AND n.webhook_id <> ALL(${uuidsSql(busy)})
            AND NOT EXISTS (
              SELECT 1 FROM webhook_delivery AS e
              WHERE e.webhook_id = n.webhook_id AND e.object_id = n.object_id AND e.state = 'WAITING'
                AND e.sequence < n.sequence
            )
          ORDER BY n.due_at, n.sequence LIMIT 1 FOR UPDATE OF n SKIP LOCKED
        )
        RETURNING d.id, w.id AS "webhookId", w.url, w.secret,
                  CASE WHEN w.former_until > ${instant(now)} THEN w.former_secret END AS "formerSecret", d.body, d.attempts,
                  d.first_attempt_at AS "firstAttemptAt", w.failing_since AS "failingSince"`,
    );
    return taken ?? null;
  }

  /** A delivery that was taken or resent in the meantime keeps its state. */
  async record(delivery: DueDelivery, answer: DeliveryAnswer, outcome: Outcome, now: Date): Promise<void> {
    const isFinished = outcome.state !== 'WAITING';
    await this.database.transaction(async (queries) => {
      const written = await queries.query(
        IdRow,
        Prisma.sql`
          UPDATE webhook_delivery AS d
          SET state = ${outcome.state}::text, due_at = ${instant(outcome.dueAt)},
              finished_at = ${isFinished ? instant(now) : Prisma.sql`NULL`},
              answers = (CASE WHEN jsonb_array_length(d.answers) < ${KEPT_ANSWERS}::int THEN d.answers ELSE d.answers - 0 END)
                        || ${JSON.stringify([answer])}::text::jsonb
          WHERE d.id = ${delivery.id}::uuid AND d.state = 'WAITING' AND d.attempts = ${delivery.attempts}::int
          RETURNING d.id`,
      );
      if (written.length === 0) return;
      const { failingSince, pausedReason } = outcome;
      await queries.execute(Prisma.sql`
        UPDATE webhook
        SET failing_since = ${failingSince === null ? Prisma.sql`NULL` : instant(failingSince)},
            state = CASE WHEN ${pausedReason}::text IS NULL THEN state ELSE 'PAUSED' END,
            paused_reason = COALESCE(${pausedReason}::text, paused_reason)
        WHERE id = ${delivery.webhookId}::uuid AND state = 'ACTIVE'`);
    });
  }

  /** Uses `webhook_delivery_finished`. */
  removeFinishedBefore(time: Date): Promise<number> {
    return this.database.execute(Prisma.sql`DELETE FROM webhook_delivery WHERE finished_at < ${instant(time)}`);
  }
}
