import { MIGRATIONS_DIR, readMigrations } from '../../src/database/migrate.ts';
import { extensionsInUse, migratedSnapshot, migratedTemplate } from './test-database.ts';

/**
 * Before all test files: makes what their databases begin with, so that none of them waits for it within its own time limit.
 * @returns removes it after them, where it is not to be kept
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  const url = process.env['DATABASE_URL'];
  if (url) return migratedTemplate(url);
  await migratedSnapshot(await readMigrations(MIGRATIONS_DIR));
  await extensionsInUse();
  return undefined;
}
