import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { messages, PGlite } from '@electric-sql/pglite';
import { type Database, openDatabase, Prisma } from '../../src/database/database.ts';
import { postgisBundle } from '../../src/database/embedded-extensions.ts';
import { EngineClient } from '../../src/database/engine-client.ts';
import { openTestApp } from '../api/test-app.ts';
import { writeBlocks } from '../durability/seeded-scene.ts';
import { extensionsInUse, KEPT } from './test-database.ts';

const CountRow = z.object({ count: z.number() });
/** Takes minutes, and is never waited for. */
const ENDLESS = Prisma.sql`SELECT count(*)::float8 AS count FROM generate_series(1, 100000000000)`;
const count = Prisma.sql`SELECT count(*)::float8 AS count FROM kept`;

describe('an embedded engine', () => {
  let dataDir: string;
  let database: Database;
  const restarts: string[] = [];
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-engine-'));
    database = await openDatabase({ dataDir, statementTimeoutS: 2, onRestart: (reason) => restarts.push(reason) });
    await database.execute(Prisma.sql`CREATE TABLE kept (n int)`);
    await database.execute(Prisma.sql`INSERT INTO kept VALUES (1)`);
  }, 300_000);
  afterAll(async () => {
    await database.close();
    await rm(dataDir, { recursive: true });
  });

  it('gives every value as the engine in this thread does, scalars, arrays and texts', async () => {
    const other = await PGlite.create({ extensions: await extensionsInUse() });
    const client = await EngineClient.open(
      { dataDir: await mkdtemp(path.join(tmpdir(), 'terraql-engine-')), bundle: await postgisBundle(KEPT) },
      { statementTimeoutMs: 60_000 },
    );
    const sql =
      `SELECT 1::int4 AS a, 9007199254740993::int8 AS b, 1.5::float8 AS c, 'NaN'::float8 AS d, 1.10::numeric AS e, true AS f,
      NULL::int4 AS g, 'té\n"\\x'::text AS h, '{"a": [1, null]}'::jsonb AS i, '[1]'::json AS j, '2024-02-29 12:00+00'::timestamptz AS k,
      '2024-02-29'::date AS l, '\\xdeadbeef'::bytea AS m, '0199c2a5-7f00-7000-8000-000000000000'::uuid AS n, ARRAY[1, 2, NULL]::int4[] AS o,
      ARRAY['a b', 'c"d', NULL, '']::text[] AS p, ARRAY[1.5, 'Infinity']::float8[] AS q, ARRAY[[1, 2], [3, 4]]::int4[] AS r, '{}'::int8[] AS s,
      ARRAY[true, false] AS t, 'x'::name AS u, 'c'::"char" AS v, '1 2'::int2vector AS w`.replaceAll('\\\\x', '\\x');
    for (const rowMode of ['array', 'object'] as const) {
      expect(await client.query(sql, [], { rowMode })).toEqual(await other.query(sql, [], { rowMode }));
    }
    const given = [[1, 2], 'text', new Date(0), true, null, 1.5, { a: 1 }];
    const echo =
      'SELECT $1::int4[] AS a, $2::text AS b, $3::timestamptz AS c, $4::bool AS d, $5::text AS e, $6::float8 AS f, $7::jsonb AS g';
    expect(await client.query(echo, given)).toEqual(await other.query(echo, given));
    const [mine, theirs] = await Promise.all(
      [client, other].map((one) => one.query('SELECT 1 / 0').catch((error: unknown) => error)),
    );
    expect(mine).toBeInstanceOf(messages.DatabaseError);
    expect(mine).toMatchObject({ code: '22012', severity: 'ERROR', message: (theirs as Error).message });
    await client.close();
    await other.close();
  }, 300_000);

  it('carries out a whole run, from the registered image to its features', async () => {
    const test = await openTestApp({ TERRAQL_NEAR_M: '0' }, async () => ({
      ...database,
      announceClose: () => undefined,
      close: async () => undefined,
    }));
    try {
      const file = path.join(test.root, 'blocks.tif');
      await writeBlocks(file, 64, 1);
      const registered = await test.ask('mutation($path: String!) { registerScene(input: { path: $path }) { id } }', {
        path: file,
      });
      expect(registered.error).toBeNull();
      const input = { sceneId: registered.data.registerScene.id, prompts: ['bright'], scale: 'WINDOWS', waitS: 60 };
      const asked = await test.ask(
        'mutation($input: SegmentInput!) { segment(input: $input) { state featureCount features(first: 3) { nodes { areaM2 geometry } } } }',
        { input },
      );
      expect(asked.error).toBeNull();
      expect(asked.data.segment[0]).toMatchObject({ state: 'SUCCEEDED' });
      expect(asked.data.segment[0].featureCount).toBeGreaterThan(0);
    } finally {
      await test.close();
    }
  }, 120_000);

  it('stops a statement that takes too long, and keeps committed data; the process keeps working', async () => {
    let longestMs = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 10);
    const held = database.query(CountRow, ENDLESS);
    const behind = database.query(CountRow, count);
    await expect(held).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT' });
    expect(await behind).toEqual([{ count: 1 }]);
    clearInterval(beat);
    // Far less than the two seconds that the statement worked.
    expect(longestMs).toBeLessThan(1500);
    expect(restarts).toEqual(['a statement took too long']);
    await database.ping();
  }, 120_000);

  it('rolls a transaction back that is stopped in the middle of a statement', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const stopped = database.transaction(async (queries) => {
      await queries.execute(Prisma.sql`INSERT INTO kept VALUES (2)`);
      setTimeout(() => stop.abort(reason), 100);
      await queries.query(CountRow, ENDLESS);
    }, stop.signal);
    await expect(stopped).rejects.toBe(reason);
    await expect(database.ping()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(await database.query(CountRow, count)).toEqual([{ count: 1 }]);
    await database.ping();
  }, 120_000);

  it('is not ready while a transaction holds it up longer than requests may, and ready again afterwards', async () => {
    const stop = new AbortController();
    const held = database.transaction((queries) => queries.query(CountRow, ENDLESS), stop.signal);
    const ended = expect(held).rejects.toThrow('stopped');
    await expect
      .poll(() => database.ping().catch((error: { code: string }) => error.code), { timeout: 20_000 })
      .toBe('DATABASE_BUSY');
    stop.abort(new Error('stopped'));
    await ended;
    await database.query(CountRow, count);
    await database.ping();
  }, 120_000);

  it('does not begin a transaction that was stopped before', async () => {
    const reason = new Error('stopped');
    const begun = database.transaction((queries) => queries.execute(ENDLESS), AbortSignal.abort(reason));
    await expect(begun).rejects.toBe(reason);
  });

  it('tells listeners and holds its numbers again after a restart', async () => {
    const heard: string[] = [];
    let reconnects = 0;
    await database.session.listen('engine_test', {
      onNotification: (payload) => heard.push(payload),
      onReconnect: () => reconnects++,
    });
    const number = await database.session.holdNumber(7);
    await expect(database.query(CountRow, ENDLESS)).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT' });
    const held = Prisma.sql`
      SELECT count(*)::float8 AS count FROM pg_locks WHERE locktype = 'advisory' AND classid = 7 AND objid = ${number}::bigint`;
    await expect.poll(() => database.query(CountRow, held), { timeout: 60_000 }).toEqual([{ count: 1 }]);
    expect(reconnects).toBe(1);
    await database.execute(Prisma.sql`SELECT pg_notify('engine_test', 'again')`);
    await expect.poll(() => heard, { timeout: 5000 }).toEqual(['again']);
  }, 120_000);
});
