import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { type Database, databaseOnPGlite, openDatabase } from '../../src/database/database.ts';
import { EMBEDDED_EXTENSIONS } from '../../src/database/embedded-engine.ts';
import {
  migrate,
  type Migration,
  MIGRATIONS_DIR,
  type MigrationSession,
  readMigrations,
} from '../../src/database/migrate.ts';

/**
 * An empty, migrated database of the test file's own: on the server of DATABASE_URL when that is set (a database that is
 * dropped on close), else embedded and in memory. The same tests run on both.
 */
export async function openTestDatabase(): Promise<Database> {
  const url = process.env['DATABASE_URL'];
  return url ? openServerDatabase(url) : openEmbeddedDatabase();
}

/** A session on a migrated database of the test file's own, below Prisma. */
export async function openMigrationSession(): Promise<{ session: MigrationSession; close: () => Promise<void> }> {
  const url = process.env['DATABASE_URL'];
  const migrations = await readMigrations(MIGRATIONS_DIR);
  if (!url) {
    const pglite = await openEmbedded(migrations);
    return { session: embeddedSession(pglite), close: () => pglite.close() };
  }
  const { href, drop } = await createServerDatabase(url);
  const client = new pg.Client({ connectionString: href });
  await client.connect();
  const session: MigrationSession = {
    script: async (sql) => void (await client.query(sql)),
    query: async (sql, parameters) => (await client.query<object>(sql, [...parameters])).rows,
  };
  await migrate(session, migrations);
  return {
    session,
    async close() {
      await client.end();
      await drop();
    },
  };
}

async function openServerDatabase(url: string): Promise<Database> {
  const { href, drop } = await createServerDatabase(url);
  const database = await openDatabase({ databaseUrl: href, dataDir: '' });
  return {
    ...database,
    async close() {
      await database.close();
      await drop();
    },
  };
}

async function createServerDatabase(url: string): Promise<{ href: string; drop: () => Promise<void> }> {
  const name = `terraql_test_${randomBytes(8).toString('hex')}`;
  await administer(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { href: own.href, drop: () => administer(url, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function openEmbeddedDatabase(): Promise<Database> {
  const migrations = await readMigrations(MIGRATIONS_DIR);
  const pglite = await openEmbedded(migrations);
  return databaseOnPGlite(pglite, migrations, () => pglite.close());
}

async function openEmbedded(migrations: readonly Migration[]): Promise<PGlite> {
  return PGlite.create({ loadDataDir: await migratedSnapshot(migrations), extensions: EMBEDDED_EXTENSIONS });
}

function embeddedSession(pglite: PGlite): MigrationSession {
  return {
    script: async (sql) => void (await pglite.exec(sql)),
    query: async (sql, parameters) => (await pglite.query(sql, [...parameters])).rows,
  };
}

/**
 * A fresh engine takes many seconds to make, most of them for PostGIS. A migrated one is kept beside the packages, under
 * the hash of the migrations, and loaded by every test file.
 */
export async function migratedSnapshot(migrations: readonly Migration[]): Promise<Blob> {
  const hash = createHash('sha256')
    .update(migrations.map(({ checksum }) => checksum).join())
    .digest('hex')
    .slice(0, 16);
  const file = path.resolve(import.meta.dirname, `../../node_modules/.cache/terraql/pglite-${hash}.tar.gz`);
  const kept = await readFile(file).catch(() => null);
  if (kept) return new Blob([kept]);
  const pglite = await PGlite.create({ extensions: EMBEDDED_EXTENSIONS });
  await migrate(embeddedSession(pglite), migrations);
  const snapshot = await pglite.dumpDataDir('gzip');
  await pglite.close();
  await mkdir(path.dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, Buffer.from(await snapshot.arrayBuffer()));
  await rename(partial, file);
  return snapshot;
}
