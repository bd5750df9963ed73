import { request } from 'node:http';
import { createServer } from 'node:http';
import express from 'express';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { checkModelServerExposure } from '../../src/exposure.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { access, type AccessSettings } from '../../src/model-server/access.ts';
import { errorResponse } from '../../src/model-server/error-response.ts';

const KEY = 'a-key-of-sixteen-or-more';
let listening: Listening | null = null;
afterEach(() => listening?.stop(0));

async function statusOf(settings: AccessSettings, path: string, headers: Record<string, string>): Promise<number> {
  const router = express().use(access(settings));
  router.use((_request, response) => void response.json({}));
  router.use(errorResponse(pino({ level: 'silent' })));
  await listening?.stop(0);
  listening = await listen(createServer(router), '127.0.0.1', 0);
  return new Promise((resolve, reject) => {
    request(`${listening!.url}${path}`, { headers }, (response) => resolve(response.resume().statusCode ?? 0))
      .on('error', reject)
      .end();
  });
}

describe('a model server with a key', () => {
  it.each([
    ['/v2', {}, 401],
    ['/v2', { authorization: 'Bearer another-key-of-some-length' }, 401],
    ['/v2', { authorization: `Basic ${KEY}` }, 401],
    ['/v2', { authorization: `Bearer ${KEY}` }, 200],
    ['/metrics', {}, 401],
    ['/v2', { authorization: `bearer ${KEY}`, host: 'gpu1:8000' }, 200],
    ['/v2/health/ready', { host: '10.0.0.7' }, 200],
  ])('answers %s with %s by %i', async (path, headers, status) =>
    expect(await statusOf({ key: KEY }, path, headers)).toBe(status),
  );
});

describe('a model server without a key', () => {
  const hosts = { TERRAQL_HOST: '0.0.0.0', TERRAQL_ALLOWED_HOSTS: ['gpu1'], TERRAQL_CORS_ORIGINS: [] };
  it.each([
    ['localhost', 200],
    ['gpu1:8000', 200],
    ['evil.example', 421],
  ])('answers only to its names: %s', async (host, status) =>
    expect(await statusOf({ hosts }, '/v2', { host })).toBe(status),
  );

  it('is not started where others reach it, unless somebody says so', () => {
    const open = { TERRAQL_HOST: '0.0.0.0', TERRAQL_AUTH: undefined, TERRAQL_MODEL_SERVER_KEY: undefined };
    expect(() => checkModelServerExposure(open)).toThrow(/Set TERRAQL_MODEL_SERVER_KEY here and for the clients/);
    expect(() => checkModelServerExposure({ ...open, TERRAQL_MODEL_SERVER_KEY: KEY })).not.toThrow();
    expect(() => checkModelServerExposure({ ...open, TERRAQL_AUTH: 'off' })).not.toThrow();
    expect(() => checkModelServerExposure({ ...open, TERRAQL_HOST: '127.0.0.1' })).not.toThrow();
  });
});
