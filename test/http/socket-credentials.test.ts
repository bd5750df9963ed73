import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { SOCKET_LIMITS } from '../../src/http/subscription-socket.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

/** Between looks at the credentials of sockets, in this test. */
const RECHECK_MS = 50;

let database: Database;
let test: ServedApp;
let listening: Listening;
beforeAll(async () => {
  database = await openTestDatabase();
  test = await openServedApp({ TERRAQL_AUTH: 'required' }, async () => database);
  const server = createHttpServer(test.app, { ...SOCKET_LIMITS, recheckMs: RECHECK_MS });
  listening = await listen(server, '127.0.0.1', 0);
});
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

const keys = () => test.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' }).apiKeys;

/** A socket with a subscription that stays silent. */
async function subscribed(secret: string) {
  const socket = new WebSocket(`${listening.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise((resolve) => {
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${secret}` } })),
    );
    socket.on('message', resolve);
  });
  const query = 'subscription { segmentationsChanged { cursor } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  return { socket, closed };
}

describe('a socket', () => {
  it('looks at its credential several times in a minute', () => {
    expect(SOCKET_LIMITS.recheckMs).toBeLessThanOrEqual(15_000);
  });

  it('is closed when its key is revoked, and others stay open', async () => {
    const [one, other] = [
      await keys().create({ name: 'one', role: 'viewer', expiresAt: null }),
      await keys().create({ name: 'other', role: 'viewer', expiresAt: null }),
    ];
    const [{ closed }, { socket: open }] = [await subscribed(one.secret), await subscribed(other.secret)];
    await keys().revoke(one.key.id);
    expect(await closed).toEqual({ code: 4401, reason: 'The API key was revoked.' });
    await sleep(3 * RECHECK_MS);
    expect(open.readyState).toBe(WebSocket.OPEN);
    open.terminate();
  });

  it('is closed when its key expires', async () => {
    const expiresAt = new Date(Date.now() + 2500);
    const { secret } = await keys().create({ name: 'short', role: 'viewer', expiresAt });
    const { closed } = await subscribed(secret);
    expect(await closed).toEqual({ code: 4401, reason: `The API key expired at ${expiresAt.toISOString()}.` });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
  });

  it('is closed when another process revokes its key, once what this one keeps of keys is old', async () => {
    const { key, secret } = await keys().create({ name: 'elsewhere', role: 'viewer', expiresAt: null });
    const { closed, socket } = await subscribed(secret);
    await database.execute(Prisma.sql`UPDATE api_key SET revoked_at = now() WHERE id = ${key.id}::uuid`);
    expect(await closed).toEqual({ code: 4401, reason: 'The API key was revoked.' });
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  }, 40_000);
});
