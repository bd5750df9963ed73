import type pg from 'pg';
import type { Prisma } from './generated/client.ts';

/** Runs a statement that reads, and gives its rows as the driver makes them. */
export type ReadRows = (statement: Prisma.Sql) => Promise<unknown[]>;

/**
 * Statements that each connection keeps parsed, at most: what the service asks is put together of few parts, but a client
 * who nests conditions ever differently must not fill the server's memory.
 */
const MAX_PREPARED = 200;

/**
 * Reads straight from the driver, as Prisma would take each value to pieces twice more: a page of a thousand features costs
 * a third. Statements are prepared, and planned for their values each time (`plan_cache_mode` of the sessions): a box may
 * hold one feature or all of them.
 * @see https://node-postgres.com/features/queries#prepared-statements
 */
export function serverReader(pool: pg.Pool): ReadRows {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size === MAX_PREPARED) return known;
    const name = `terraql_${names.size}`;
    names.set(text, name);
    return name;
  };
  return async ({ text, values }) => {
    const name = nameOf(text);
    const { rows } = await pool.query<object>({ text, values: [...values], ...(name === undefined ? {} : { name }) });
    return rows;
  };
}
