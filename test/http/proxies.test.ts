import type { IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrustedProxies } from '../../src/http/trusted-proxies.ts';
import { requestFacts } from '../../src/logging.ts';
import { currentRequest, onBehalfOf } from '../../src/request-scope.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

const asked = (remoteAddress: string, headers: Record<string, string>): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '::1']);
  it.each([
    ['10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '203.0.113.7, 10.9.9.9', '203.0.113.7'],
    ['::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['::1', '2001:db8::7', '2001:db8::7'],
    ['192.0.2.1', '203.0.113.7', '192.0.2.1'],
    ['10.0.0.1', 'nonsense', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
  ])('is what a trusted proxy says: from %s for %s it is %s', (from, forwarded, client) => {
    expect(proxies.clientOf(asked(from, { 'x-forwarded-for': forwarded }))).toBe(client);
  });

  it('makes host and protocol those of a trusted proxy alone', () => {
    const headers = { host: 'inner', 'x-forwarded-host': 'maps.example', 'x-forwarded-proto': 'https' };
    expect(proxies.addressedAs(asked('10.0.0.1', headers))).toEqual({ protocol: 'https', host: 'maps.example' });
    expect(proxies.addressedAs(asked('192.0.2.1', headers))).toEqual({ protocol: 'http', host: 'inner' });
  });
});

describe('behind a proxy', () => {
  let test: ServedApp;
  beforeAll(async () => {
    test = await openServedApp({ TERRAQL_TRUSTED_PROXIES: '127.0.0.1', TERRAQL_ALLOWED_HOSTS: 'maps.example' });
  });
  afterAll(() => test.close());

  it('links have the address that clients see, which must be an allowed one', async () => {
    const ask = (host: string) =>
      fetch(`${test.url}/tiles/features.json`, { headers: { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' } });
    const { tiles } = (await (await ask('maps.example')).json()) as { tiles: string[] };
    expect(tiles).toEqual(['https://maps.example/tiles/features/{z}/{x}/{y}.mvt']);
    expect((await ask('evil.example')).status).toBe(421);
  });

  it('every answer has an identifier: that of the proxy, or its own', async () => {
    const idOf = async (headers: Record<string, string>, path = '/tiles/features.json') =>
      (await fetch(`${test.url}${path}`, { headers })).headers.get('x-request-id');
    expect(await idOf({ 'x-request-id': 'abc-1' })).toBe('abc-1');
    expect(await idOf({ 'x-request-id': 'two words' })).toMatch(/^[0-9a-f-]{36}$/);
    for (const path of ['/healthz', '/nowhere', '/graphql?query=%7B', '/features.csv?x=1']) {
      expect(await idOf({}, path)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('answers carry security headers', async () => {
    const { headers } = await fetch(`${test.url}/healthz`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
});

it('log lines of a request have its identifier', async () => {
  const lines: string[] = [];
  const stream = new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) });
  const logger = pino({ mixin: requestFacts }, stream);
  await onBehalfOf({ requestId: 'abc', address: '192.0.2.1' }, async () => {
    await Promise.resolve();
    logger.info('Inside:Request');
    expect(currentRequest()?.address).toBe('192.0.2.1');
  });
  logger.info('Outside:Request');
  expect(lines.map((line) => (JSON.parse(line) as { requestId?: string }).requestId)).toEqual(['abc', undefined]);
});
