import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  DatabaseNewerError,
  migrate,
  type Migration,
  MIGRATIONS_DIR,
  MigrationChangedError,
  MigrationFailedError,
  type MigrationSession,
  readMigrations,
} from '../../src/database/migrate.ts';
import { openMigrationSession } from './test-database.ts';

let session: MigrationSession;
let close: () => Promise<void>;
let shipped: Migration[];

beforeAll(async () => {
  shipped = await readMigrations(MIGRATIONS_DIR);
  ({ session, close } = await openMigrationSession());
});
afterAll(() => close());
beforeEach(async () => {
  await session.script('DROP TABLE IF EXISTS first_thing, second_thing');
  await session.query("DELETE FROM terraql_migration WHERE name >= '9'", []);
});

const extra = (name: string, sql: string, checksum = `checksum of ${name}`): Migration => ({ name, sql, checksum });
const first = extra('9001_first', 'CREATE TABLE first_thing (id int); INSERT INTO first_thing VALUES (1)');
const second = extra('9002_second', 'CREATE TABLE second_thing AS SELECT id FROM first_thing');

async function exists(table: string): Promise<boolean> {
  const [row] = await session.query('SELECT to_regclass($1) IS NOT NULL AS present', [table]);
  return z.object({ present: z.boolean() }).parse(row).present;
}

describe('migrate', () => {
  it('applies what is missing, in order, once', async () => {
    expect(await migrate(session, [...shipped, first, second])).toEqual(['9001_first', '9002_second']);
    expect(await migrate(session, [...shipped, first, second])).toEqual([]);
    expect(await session.query('SELECT id FROM second_thing', [])).toEqual([{ id: 1 }]);
  });

  it('refuses an applied migration that has changed, by name, and applies nothing', async () => {
    await migrate(session, [...shipped, first]);
    const changed = [...shipped, { ...first, checksum: 'another' }, second];
    await expect(migrate(session, changed)).rejects.toThrow(MigrationChangedError);
    await expect(migrate(session, changed)).rejects.toThrow(/Migration 9001_first was applied with checksum/);
    expect(await exists('second_thing')).toBe(false);
  });

  it('keeps nothing of a migration that fails, and what came before it', async () => {
    const broken = extra('9002_broken', 'CREATE TABLE second_thing (id int); SELECT 1 / 0');
    await expect(migrate(session, [...shipped, first, broken])).rejects.toThrow(MigrationFailedError);
    expect([await exists('first_thing'), await exists('second_thing')]).toEqual([true, false]);
    expect(await migrate(session, [...shipped, first, second])).toEqual(['9002_second']);
  });

  it('refuses a database that a newer version has migrated', async () => {
    await migrate(session, [...shipped, first]);
    await expect(migrate(session, shipped)).rejects.toThrow(DatabaseNewerError);
  });
});
