import { z } from 'zod';
import { Prisma, type WorkspaceDatabase } from '../database/database.ts';
import { isIdentifier, requireIdentifier, uuidV7 } from '../database/sql/identifier.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { StoredFilter } from './stored-filter.ts';
import {
  type Delivery,
  DELIVERY_STATES,
  type DeliveryState,
  type NewWebhook,
  type Webhook,
  WEBHOOK_EVENTS,
  WEBHOOK_STATES,
  type WebhookStore,
} from './webhook.ts';

const WebhookRow = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.enum(WEBHOOK_EVENTS)),
  filter: StoredFilter.nullable(),
  viewId: z.string().nullable(),
  state: z.enum(WEBHOOK_STATES),
  pausedReason: z.string().nullable(),
  failingSince: z.date().nullable(),
  createdAt: z.date(),
}) satisfies z.ZodType<Webhook>;

const COLUMNS = Prisma.sql`
  w.id, w.url, w.description, w.events, w.filter, w.view_id AS "viewId", w.state, w.paused_reason AS "pausedReason",
  w.failing_since AS "failingSince", w.created_at AS "createdAt"`;

const DeliveryRow = z.object({
  id: z.string(),
  type: z.enum(WEBHOOK_EVENTS),
  body: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: z.number(),
  dueAt: z.date(),
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
  answers: z.array(
    z.object({ at: z.coerce.date(), status: z.number().nullable(), text: z.string(), durationMs: z.number() }),
  ),
}) satisfies z.ZodType<Delivery>;

const DELIVERY_COLUMNS = Prisma.sql`
  d.id, d.type, d.body, d.state, d.attempts, d.due_at AS "dueAt", d.created_at AS "createdAt",
  d.finished_at AS "finishedAt", d.answers`;

/** Webhooks of one workspace, in the tables `webhook` and `webhook_delivery`. */
export class WebhookRepository implements WebhookStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  /** Uses `webhook_of_workspace`. */
  list(): Promise<Webhook[]> {
    return this.database.query(
      WebhookRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('webhook')} AS w ORDER BY w.id`,
    );
  }

  async byId(id: string): Promise<Webhook | null> {
    if (!isIdentifier(id)) return null;
    const [found] = await this.database.query(
      WebhookRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('webhook')} AS w WHERE w.id = ${id}::uuid`,
    );
    return found ?? null;
  }

  async create({ url, description, events, filter, viewId }: NewWebhook, secret: string, by: string): Promise<Webhook> {
    const [made] = await this.database.query(
      WebhookRow,
      Prisma.sql`
        INSERT INTO webhook AS w (workspace_id, id, url, description, events, filter, view_id, secret, created_by)
        VALUES (${this.database.workspace}::text, ${uuidV7()}::uuid, ${url}::text, ${description}::text,
                ${`{${events.join(',')}}`}::text::text[], ${filter === null ? null : JSON.stringify(filter)}::text::jsonb,
                ${viewId}::text::uuid, ${secret}::text, ${by}::text)
        RETURNING ${COLUMNS}`,
    );
    if (!made) throw new Error('the webhook was not stored');
    return made;
  }

  async replaceSecret(id: string, secret: string, formerUntil: Date): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const changed = await this.database.execute(Prisma.sql`
      UPDATE webhook SET former_secret = secret, former_until = ${formerUntil.toISOString()}::text::timestamptz,
                         secret = ${secret}::text
      WHERE ${this.database.scope.owns('webhook')} AND id = ${id}::uuid`);
    return changed > 0;
  }

  async setPaused(id: string, pausedReason: string | null): Promise<Webhook | null> {
    if (!isIdentifier(id)) return null;
    const state = pausedReason === null ? 'ACTIVE' : 'PAUSED';
    const [changed] = await this.database.query(
      WebhookRow,
      Prisma.sql`
        UPDATE webhook AS w SET state = ${state}::text, paused_reason = ${pausedReason}::text, failing_since = NULL
        WHERE ${this.database.scope.owns('w')} AND w.id = ${id}::uuid RETURNING ${COLUMNS}`,
    );
    // What happened while it was paused is planned now, and not with the next event.
    if (changed && pausedReason === null)
      await this.database.execute(Prisma.sql`SELECT pg_notify('terraql_events', '')`);
    return changed ?? null;
  }

  async delete(id: string): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const deleted = await this.database.execute(
      Prisma.sql`DELETE FROM webhook WHERE ${this.database.scope.owns('webhook')} AND id = ${id}::uuid`,
    );
    return deleted > 0;
  }

  /** Uses `webhook_delivery_newest`. */
  deliveries(
    webhookId: string,
    { state, first, after }: { state: DeliveryState | null; first: number; after: string | null },
  ): Promise<Delivery[]> {
    return this.database.query(
      DeliveryRow,
      Prisma.sql`
        SELECT ${DELIVERY_COLUMNS} FROM ${this.database.scope.rows('webhook_delivery')} AS d
        WHERE d.webhook_id = ${webhookId}::uuid AND (${state}::text IS NULL OR d.state = ${state}::text)
          AND (${after}::text IS NULL OR d.id < ${after === null ? null : requireIdentifier('after', after)}::text::uuid)
        ORDER BY d.id DESC LIMIT ${first}::int`,
    );
  }

  resend(ids: readonly string[], now: Date): Promise<Delivery[]> {
    return this.database.query(
      DeliveryRow,
      Prisma.sql`
        UPDATE webhook_delivery AS d
        SET state = 'WAITING', attempts = 0, first_attempt_at = NULL, finished_at = NULL,
            due_at = ${now.toISOString()}::text::timestamptz
        WHERE ${this.database.scope.owns('d')} AND d.id = ANY(${uuidsSql(ids)}) AND d.state <> 'WAITING'
        RETURNING ${DELIVERY_COLUMNS}`,
    );
  }
}
