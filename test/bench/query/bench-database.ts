import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { openDatabase } from '../../../src/database/database.ts';
import { seedCity } from './seed-city.ts';

const FUNCTIONS = path.resolve(import.meta.dirname, '../postgraphile/functions.sql');

/** A seeded database on a server. */
export interface BenchDatabase {
  readonly url: string;
  /** Drops it, unless it was made to be kept. */
  release(): Promise<void>;
}

/**
 * @param serverUrl of any database of a PostgreSQL server with PostGIS, whose role is a superuser
 * @param keptName of a database that is made if it is not there, and kept; null: one of its own
 */
export async function openBenchDatabase(
  serverUrl: string,
  features: number,
  keptName: string | null,
): Promise<BenchDatabase> {
  const name = keptName ?? `terraql_bench_${process.pid}`;
  const own = new URL(serverUrl);
  own.pathname = `/${name}`;
  const drop = async (): Promise<void> =>
    void (await onServer(serverUrl, (client) =>
      client.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`),
    ));
  const opened = { url: own.href, release: keptName === null ? drop : async () => undefined };
  const isThere = await onServer(serverUrl, (client) =>
    client.query('SELECT FROM pg_database WHERE datname = $1', [name]),
  );
  if (isThere.rowCount === 1) return opened;
  console.log(`storing ${features} features ...`);
  await onServer(serverUrl, async (client) => {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    // For all contenders alike: TerraQL turns it off itself.
    await client.query(`ALTER DATABASE ${pg.escapeIdentifier(name)} SET jit = off`);
  });
  try {
    await fill(own.href, features);
  } catch (error) {
    await drop();
    throw error;
  }
  return opened;
}

async function fill(url: string, features: number): Promise<void> {
  const database = await openDatabase({ databaseUrl: url, dataDir: '' });
  try {
    await onServer(url, async (client) => {
      await seedCity(database, client, features);
      await client.query(await readFile(FUNCTIONS, 'utf8'));
    });
  } finally {
    await database.close();
  }
}

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
