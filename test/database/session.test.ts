import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from './test-database.ts';

const WAIT = { timeout: 30_000 };
const SPACE = 99;

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const notify = (payload: string) => database.execute(Prisma.sql`SELECT pg_notify('session_test', ${payload}::text)`);

describe('the session of a process', () => {
  it('gives every listener of a channel what is said there, until it stops listening', async () => {
    const heard: [string[], string[]] = [[], []];
    const missed = (): void => undefined;
    const stop = await database.session.listen('session_test', {
      onNotification: (said) => heard[0].push(said),
      onReconnect: missed,
    });
    const stopOther = await database.session.listen('session_test', {
      onNotification: (said) => heard[1].push(said),
      onReconnect: missed,
    });
    await notify('one');
    await expect.poll(() => heard, WAIT).toEqual([['one'], ['one']]);
    stop();
    await notify('two');
    await expect.poll(() => heard, WAIT).toEqual([['one'], ['one', 'two']]);
    stopOther();
  });

  it('takes a number that is its own', async () => {
    const numbers = [await database.session.holdNumber(SPACE), await database.session.holdNumber(SPACE)];
    expect(new Set(numbers).size).toBe(2);
    expect(database.session.isHolding()).toBe(true);
  });

  it.skipIf(!process.env['DATABASE_URL'])(
    'comes back when a server ends its connection: listens and holds again, and says that something was missed',
    async () => {
      const heard: string[] = [];
      let missed = 0;
      await database.session.listen('session_test', {
        onNotification: (said) => heard.push(said),
        onReconnect: () => missed++,
      });
      const number = await database.session.holdNumber(SPACE);
      await database.execute(Prisma.sql`
        SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = ${number}::int`);
      await expect.poll(() => missed, WAIT).toBe(1);
      expect(database.session.isHolding()).toBe(true);
      await notify('back');
      await expect.poll(() => heard, WAIT).toEqual(['back']);
    },
  );
});
