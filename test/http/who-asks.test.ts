import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen } from '../../src/http/listen.ts';
import { SOCKET_LIMITS } from '../../src/http/subscription-socket.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

let test: ServedApp;
beforeAll(async () => {
  test = await openServedApp({
    TERRAQL_PUBLIC_URL: 'https://maps.example/terraql',
    TERRAQL_ALLOWED_HOSTS: 'terraql, Inner.Example',
    TERRAQL_CORS_ORIGINS: 'http://localhost:5173',
  });
});
afterAll(() => test.close());

/** Sends a request under a name. */
function addressed(host: string, path = '/graphql?query=%7B__typename%7D'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'apollo-require-preflight': '1' };
    const sending = request(`${test.url}${path}`, { headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sending.on('error', reject).end();
  });
}

/** @returns the status of the refusal, or 101 */
function opened(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${test.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('error', () => undefined);
  });
}

describe('the name that a request is addressed to', () => {
  it.each(['localhost', 'localhost:4000', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '127.9.9.9:1', '[::1]:4000'])(
    'may be that of the machine itself: %s',
    async (host) => expect((await addressed(host)).status).toBe(200),
  );

  it.each(['maps.example', 'maps.example:443', 'terraql:4000', 'inner.example'])(
    'may be configured: %s',
    async (host) => expect((await addressed(host)).status).toBe(200),
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    'maps.example.evil.example',
    '10.0.0.1',
    '127.0.0.1.nip.io',
    'a@localhost',
  ])('may be no other, on any route: %s', async (host) => {
    for (const path of ['/', '/graphql', '/features.csv', '/segmentations/x/mask.png', '/nowhere']) {
      const answer = await addressed(host, path);
      expect([path, answer.status]).toEqual([path, 421]);
      expect(answer.body).toMatch(/HOST_NOT_ALLOWED/);
    }
  });

  it('does not matter to probes', async () => {
    expect((await addressed('10.0.0.7:4000', '/healthz')).status).toBe(200);
    expect((await addressed('10.0.0.7:4000', '/readyz')).status).toBe(200);
  });
});

describe('a WebSocket', () => {
  it.each([
    {},
    { origin: 'https://maps.example' },
    { origin: 'http://localhost:4000', host: 'localhost:4000' },
    { origin: 'http://localhost', host: 'LOCALHOST:80' },
    { origin: 'http://[::1]:4000', host: '[::1]:4000' },
    { origin: 'http://localhost:5173', host: 'localhost:4000' }, // in TERRAQL_CORS_ORIGINS
  ])('is opened for programs and for pages of the service: %s', async (headers) =>
    expect(await opened(headers as Record<string, string>)).toBe(101),
  );

  it('is refused to pages of another port of this machine, as other requests are', async () => {
    expect(await opened({ origin: 'http://localhost:5174', host: 'localhost:4000' })).toBe(403);
    expect(await opened({ origin: 'http://127.0.0.1:4000', host: 'localhost:4000' })).toBe(403);
    expect(await opened({ origin: 'http://localhost' })).toBe(403);
  });

  it.each(['https://evil.example', 'null', 'https://maps.example.evil.example', 'file://localhost', 'x'])(
    'is refused to pages of %s',
    async (origin) => expect(await opened({ origin })).toBe(403),
  );

  it('is refused under a foreign name', async () => expect(await opened({ host: 'evil.example' })).toBe(421));

  it('is cut when it does not answer a ping, and there are so many and no more', async () => {
    const limits = { ...SOCKET_LIMITS, maxSockets: 2, pingMs: 200 };
    const listening = await listen(createHttpServer({ ...test.app }, limits), '127.0.0.1', 0);
    const address = `${listening.url.replace('http', 'ws')}/graphql`;
    const dial = (autoPong: boolean): WebSocket =>
      new WebSocket(address, 'graphql-transport-ws', { autoPong }).on('error', () => undefined);
    const initialised = (socket: WebSocket): Promise<unknown> =>
      new Promise((resolve) => {
        socket.on('open', () => socket.send('{"type":"connection_init"}')).on('message', resolve);
      });
    const [answers, silent] = [dial(true), dial(false)];
    const cut = new Promise((resolve) => silent.on('close', resolve));
    await Promise.all([initialised(answers), initialised(silent)]);
    const third = await new Promise((resolve) =>
      dial(true).on('unexpected-response', (_request, response) => resolve(response.statusCode)),
    );
    expect(third).toBe(503);
    await cut;
    expect(answers.readyState).toBe(WebSocket.OPEN);
    answers.terminate();
    await listening.stop(0);
  });

  it('carries so many subscriptions and no more', async () => {
    const client = createClient({
      url: `${test.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
    });
    const query = 'subscription($id: ID!) { segmentationProgress(id: $id) { id } }';
    const { sceneId, segmentationIds } = await test.segment(['bright']);
    let go = (): void => undefined;
    test.model.gate = new Promise((resolve) => (go = resolve));
    try {
      const asked = await test.ask('mutation($input: SegmentInput!) { segment(input: $input) { id } }', {
        input: { sceneId, prompts: ['dark'], force: true },
      });
      const { id } = asked.data.segment[0];
      const codes: unknown[] = [];
      let answers = 0;
      for (let count = 0; count < 300; count++) {
        client.subscribe(
          { query, variables: { id } },
          {
            next: () => (answers += 1),
            error: (errors) => codes.push((errors as { extensions?: { code?: string } }[])[0]?.extensions?.code),
            complete: () => undefined,
          },
        );
      }
      while (codes.length < 200) await wait(20);
      await vi.waitFor(() => expect(answers).toBeGreaterThanOrEqual(100), { timeout: 30_000 });
      expect(codes).toEqual(Array.from({ length: 200 }, () => 'TOO_MANY_SUBSCRIPTIONS'));
    } finally {
      go();
      await client.dispose();
    }
    expect(segmentationIds).toHaveLength(1);
  });
});
