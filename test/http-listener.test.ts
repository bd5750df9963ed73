import { request as send } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, type Listening } from '../src/http/listen.ts';
import { createListener, upgradeWebSockets } from '../src/http-listener.ts';

const BODY_TIMEOUT_MS = 300;
let listening: Listening;
let port = 0;

beforeAll(async () => {
  const router = express();
  router.get('/', (_request, response) => void response.send('whole'));
  router.post('/echo', express.text({ limit: 1e6 }), (request, response) => void response.send(request.body));
  const server = createListener(router, pino({ level: 'silent' }), {
    maxConnections: 20,
    requestTimeoutMs: 60_000,
    bodyTimeoutMs: () => BODY_TIMEOUT_MS,
  });
  upgradeWebSockets(
    server,
    ({ url }) => url === '/socket',
    (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  );
  listening = await listen(server, '127.0.0.1', 0);
  port = Number(new URL(listening.url).port);
});
afterAll(() => listening.stop(0));

/** Sends bytes. @returns all that comes back until the server closes, or for a while */
function raw(bytes: string, { reset = false, ms = 2000 } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes);
      if (reset) setTimeout(() => socket.resetAndDestroy(), Math.random() * 2);
    });
    const stop = setTimeout(() => socket.destroy(), ms);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', (error: NodeJS.ErrnoException) => (text += error.code));
    socket.on('close', () => {
      clearTimeout(stop);
      resolve(text);
    });
  });
}
const alive = async (): Promise<string> => (await fetch(listening.url)).text();
const head = (target: string, upgrade: string, more = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n${more}\r\n`;

describe('an upgrade', () => {
  it.each(['//', '/x', 'http://', 'http://[', '*', '/%zz', '/socket?', 'x'])(
    'to a target that is no socket is refused, and the server lives: %s',
    async (target) => {
      expect(await raw(head(target, 'websocket'))).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(await alive()).toBe('whole');
    },
  );

  it.each(['h2c', 'HTTP/2.0', 'TLS/1.2', 'foo, bar', 'websocket, h2c', ''])(
    'to a protocol that is not served is ignored: %s',
    async (protocol) => {
      expect(await raw(head('/', protocol))).toMatch(/^HTTP\/1\.1 200 OK.*whole$/s);
    },
  );

  it('that is ignored leaves the body, the other headers and the connection as they were', async () => {
    const post = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n';
    const h2c = `${post}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\nfirst`;
    const again = `${post}Connection: close\r\n\r\nother`;
    const answers = await raw(h2c + again);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answers).toMatch(/first.*other$/s);
  });

  it('to the socket is handed over', async () => {
    expect(await raw(head('/socket', 'WebSocket'))).toMatch(/^HTTP\/1\.1 101 /);
  });

  it.each(['/x', '/socket', '//'])('whose client resets the connection harms nobody: %s', async (target) => {
    for (let round = 0; round < 40; round++) await raw(head(target, 'websocket'), { reset: true });
    expect(await alive()).toBe('whole');
  });
});

describe('malformed and foreign requests', () => {
  it.each([
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc',
      /^HTTP\/1\.1 400 /,
    ],
    ['20 kB of headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'an unknown expectation',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 417 /,
    ],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
  ])('are refused, and the server lives: %s', async (_name, bytes, answer) => {
    expect(await raw(bytes)).toMatch(answer);
    expect(await alive()).toBe('whole');
  });

  it('are not reason enough to end when they are reset', async () => {
    for (let round = 0; round < 40; round++) {
      await raw('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', { reset: true });
      await raw('POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n', { reset: true });
    }
    expect(await alive()).toBe('whole');
  });
});

describe('a body', () => {
  it('that comes too slowly ends with 408', async () => {
    const begun = performance.now();
    const answer = await raw(
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\na',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*did not arrive within 0\.3 s/s);
    expect(performance.now() - begun).toBeLessThan(1900);
  });

  it('that is not read is cut off in time, too', async () => {
    const begun = performance.now();
    expect(await raw('POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\na')).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - begun).toBeLessThan(1900);
  });

  it.each([
    ['/echo', 413],
    ['/nowhere', 404],
    ['/', 404],
  ])('that is refused early does not cost the client the answer: %s', async (path, status) => {
    for (let round = 0; round < 10; round++) {
      const answered = await new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'content-type': 'text/plain' };
        const sending = send(`${listening.url}${path}`, { method: 'POST', headers }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        sending.on('error', reject);
        sending.end(Buffer.alloc(4e6, 'x'));
      });
      expect(answered).toBe(status);
    }
  });
});

it('accepts no more connections than allowed, and continues when some are closed', async () => {
  const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  const refused = await Promise.race([
    Promise.any(closed).then(() => true),
    new Promise((r) => setTimeout(r, 2000, false)),
  ]);
  expect(refused).toBe(true);
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  expect(await alive()).toBe('whole');
});
