import pg from 'pg';
import type { Driver, Statements } from './driver.ts';
import { statementNames } from './server-reader.ts';

const SET_WORKSPACE = "SELECT set_config('terraql.workspace', $1, false)";

/** The connections of requests. Each remembers its workspace and sets it only when it changes. */
export class RequestPool {
  private readonly served = new WeakMap<pg.PoolClient, string>();
  private readonly nameOf = statementNames();

  constructor(private readonly pool: pg.Pool) {}

  /** Statements of a workspace. */
  driverFor(workspace: string): Driver {
    const during = <T>(work: (statements: Statements) => Promise<T>): Promise<T> =>
      this.use(workspace, (client) => work(this.statementsOn(client)));
    return {
      read: (statement) => during((on) => on.read(statement)),
      execute: (statement) => during((on) => on.execute(statement)),
      foreign: (sql, values) => during((on) => on.foreign(sql, values)),
      transaction: (work) => this.use(workspace, (client) => this.transaction(client, work)),
    };
  }

  private async use<T>(workspace: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken = true;
    try {
      if (this.served.get(client) !== workspace) {
        this.served.delete(client);
        await client.query(SET_WORKSPACE, [workspace]);
        this.served.set(client, workspace);
      }
      const done = await work(client);
      broken = false;
      return done;
    } catch (error) {
      // What the server refuses leaves its connection as it was.
      broken = !(error instanceof pg.DatabaseError) && broken;
      throw error;
    } finally {
      client.release(broken);
    }
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
      read: async ({ text, values }) => (await client.query<object>(this.nameOf(text, values))).rows,
      execute: async ({ text, values }) => (await client.query(this.nameOf(text, values))).rowCount ?? 0,
      foreign: async (text, values) => (await client.query<object>(text, [...values])).rows,
    };
  }
}
