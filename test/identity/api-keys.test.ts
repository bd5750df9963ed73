import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { checkExposure } from '../../src/exposure.ts';
import { bearerToken } from '../../src/identity/authenticator.ts';
import { Prisma, type Database } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';

let database: Database;
let test: TestApp;
beforeAll(async () => {
  database = await openTestDatabase();
  test = await openTestApp({ TERRAQL_AUTH: 'required' }, async () => database);
});
afterAll(() => test.close());

const Stored = z.object({ row: z.string(), sha256: z.string() });
const CREATE = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret key { id prefix role } } }';
const viewerOf = (secret: string) => test.app.authenticator.viewerOf({ authorization: `Bearer ${secret}` });

describe('an API key', () => {
  it('is 256 random bits, of which the database holds the hash and the first eight characters', async () => {
    const { data } = await test.ask(CREATE, { input: { name: 'Night jobs', role: 'ANALYST' } });
    const { secret, key } = data.createApiKey;
    expect(secret).toMatch(/^tql_[A-Za-z0-9_-]{43}$/);
    expect(key).toMatchObject({ prefix: secret.slice(0, 12), role: 'ANALYST' });
    const [stored] = await database.query(
      Stored,
      Prisma.sql`SELECT k::text AS row, encode(sha256, 'hex') AS sha256 FROM api_key AS k WHERE id = ${key.id}::uuid`,
    );
    expect(stored!.sha256).toBe(createHash('sha256').update(secret).digest('hex'));
    expect(stored!.row).not.toContain(secret.slice(12));
  });

  it('makes a viewer of its workspace, name and role, and records its use', async () => {
    const { data } = await test.ask(CREATE, { input: { name: 'reader' } });
    expect(await viewerOf(data.createApiKey.secret)).toEqual({
      workspace: 'default',
      subject: 'reader',
      role: 'viewer',
    });
    // Written after the answer.
    await vi.waitFor(async () => {
      const used = await test.ask('{ apiKeys { id lastUsedAt } }');
      expect(used.data.apiKeys.find(({ id }) => id === data.createApiKey.key.id)?.lastUsedAt).toMatch(/Z$/);
    });
  });

  it('is refused from its revocation on, though it was just accepted', async () => {
    const { data } = await test.ask(CREATE, { input: { name: 'gone' } });
    const { secret, key } = data.createApiKey;
    await viewerOf(secret);
    await test.ask('mutation($id: ID!) { revokeApiKey(id: $id) { revokedAt } }', { id: key.id });
    await expect(viewerOf(secret)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'The API key was revoked.',
    });
  });

  it.each([
    [{ name: ' ' }, 'The name of a key must have 1 to 200 characters; it has 0.'],
    [{ name: 'x', expiresAt: '2020-01-01' }, 'The key would expire at 2020-01-01T00:00:00.000Z, which is in the past.'],
  ])('is not made of %s', async (input, message) => {
    expect((await test.ask(CREATE, { input })).error).toEqual({ code: 'API_KEY_INVALID', message });
  });

  it.each(['x', '01890000-0000-7000-8000-000000000000'])('is not found where there is none: %s', async (id) => {
    const { error } = await test.ask('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id });
    expect(error?.code).toBe('API_KEY_NOT_FOUND');
  });
});

describe('the address to listen on', () => {
  it.each(['127.0.0.1', 'localhost', '::1', '127.9.9.9'])('needs no choice on this machine: %s', (TERRAQL_HOST) =>
    expect(() => checkExposure({ TERRAQL_HOST, TERRAQL_AUTH: undefined })).not.toThrow(),
  );

  it.each(['0.0.0.0', '::', '192.168.1.4', 'maps.example'])('needs a choice elsewhere: %s', (TERRAQL_HOST) => {
    expect(() => checkExposure({ TERRAQL_HOST, TERRAQL_AUTH: undefined })).toThrow(/Set TERRAQL_AUTH=required/);
    expect(() => checkExposure({ TERRAQL_HOST, TERRAQL_AUTH: 'off' })).not.toThrow();
    expect(() => checkExposure({ TERRAQL_HOST, TERRAQL_AUTH: 'required' })).not.toThrow();
  });
});

it.each([
  ['Bearer abc', 'abc'],
  ['bearer  a.b-c_~+/== ', 'a.b-c_~+/=='],
  ['Basic abc', null],
  ['Bearer', null],
  ['Bearer a b', null],
  [undefined, null],
])('reads a bearer token as RFC 6750 writes it: %s', (header, token) => expect(bearerToken(header)).toBe(token));
