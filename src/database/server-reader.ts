import type pg from 'pg';
import type { Prisma } from './generated/client.ts';

/** Runs a read statement and returns the driver's rows. */
export type ReadRows = (statement: Prisma.Sql) => Promise<unknown[]>;

/**
 * Most prepared statements of a connection: the service's statements are made of few parts, but clients that nest
 * conditions in ever new ways must not fill the server's memory.
 */
const MAX_PREPARED = 200;

/**
 * Names statements, so that connections prepare them. They are planned for their values each time (`plan_cache_mode`): a
 * box may contain one feature or all of them.
 * @see https://node-postgres.com/features/queries#prepared-statements
 */
export function statementNames(): (text: string, values: readonly unknown[]) => pg.QueryConfig {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size === MAX_PREPARED) return known;
    const name = `terraql_${names.size}`;
    names.set(text, name);
    return name;
  };
  return (text, values) => {
    const name = nameOf(text);
    return { text, values: [...values], ...(name === undefined ? {} : { name }) };
  };
}

/**
 * Reads directly from the driver, since Prisma would convert each value twice more: a page of a thousand features costs a
 * third.
 */
export function serverReader(pool: pg.Pool): ReadRows {
  const named = statementNames();
  return async ({ text, values }) => (await pool.query<object>(named(text, values))).rows;
}
