import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma, type WorkspaceDatabase } from '../../src/database/database.ts';
import { seededRandom } from '../seeded.ts';
import { openTestDatabase } from './test-database.ts';

const ModeRow = z.object({ mode: z.string() });
const MODE = Prisma.sql`SELECT current_setting('plan_cache_mode') AS mode`;

// The embedded engine has no prepared statements of ours.
describe.skipIf(!process.env['DATABASE_URL'])('the planning of a statement', () => {
  let database: Database;
  let requests: WorkspaceDatabase;

  beforeAll(async () => {
    database = await openTestDatabase();
    requests = database.forWorkspace('default');
  });
  afterAll(() => database.close());

  const modeOf = async (planning?: 'each' | 'once'): Promise<string> =>
    (await requests.query(ModeRow, MODE, planning))[0]!.mode;

  it('is done for the values of each call, or once where a statement says so', async () => {
    expect(await modeOf()).toBe('force_custom_plan');
    expect(await modeOf('once')).toBe('force_generic_plan');
    expect(await modeOf()).toBe('force_custom_plan');
  });

  it('is that of no other statement on the same connections, whoever asks first', async () => {
    const random = seededRandom(5);
    const asked = Array.from({ length: 80 }, () => (random() < 0.5 ? ('once' as const) : undefined));
    const modes = await Promise.all(asked.map((planning) => modeOf(planning)));
    expect(modes).toEqual(asked.map((planning) => (planning ? 'force_generic_plan' : 'force_custom_plan')));
  });

  it('is for each call in a transaction that follows', async () => {
    await Promise.all(Array.from({ length: 20 }, () => modeOf('once')));
    const modes = await Promise.all(
      Array.from({ length: 20 }, () => requests.transaction(async (queries) => queries.query(ModeRow, MODE))),
    );
    expect(new Set(modes.map(([row]) => row?.mode))).toEqual(new Set(['force_custom_plan']));
  });
});
