import pg from 'pg';
import type { Driver, Planning, Statements } from './driver.ts';
import { statementNames } from './server-reader.ts';

const SET_WORKSPACE = "SELECT set_config('terraql.workspace', $1, false)";

/** What a connection was last told. */
interface Told {
  readonly workspace: string;
  readonly planning: Planning;
}

/** @see https://www.postgresql.org/docs/15/runtime-config-query.html#GUC-PLAN-CACHE-MODE */
const PLAN_CACHE_MODE: Readonly<Record<Planning, string>> = { each: 'force_custom_plan', once: 'force_generic_plan' };

/**
 * The connections of requests. Each remembers which workspace it serves and how it plans, and is told only when that changes.
 */
export class RequestPool {
  private readonly told = new WeakMap<pg.PoolClient, Told>();
  private readonly nameOf = statementNames();

  constructor(private readonly pool: pg.Pool) {}

  /** Statements of a workspace. */
  driverFor(workspace: string): Driver {
    const during = <T>(work: (statements: Statements) => Promise<T>, planning: Planning = 'each'): Promise<T> =>
      this.use({ workspace, planning }, (client) => work(this.statementsOn(client)));
    return {
      read: (statement, planning) => during((on) => on.read(statement), planning),
      execute: (statement) => during((on) => on.execute(statement)),
      foreign: (sql, values) => during((on) => on.foreign(sql, values)),
      transaction: (work) => this.use({ workspace, planning: 'each' }, (client) => this.transaction(client, work)),
    };
  }

  private async use<T>(wanted: Told, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken = true;
    // The pool listens to idle connections alone; the statement under way, or the next one, has the error.
    const lost = (): void => undefined;
    client.on('error', lost);
    try {
      await this.tell(client, wanted);
      const done = await work(client);
      broken = false;
      return done;
    } catch (error) {
      // What the server refuses leaves its connection as it was.
      broken = !(error instanceof pg.DatabaseError) && broken;
      throw error;
    } finally {
      client.off('error', lost);
      client.release(broken);
    }
  }

  private async tell(client: pg.PoolClient, wanted: Told): Promise<void> {
    // A new connection plans each time; see `sessionSql`.
    const { workspace, planning } = this.told.get(client) ?? { workspace: null, planning: 'each' };
    if (workspace === wanted.workspace && planning === wanted.planning) return;
    this.told.delete(client);
    if (workspace !== wanted.workspace) await client.query(SET_WORKSPACE, [wanted.workspace]);
    if (planning !== wanted.planning) await client.query(`SET plan_cache_mode = ${PLAN_CACHE_MODE[wanted.planning]}`);
    this.told.set(client, wanted);
  }

  private async transaction<T>(client: pg.PoolClient, work: (statements: Statements) => Promise<T>): Promise<T> {
    await client.query('BEGIN; SET LOCAL statement_timeout = 0');
    try {
      const done = await work(this.statementsOn(client));
      await client.query('COMMIT');
      return done;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private statementsOn(client: pg.PoolClient): Statements {
    return {
      read: async ({ text, values }) => (await answerOf(client, this.nameOf(text, values))).rows,
      execute: async ({ text, values }) => (await answerOf(client, this.nameOf(text, values))).rowCount ?? 0,
      foreign: async (text, values) => (await answerOf(client, { text, values: [...values] })).rows,
    };
  }
}

/**
 * Asks in the driver's callback form: the promise that it makes by itself stays with the connection until the next
 * statement, so that the rows of large answers outlive young garbage collections (a third of a large page's processor time).
 */
function answerOf(client: pg.PoolClient, query: pg.QueryConfig): Promise<pg.QueryResult<object>> {
  return new Promise((resolve, reject) => {
    client.query<object>(query, (error, answer) => {
      if (error) reject(error);
      else resolve(answer);
    });
  });
}
