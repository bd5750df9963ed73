import type pg from 'pg';
import { translateOutage } from './database-errors.ts';
import type { EmbeddedClient } from './engine-client.ts';

/** Runs a statement with its own `$1` placeholders. @returns its rows */
export type OwnerQuery = (sql: string, values?: readonly unknown[]) => Promise<object[]>;

/**
 * Runs work in one transaction as the owner of the tables, however long it takes, rolled back when it throws. All of its
 * statements see what was committed when it began.
 * @throws {OutageError} and what `work` throws
 */
export type OwnerTransaction = <T>(work: (query: OwnerQuery) => Promise<T>) => Promise<T>;

const ONE_SNAPSHOT = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ';

/** On the embedded engine, where everything else waits meanwhile. */
export function embeddedOwner(client: Pick<EmbeddedClient, 'transaction'>): OwnerTransaction {
  return async (work) => {
    const done = await client.transaction(async (inner) => {
      await inner.query(ONE_SNAPSHOT);
      return { answer: await work(async (sql, values = []) => (await inner.query<object>(sql, [...values])).rows) };
    });
    return done.answer;
  };
}

/** On a server, on one of the connections of runs. */
export function serverOwner(pool: pg.Pool): OwnerTransaction {
  return async (work) => {
    const client = await pool.connect().catch((error: unknown) => {
      throw translateOutage(error);
    });
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN; ${ONE_SNAPSHOT}`);
      const answer = await work(async (sql, values = []) => (await client.query<object>(sql, [...values])).rows);
      await client.query('COMMIT');
      return answer;
    } catch (error) {
      await client.query('ROLLBACK').catch((failed: Error) => (broken = failed));
      throw translateOutage(error);
    } finally {
      client.release(broken);
    }
  };
}
