import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';

let test: TestApp;
let listening: Listening;
beforeAll(async () => {
  test = await openTestApp();
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
});
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

/** As a client of ours asks: with the header that a foreign web page cannot send, which GET needs. */
const fetchFn = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), 'apollo-require-preflight': 'yes' } });

/** @see https://graphql.github.io/graphql-over-http/draft/ */
describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${listening.url}/graphql`, fetchFn });

  it('is audited in 61 points', () => expect(audits).toHaveLength(61));

  it.each(audits.map(({ id, name, fn }) => [id, name, fn] as const))('%s %s', async (_id, _name, fn) => {
    const result = await fn();
    expect(result, result.status === 'ok' ? '' : result.reason).toMatchObject({ status: 'ok' });
  });
});
