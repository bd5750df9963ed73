import { describe, expect, it } from 'vitest';
import { Prisma } from '../../src/database/database.ts';
import { DatabaseFullError, translateOutage } from '../../src/database/database-errors.ts';
import { OutageError } from '../../src/errors.ts';
import { openTestDatabase } from './test-database.ts';

/** As Prisma's driver adapters wrap the error of a driver. */
const wrapped = (cause: object) =>
  Object.assign(new Error('Raw query failed'), { code: 'P2010', meta: { driverAdapterError: { cause } } });

describe('an error of the database', () => {
  it.each([
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'DATABASE_UNAVAILABLE'],
    ['a server that shuts down', wrapped({ kind: 'postgres', originalCode: '57P01' }), 'DATABASE_UNAVAILABLE'],
    ['a connection that broke', new Error('Connection terminated unexpectedly'), 'DATABASE_UNAVAILABLE'],
    ['a server that does not answer', wrapped({ originalMessage: 'Query read timeout' }), 'DATABASE_UNAVAILABLE'],
    [
      'a server without a free connection',
      wrapped({ kind: 'TooManyConnections', originalCode: '53300' }),
      'DATABASE_BUSY',
    ],
    ['a pool without a free connection', new Error('timeout exceeded when trying to connect'), 'DATABASE_BUSY'],
    ['a deadlock', wrapped({ originalCode: '40P01' }), 'DATABASE_CONFLICT'],
    ['a full disk', wrapped({ originalCode: '53100' }), 'DATABASE_FULL'],
  ])('%s is an outage, worth another try', (_what, error, code) => {
    expect(translateOutage(error)).toMatchObject({ code, retryAfterS: expect.any(Number) });
    expect(translateOutage(new Error('outer', { cause: error }))).toMatchObject({ code });
    expect(translateOutage(error)).toBeInstanceOf(OutageError);
  });

  it('that is translated already stays as it is', () => {
    const full = new DatabaseFullError();
    expect(translateOutage(full)).toBe(full);
  });

  it('that refuses a statement for its data is none, as the database itself throws it', async () => {
    const database = await openTestDatabase();
    try {
      for (const statement of [
        Prisma.sql`SELECT ${'a\0b'}::text`,
        Prisma.sql`SELECT 'x'::int`,
        Prisma.sql`SELECT 1 / (SELECT 0)`,
        Prisma.sql`INSERT INTO mask (segmentation_id) VALUES (NULL)`,
      ]) {
        const error: unknown = await database.execute(statement).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(OutageError);
      }
    } finally {
      await database.close();
    }
  });
});
