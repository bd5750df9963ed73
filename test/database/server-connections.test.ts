import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, openDatabase, Prisma, type WorkspaceDatabase } from '../../src/database/database.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { openPools, type ServerPools } from '../../src/database/server-pools.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { checkDatabaseUrl } from '../../src/database/server-checks.ts';
import { openTestDatabase } from './test-database.ts';

const NameRow = z.object({ name: z.string() });
const CountRow = z.object({ count: z.number() });
const SLEEP = Prisma.sql`SELECT count(*)::float8 AS count FROM (SELECT pg_sleep(60)) AS slept`;
const ONE = Prisma.sql`SELECT 1::float8 AS count`;
const url = process.env['DATABASE_URL'];

describe('DATABASE_URL', () => {
  it.each([
    ['postgresql://user:p@ss/word@host/db', 'percent-encoded'],
    ['postgres://user:p#ss@host/db', 'percent-encoded'],
    ['postgresql://user:SECRET@host:port/db', 'is not a URL'],
    ['postgresql://user:SECRET@host/db?schema=app', 'search_path'],
  ])('%s is refused, without its password', (wrong, message) => {
    expect(() => checkDatabaseUrl(wrong)).toThrow(message);
    expect(() => checkDatabaseUrl(wrong)).not.toThrow(/SECRET|p@ss|p#ss|word@/);
  });

  it.each([
    'postgresql:///db?host=/run/postgresql',
    'postgres://user:p%40ss@host/db',
    'postgresql://host/db?sslmode=require',
  ])('%s is taken', (right) => expect(() => checkDatabaseUrl(right)).not.toThrow());
});

describe.skipIf(!url)('connections to a server', () => {
  let direct: Database;
  let database: Database;
  let requests: WorkspaceDatabase;
  let proxy: Server;
  let pools: ServerPools;
  let test: TestApp;
  let served: Listening;
  const sockets = new Set<Socket>();
  let hangs = false;

  beforeAll(async () => {
    direct = await openTestDatabase();
    const [{ name }] = (await direct.query(NameRow, Prisma.sql`SELECT current_database()::text AS name`)) as [
      { name: string },
    ];
    const server = new URL(url!);
    // A server that can be made to hang: nothing comes through any more, and no connection is closed.
    proxy = createServer((client) => {
      const own = createConnectionTo(server);
      for (const socket of [client, own]) sockets.add(socket.on('error', () => undefined));
      client.on('data', (data) => hangs || own.write(data)).on('close', () => own.destroy());
      own.on('data', (data) => client.write(data)).on('close', () => client.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const through = new URL(url!);
    through.hostname = '127.0.0.1';
    through.port = String((proxy.address() as { port: number }).port);
    through.pathname = `/${name}`;
    database = await openDatabase({ databaseUrl: through.href, dataDir: '', statementTimeoutS: 20 });
    requests = database.forWorkspace('default');
    pools = openPools(through.href, 'SELECT 1', 20, null, 2000);
    test = await openTestApp({ TERRAQL_WORKER: 'off' }, async () => ({ ...database, close: async () => undefined }));
    served = await listen(createHttpServer(test.app), '127.0.0.1', 0);
  });
  afterAll(async () => {
    hangs = false;
    await served.stop(0);
    await test.close();
    await pools.end();
    for (const socket of sockets) socket.destroy();
    await database.close().catch(() => undefined);
    proxy.close();
    await direct.close();
  });

  it('that requests use up leave runs and readiness alone, and further requests wait ten seconds at most', async () => {
    const stop = new AbortController();
    const held = Array.from({ length: 10 }, () =>
      requests.transaction((queries) => queries.query(CountRow, SLEEP), stop.signal),
    );
    const ended = Promise.allSettled(held);
    await sleep(1000);
    const started = performance.now();
    await database.ping();
    expect(await database.forRuns.query(CountRow, ONE)).toEqual([{ count: 1 }]);
    await database.forRuns.transaction((queries) => queries.query(CountRow, ONE));
    expect(performance.now() - started).toBeLessThan(5000);
    await expect(requests.query(CountRow, ONE)).rejects.toMatchObject({ code: 'DATABASE_BUSY' });
    expect(performance.now() - started).toBeLessThan(20_000);
    stop.abort(new Error('stopped'));
    for (const { status } of await ended) expect(status).toBe('rejected');
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(await requests.query(CountRow, ONE)).toEqual([{ count: 1 }]);
  }, 120_000);

  it('to a server that hangs are given up: readiness within seconds, statements after their time', async () => {
    const readyz = async (): Promise<unknown[]> => {
      const response = await fetch(`${served.url}/readyz`, { signal: AbortSignal.timeout(10_000) });
      return [response.status, await response.json()];
    };
    expect(await readyz()).toEqual([200, { database: true, model: true }]);
    await pools.runs.query('SELECT 1');
    hangs = true;
    const started = performance.now();
    expect(await readyz()).toEqual([503, { database: false, model: true }]);
    await expect(pools.runs.query('SELECT 1')).rejects.toThrow('has not answered for 2 s');
    const pinged = performance.now();
    await expect(database.ping()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(performance.now() - pinged).toBeLessThan(5000);
    await expect(requests.query(CountRow, ONE)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(40_000);
    hangs = false;
    await expect
      .poll(
        () =>
          database.ping().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    expect(await requests.query(CountRow, ONE)).toEqual([{ count: 1 }]);
  }, 120_000);
});

function createConnectionTo(server: URL): Socket {
  return connect({ host: server.hostname, port: Number(server.port || 5432) });
}
