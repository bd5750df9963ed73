import { z } from 'zod';
import type { OwnerQuery } from '../database/owner-transaction.ts';

/** A table with its columns, except those that the database computes. */
export interface ArchivedTable {
  /** As statements name it. */
  readonly name: string;
  readonly columns: readonly Column[];
}

const Column = z.object({
  name: z.string(),
  /** As a cast names it. */
  type: z.string(),
  isIdentity: z.boolean(),
});
type Column = z.infer<typeof Column>;

/**
 * Tables that are not archived: counters of the present minute, what migrations write, the tables of extensions, and what
 * the queue keeps of itself.
 */
const LEFT_OUT = ['rate_limit', 'terraql_migration', 'terraql_queue.version', 'terraql_queue.queue'];

const TableRow = z.object({ name: z.string(), columns: z.array(Column) });
const ReferenceRow = z.object({ from: z.string(), to: z.string() });

/** Every table that holds what users stored, those first that others refer to. Partitions go with their table. */
export async function archivedTables(query: OwnerQuery): Promise<ArchivedTable[]> {
  const found = z.array(TableRow).parse(
    await query(
      `SELECT c.oid::regclass::text AS name, jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
         'isIdentity', a.attidentity <> '') ORDER BY a.attnum) AS columns
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       WHERE n.nspname IN (current_schema(), 'terraql_queue') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND NOT (c.oid::regclass::text = ANY ($1::text[]))
         AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
       GROUP BY c.oid ORDER BY 1`,
      [`{${LEFT_OUT.join(',')}}`],
    ),
  );
  const references = z.array(ReferenceRow).parse(
    await query(
      `SELECT DISTINCT conrelid::regclass::text AS "from", confrelid::regclass::text AS "to"
       FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid`,
      [],
    ),
  );
  return inOrder(found, references);
}

function inOrder(
  tables: readonly ArchivedTable[],
  references: readonly z.infer<typeof ReferenceRow>[],
): ArchivedTable[] {
  const ordered: ArchivedTable[] = [];
  let waiting = [...tables];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const ready = waiting.filter(({ name }) => !references.some(({ from, to }) => from === name && names.has(to)));
    if (ready.length === 0) throw new Error(`tables refer to each other: ${[...names].join(', ')}`);
    ordered.push(...ready);
    waiting = waiting.filter((table) => !ready.includes(table));
  }
  return ordered;
}

/** Whether a table has rows. @param condition on rows that count */
export async function hasRows(query: OwnerQuery, table: string, condition = 'TRUE'): Promise<boolean> {
  return (await query(`SELECT 1 FROM ${table} WHERE ${condition} LIMIT 1`)).length > 0;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
