import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { isIdentifier, uuidV7 } from '../database/sql/identifier.ts';
import { type RequestedFilter, storedFilter } from '../feature/check-filter.ts';
import { FEATURE_SORT_KEYS } from '../feature/feature.filter.ts';
import type { ExportRequest } from './export-request.ts';
import {
  type ClaimedExport,
  EXPORT_STATES,
  type ExportAttempt,
  type ExportQueue,
  type StoredExport,
  type StoredExports,
} from './stored-export.ts';

/** A worker that says nothing for so long has ended. */
const LOST_AFTER_S = 30;

const columns = z.object({
  id: z.string(),
  workspace: z.string(),
  format: z.string(),
  state: z.enum(EXPORT_STATES),
  featuresDone: z.number(),
  featuresTotal: z.number().nullable(),
  leftOut: z.number(),
  sizeBytes: z.number().nullable(),
  sha256: z.string().nullable(),
  failureCode: z.string().nullable(),
  failureMessage: z.string().nullable(),
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
  expiresAt: z.date(),
});

const COLUMNS = Prisma.sql`
  e.id, e.workspace_id AS workspace, e.format, e.state, e.features_done AS "featuresDone", e.features_total AS "featuresTotal",
  e.left_out AS "leftOut", e.size_bytes::float8 AS "sizeBytes", e.sha256, e.failure_code AS "failureCode",
  e.failure_message AS "failureMessage", e.created_at AS "createdAt", e.finished_at AS "finishedAt", e.expires_at AS "expiresAt"`;

function toExport({ failureCode, failureMessage, ...row }: z.infer<typeof columns>): StoredExport {
  const failure = failureCode === null ? null : { code: failureCode, message: failureMessage ?? failureCode };
  return { ...row, failure };
}

const ExportRow = columns.transform(toExport);

const number = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);
const RequestColumn = z
  .object({
    filter: z.record(z.string(), z.unknown()),
    order: z
      .object({ by: z.enum(FEATURE_SORT_KEYS), direction: z.enum(['ASC', 'DESC']) })
      .nullish()
      .transform((order) => order ?? undefined),
    limit: number,
    precision: number,
    simplifyM: number,
    include: z
      .array(z.string())
      .nullish()
      .transform((include) => include ?? undefined),
    crs: z
      .string()
      .nullish()
      .transform((crs) => crs ?? undefined),
  })
  // Checked by the schema's types and by the filter's own rules before it was stored.
  .transform(({ filter, ...request }): ExportRequest => ({
    ...request,
    filter: storedFilter(filter as RequestedFilter),
  }));

const ClaimedRow = columns
  .extend({ attempt: z.number(), request: RequestColumn })
  .transform(({ attempt, request, ...row }): ClaimedExport => ({ ...toExport(row), attempt, request }));

/** The exports of a workspace in the table `export`. */
export class StoredExportRepository implements StoredExports {
  constructor(private readonly database: Queries) {}

  async create(format: string, request: ExportRequest, expiresAt: Date): Promise<StoredExport> {
    const [made] = await this.database.query(
      ExportRow,
      Prisma.sql`
        INSERT INTO export AS e (id, workspace_id, format, request, expires_at)
        VALUES (${uuidV7()}::uuid, ${this.database.workspace}::text, ${format}::text, ${JSON.stringify(request)}::text::jsonb,
                ${expiresAt}::timestamptz)
        RETURNING ${COLUMNS}`,
    );
    if (!made) throw new Error('the database stored an export and did not return it');
    return made;
  }

  async byId(id: string): Promise<StoredExport | null> {
    if (!isIdentifier(id)) return null;
    const [found] = await this.database.query(
      ExportRow,
      Prisma.sql`
        SELECT ${COLUMNS} FROM ${this.database.scope.rows('export')} AS e
        WHERE e.id = ${id}::uuid AND e.expires_at > CURRENT_TIMESTAMP`,
    );
    return found ?? null;
  }

  /** Uses `export_workspace`. */
  list(limit: number): Promise<StoredExport[]> {
    return this.database.query(
      ExportRow,
      Prisma.sql`
        SELECT ${COLUMNS} FROM ${this.database.scope.rows('export')} AS e WHERE e.expires_at > CURRENT_TIMESTAMP
        ORDER BY e.id DESC LIMIT ${limit}::int`,
    );
  }

  async cancel(id: string): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const cancelled = await this.database.execute(
      Prisma.sql`
        UPDATE export AS e SET state = 'CANCELLED', finished_at = CURRENT_TIMESTAMP
        WHERE ${this.database.scope.owns('e')} AND e.id = ${id}::uuid AND e.state IN ('QUEUED', 'RUNNING')`,
    );
    return cancelled > 0;
  }
}

/** The exports of every workspace; a running one is known to go on by `alive_at`. */
export class ExportQueueRepository implements ExportQueue {
  constructor(private readonly database: Queries) {}

  /** Uses `export_due`. */
  async claim(): Promise<ClaimedExport | null> {
    const [claimed] = await this.database.query(
      ClaimedRow,
      Prisma.sql`
        UPDATE export AS e SET state = 'RUNNING', attempt = e.attempt + 1, alive_at = CURRENT_TIMESTAMP, features_done = 0
        WHERE e.id = (
          SELECT due.id FROM export AS due
          WHERE due.state = 'QUEUED'
             OR (due.state = 'RUNNING' AND due.alive_at < CURRENT_TIMESTAMP - ${LOST_AFTER_S}::int * interval '1 second')
          ORDER BY due.id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING ${COLUMNS}, e.attempt, e.request`,
    );
    return claimed ?? null;
  }

  progress(attempt: ExportAttempt, done: number, total: number): Promise<boolean> {
    return this.write(
      attempt,
      Prisma.sql`alive_at = CURRENT_TIMESTAMP, features_done = ${done}::int, features_total = ${total}::int`,
    );
  }

  succeed(
    attempt: ExportAttempt,
    { sizeBytes, sha256, leftOut }: { readonly sizeBytes: number; readonly sha256: string; readonly leftOut: number },
  ): Promise<boolean> {
    return this.write(
      attempt,
      Prisma.sql`state = 'SUCCEEDED', size_bytes = ${sizeBytes}::float8::bigint, sha256 = ${sha256}::text,
        left_out = ${leftOut}::int, finished_at = CURRENT_TIMESTAMP`,
    );
  }

  async fail(
    attempt: ExportAttempt,
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<void> {
    await this.write(
      attempt,
      Prisma.sql`state = 'FAILED', failure_code = ${code}::text, failure_message = ${message}::text, finished_at = CURRENT_TIMESTAMP`,
    );
  }

  async release(attempt: ExportAttempt): Promise<void> {
    await this.write(attempt, Prisma.sql`state = 'QUEUED'`);
  }

  /** Uses `export_expiry`. */
  async dropExpired(): Promise<string[]> {
    const rows = await this.database.query(
      z.object({ id: z.string() }),
      Prisma.sql`DELETE FROM export WHERE expires_at <= CURRENT_TIMESTAMP RETURNING id`,
    );
    return rows.map(({ id }) => id);
  }

  /** @returns whether the attempt is the latest of a running export */
  private async write({ id, attempt }: ExportAttempt, values: Prisma.Sql): Promise<boolean> {
    const written = await this.database.execute(
      Prisma.sql`UPDATE export SET ${values} WHERE id = ${id}::uuid AND attempt = ${attempt}::int AND state = 'RUNNING'`,
    );
    return written > 0;
  }
}
