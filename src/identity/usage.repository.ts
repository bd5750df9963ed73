import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { type Amounts, AMOUNTS, type DayUse, type UsageGrouping, type UsageStore } from './usage.ts';

const COLUMNS = Object.values(AMOUNTS);
const SumsRow = z.object({
  day: z.string().nullable(),
  model: z.string().nullable(),
  requests: z.number(),
  cost: z.number(),
  windows: z.number(),
  modelS: z.number(),
  areaKm2: z.number(),
  bytesStored: z.number(),
  bytesSent: z.number(),
}) satisfies z.ZodType<Amounts>;

/** Usage of one workspace, in the table `usage`. */
export class UsageRepository implements UsageStore {
  constructor(
    private readonly queries: Pick<Queries, 'query'>,
    private readonly workspace: string,
  ) {}

  /** Uses the primary key. */
  sums(first: string, last: string, groupBy: ReadonlySet<UsageGrouping>): Promise<z.infer<typeof SumsRow>[]> {
    const sums = Object.entries(AMOUNTS).map(
      ([name, column]) => Prisma.sql`sum(u.${Prisma.raw(column)})::float8 AS ${Prisma.raw(`"${name}"`)}`,
    );
    const [day, model] = [groupBy.has('DAY'), groupBy.has('MODEL')];
    const groups = [...(day ? ['u.day'] : []), ...(model ? ['u.model'] : [])].join(', ');
    return this.queries.query(
      SumsRow,
      Prisma.sql`
        SELECT ${day ? Prisma.sql`u.day::text` : Prisma.sql`NULL::text`} AS day,
               ${model ? Prisma.sql`nullif(u.model, '')` : Prisma.sql`NULL::text`} AS model, ${Prisma.join(sums)}
        FROM usage AS u
        WHERE u.workspace_id = ${this.workspace}::text
          AND u.day BETWEEN ${first}::text::date AND ${last}::text::date
        ${groups === '' ? Prisma.sql`HAVING count(*) > 0` : Prisma.raw(`GROUP BY ${groups} ORDER BY ${groups}`)}`,
    );
  }
}

/**
 * Adds amounts to what workspaces used up; those of workspaces that are gone are dropped. Rows are locked in one order, so
 * that processes wait for each other and never in a circle.
 */
export async function addUsage(queries: Pick<Queries, 'execute'>, uses: readonly DayUse[]): Promise<void> {
  const named = (prefix: string): string =>
    Object.keys(AMOUNTS)
      .map((name) => `${prefix}"${name}"`)
      .join(', ');
  const record = Object.keys(AMOUNTS)
    .map((name) => `"${name}" float8`)
    .join(', ');
  const added = COLUMNS.map((column) => `${column} = u.${column} + excluded.${column}`).join(', ');
  await queries.execute(Prisma.sql`
    INSERT INTO usage AS u (workspace_id, day, model, ${Prisma.raw(COLUMNS.join(', '))})
    SELECT w.id, e.day, e.model, ${Prisma.raw(named('e.'))}
    FROM jsonb_to_recordset(${JSON.stringify(uses)}::text::jsonb)
      AS e (workspace text, day date, model text, ${Prisma.raw(record)})
      JOIN workspace AS w ON w.id = e.workspace
    ORDER BY w.id, e.day, e.model
    ON CONFLICT (workspace_id, day, model) DO UPDATE SET ${Prisma.raw(added)}`);
}
