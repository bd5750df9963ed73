import { MIGRATIONS_DIR, readMigrations } from '../../src/database/migrate.ts';
import { extensionsInUse, migratedSnapshot } from './test-database.ts';

/** Before all test files: makes what they load, so that none of them waits for it within its own time limit. */
export async function setup(): Promise<void> {
  if (process.env['DATABASE_URL']) return;
  await migratedSnapshot(await readMigrations(MIGRATIONS_DIR));
  await extensionsInUse();
}
