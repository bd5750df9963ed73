import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.ts';

/** Folder of this version's migrations, the same from the sources and from the build. */
export const MIGRATIONS_DIR = path.resolve(import.meta.dirname, '../../prisma/migrations');

/** A session of an engine; all statements run on the same connection. */
export interface MigrationSession {
  /** Runs SQL of any number of statements, without parameters. */
  script(sql: string): Promise<void>;
  query(sql: string, parameters: readonly unknown[]): Promise<unknown[]>;
}

/** A migration as shipped. */
export interface Migration {
  /** Name of its folder, `NNNN_what`; migrations are applied in the order of their names. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the SQL with Unix line ends. */
  readonly checksum: string;
}

/** An applied migration was changed. */
export class MigrationChangedError extends AppError {
  readonly code = 'MIGRATION_CHANGED';
  constructor(
    readonly migration: string,
    applied: string,
    shipped: string,
  ) {
    super(
      `Migration ${migration} was applied with checksum ${applied.slice(0, 12)}, but the shipped file has ${shipped.slice(0, 12)}; ` +
        'an applied migration must not change. Restore it and add a new one.',
    );
  }
}

/** The database was migrated by a newer version of TerraQL. */
export class DatabaseNewerError extends AppError {
  readonly code = 'DATABASE_NEWER';
  constructor(readonly migration: string) {
    super(`The database has migration ${migration}, which this version of TerraQL does not know; use a newer version.`);
  }
}

/** A migration failed and was rolled back. */
export class MigrationFailedError extends AppError {
  readonly code = 'MIGRATION_FAILED';
  constructor(
    readonly migration: string,
    cause: unknown,
  ) {
    super(`Migration ${migration} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** @returns the migrations of a folder, in the order of their names */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const text = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      const sql = text.replaceAll('\r\n', '\n');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Key of the migration's advisory lock: "TerraQL" in ASCII. */
const LOCK = '23752045511332172';

const AppliedRow = z.object({ name: z.string(), checksum: z.string() });

/**
 * Applies each missing migration in its own transaction and records its checksum. Processes that start together wait for
 * one another.
 * @param finish what else must be in order before the database is used; others wait for it too
 * @returns names of the migrations applied now
 * @throws {MigrationChangedError} {@link DatabaseNewerError} {@link MigrationFailedError}
 */
export async function migrate(
  session: MigrationSession,
  migrations: readonly Migration[],
  finish: () => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  await session.query('SELECT pg_advisory_lock($1::bigint)', [LOCK]);
  try {
    await session.script(
      'CREATE TABLE IF NOT EXISTS terraql_migration (name text PRIMARY KEY, checksum text NOT NULL, ' +
        'applied_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP)',
    );
    const rows = z.array(AppliedRow).parse(await session.query('SELECT name, checksum FROM terraql_migration', []));
    const missing = missingMigrations(rows, migrations);
    for (const migration of missing) await apply(session, migration);
    await finish();
    return missing.map(({ name }) => name);
  } finally {
    await session.query('SELECT pg_advisory_unlock($1::bigint)', [LOCK]);
  }
}

function missingMigrations(
  applied: readonly z.infer<typeof AppliedRow>[],
  migrations: readonly Migration[],
): Migration[] {
  const shipped = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of applied) {
    const migration = shipped.get(name);
    if (!migration) throw new DatabaseNewerError(name);
    if (migration.checksum !== checksum) throw new MigrationChangedError(name, checksum, migration.checksum);
    shipped.delete(name);
  }
  return [...shipped.values()];
}

async function apply(session: MigrationSession, { name, sql, checksum }: Migration): Promise<void> {
  await session.script('BEGIN');
  try {
    await session.script(sql);
    await session.query('INSERT INTO terraql_migration (name, checksum) VALUES ($1, $2)', [name, checksum]);
    await session.script('COMMIT');
  } catch (error) {
    await session.script('ROLLBACK');
    throw new MigrationFailedError(name, error);
  }
}
