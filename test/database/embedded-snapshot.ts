import { MIGRATIONS_DIR, readMigrations } from '../../src/database/migrate.ts';
import { migratedSnapshot } from './test-database.ts';

/** Before all test files: makes the snapshot that they load, so that none of them waits for it within its own time limit. */
export async function setup(): Promise<void> {
  if (!process.env['DATABASE_URL']) await migratedSnapshot(await readMigrations(MIGRATIONS_DIR));
}
