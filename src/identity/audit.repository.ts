import { z } from 'zod';
import { CountRow } from '../database/sql/count-row.ts';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import { type KeysetColumns, keysetSql, pageOf } from '../database/sql/keyset.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import type { AuditEntry, AuditFilter, AuditStore, NewAuditEntry } from './audit.ts';

const AuditRow = z.object({
  id: z.string(),
  at: z.date(),
  subject: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  requestId: z.string(),
  address: z.string(),
}) satisfies z.ZodType<AuditEntry>;

const NEWEST: KeysetColumns = { name: 'audit', id: Prisma.sql`a.id`, key: null, descending: true };

/** Records of one workspace, in the table `audit`. */
export class AuditRepository implements AuditStore {
  constructor(
    private readonly queries: Pick<Queries, 'query' | 'execute'>,
    private readonly workspace: string,
  ) {}

  /** Uses `audit_newest`. */
  async list(filter: AuditFilter, page: PageRequest): Promise<CountedPage<AuditEntry>> {
    const condition = this.conditionOf(filter);
    const { between, orderBy, limit } = keysetSql(NEWEST, page);
    const rows = await this.queries.query(
      AuditRow,
      Prisma.sql`
        SELECT a.id, a.at, a.subject, a.action, a.target, a.request_id AS "requestId", a.address
        FROM audit AS a WHERE ${condition} AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int`,
    );
    return {
      ...pageOf(rows, page, NEWEST.name, (node) => ({ node, position: { value: null, id: node.id } })),
      totalCount: async () => {
        const statement = Prisma.sql`SELECT count(*)::float8 AS count FROM audit AS a WHERE ${condition}`;
        return (await this.queries.query(CountRow, statement))[0]?.count ?? 0;
      },
    };
  }

  async add(entries: readonly NewAuditEntry[]): Promise<void> {
    const rows = JSON.stringify(entries.map((entry) => ({ ...entry, id: uuidV7() })));
    await this.queries.execute(Prisma.sql`
      INSERT INTO audit (id, workspace_id, subject, role, action, target, request_id, address)
      SELECT e.id, ${this.workspace}::text, e.subject, e.role, e.action, e.target, e."requestId", e.address
      FROM jsonb_to_recordset(${rows}::text::jsonb)
        AS e (id uuid, subject text, role text, action text, target text, "requestId" text, address text)`);
  }

  private conditionOf({ subject, action, target }: AuditFilter): Prisma.Sql {
    const equal = [
      ...(subject === undefined ? [] : [Prisma.sql`a.subject = ${subject}::text`]),
      ...(action === undefined ? [] : [Prisma.sql`a.action = ${action}::text`]),
      ...(target === undefined ? [] : [Prisma.sql`a.target = ${target}::text`]),
    ];
    return Prisma.join([Prisma.sql`a.workspace_id = ${this.workspace}::text`, ...equal], ' AND ');
  }
}

const DAY_MS = 86_400_000;

/** Removes records of every workspace that are older than so many days. Uses `audit_at`. */
export async function removeOldRecords(queries: Pick<Queries, 'execute'>, days: number): Promise<void> {
  const oldest = new Date(Date.now() - days * DAY_MS).toISOString();
  await queries.execute(Prisma.sql`DELETE FROM audit WHERE at < ${oldest}::text::timestamptz`);
}
