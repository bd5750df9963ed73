import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { type Database, databaseOnPGlite, openDatabase } from '../../src/database/database.ts';
import { inThisThread } from './engine-in-this-thread.ts';
import { raiseWalls } from '../../src/database/row-security.ts';
import { type EmbeddedExtensions, embeddedExtensions, postgisBundle } from '../../src/database/embedded-extensions.ts';
import {
  migrate,
  type Migration,
  MIGRATIONS_DIR,
  type MigrationSession,
  readMigrations,
} from '../../src/database/migrate.ts';

/** Names the database of the run that those of its test files are copies of. */
const TEMPLATE = 'TERRAQL_TEST_TEMPLATE';

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

/** An empty database on the server, with a session on it. */
export async function emptyServerDatabase(url: string) {
  const { href, drop } = await createServerDatabase(url, null);
  const client = new pg.Client({ connectionString: href });
  await client.connect();
  const session: MigrationSession = {
    script: async (sql) => void (await client.query(sql)),
    query: async (sql, parameters) => (await client.query<object>(sql, [...parameters])).rows,
  };
  return { href, drop, session, end: () => client.end() };
}

interface ServerDatabase {
  readonly name: string;
  readonly href: string;
  readonly drop: () => Promise<void>;
}

/** A database on the server: a copy of the run's migrated one where there is that, else empty. */
async function createServerDatabase(
  url: string,
  template: string | null = process.env[TEMPLATE] ?? null,
): Promise<ServerDatabase> {
  const name = `terraql_test_${randomBytes(8).toString('hex')}`;
  await administer(url, template ? `CREATE DATABASE ${name} TEMPLATE ${template}` : `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { name, href: own.href, drop: () => administer(url, `DROP DATABASE ${name} WITH (FORCE)`) };
}

/**
 * Migrates a database on the server once, of which the processes started from here on make copies: PostGIS alone takes
 * ten times as long as a copy.
 * @returns drops it
 */
export async function migratedTemplate(url: string): Promise<() => Promise<void>> {
  const { name, href, drop } = await createServerDatabase(url);
  await (await openDatabase({ databaseUrl: href, dataDir: '' })).close();
  process.env[TEMPLATE] = name;
  return drop;
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

/** The same, embedded whatever DATABASE_URL says. */
export async function openEmbeddedDatabase(): Promise<Database> {
  const migrations = await readMigrations(MIGRATIONS_DIR);
  const pglite = await openEmbedded(migrations);
  return databaseOnPGlite(inThisThread(pglite), migrations, () => pglite.close());
}

async function openEmbedded(migrations: readonly Migration[]): Promise<PGlite> {
  const [loadDataDir, extensions] = await Promise.all([migratedSnapshot(migrations), extensionsInUse()]);
  return PGlite.create({ loadDataDir, extensions });
}

function embeddedSession(pglite: PGlite): MigrationSession {
  return {
    script: async (sql) => void (await pglite.exec(sql)),
    query: async (sql, parameters) => (await pglite.query(sql, [...parameters])).rows,
  };
}

/**
 * A fresh engine takes many seconds to make, most of them for PostGIS. A migrated one is kept under the hash of the
 * migrations, and loaded by every test file.
 */
export async function migratedSnapshot(migrations: readonly Migration[]): Promise<Blob> {
  const hash = createHash('sha256')
    .update(migrations.map(({ checksum }) => checksum).join())
    .digest('hex')
    .slice(0, 16);
  const file = await keptFile(`pglite-walls-${hash}.tar`, async () => {
    const pglite = await PGlite.create({ extensions: await extensionsInUse() });
    const session = embeddedSession(pglite);
    await migrate(session, migrations, async () => void (await raiseWalls(session)));
    const snapshot = await pglite.dumpDataDir('none');
    await pglite.close();
    return Buffer.from(await snapshot.arrayBuffer());
  });
  return new Blob([await readFile(file)]);
}

/** The extensions of an engine; the bundle of PostGIS is kept beside the packages. */
export async function extensionsInUse(): Promise<{ [Name in keyof EmbeddedExtensions]: EmbeddedExtensions[Name] }> {
  return { ...embeddedExtensions(await postgisBundle(KEPT)) };
}

/** Folder of what is kept beside the packages. */
export const KEPT = path.resolve(import.meta.dirname, '../../node_modules/.cache/terraql');

/** Path of a file that is kept beside the packages, made when it is missing. */
async function keptFile(name: string, make: () => Promise<Buffer>): Promise<string> {
  const file = path.join(KEPT, name);
  if (existsSync(file)) return file;
  const bytes = await make();
  await mkdir(path.dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, bytes);
  await rename(partial, file);
  return file;
}
