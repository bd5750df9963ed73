import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prisma, type Database } from '../../src/database/database.ts';
import { RateLimits } from '../../src/identity/rate-limits.ts';
import { Refusals } from '../../src/identity/refusals.ts';
import type { Quotas } from '../../src/identity/quota.ts';
import { removeOldRecords } from '../../src/identity/audit.repository.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

const UNLIMITED: Quotas = {
  REQUESTS_PER_MINUTE: null,
  COST_PER_MINUTE: null,
  WAITING_WINDOWS: null,
  BYTES_STORED: null,
  FEATURES: null,
};

let database: Database;
let test: ServedApp;
beforeAll(async () => {
  database = await openTestDatabase();
  test = await openServedApp(
    { TERRAQL_AUTH: 'required', TERRAQL_MAX_REQUESTS_PER_MINUTE: '50', TERRAQL_MAX_COST_PER_MINUTE: '1000' },
    async () => database,
  );
});
afterAll(() => test.close());

/** A workspace of its own with a key. */
async function workspace(id: string): Promise<{ post: (query: string) => Promise<Response> }> {
  await test.app.workspaces.create({ id, name: id });
  const { apiKeys } = test.app.servicesFor({ workspace: id, subject: 'test', role: 'admin' });
  const { secret } = await apiKeys.create({ name: 'key', role: 'admin', expiresAt: null });
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  return {
    post: (query) => fetch(`${test.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) }),
  };
}

describe('a workspace', () => {
  it('sees how many requests are left, and is refused with 429 when none are', async () => {
    const { post } = await workspace('busy');
    const first = await post('{ viewer { role workspace { id } } }');
    expect(await first.json()).toMatchObject({ data: { viewer: { role: 'ADMIN', workspace: { id: 'busy' } } } });
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=50;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=49;t=\d+$/);
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await post('{ __typename }')).status));
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    const refused = await post('{ __typename }');
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
    expect(await refused.json()).toMatchObject({
      errors: [
        {
          message: expect.stringContaining('requests of 50 per minute') as string,
          extensions: { code: 'RATE_LIMITED', retryable: true },
        },
      ],
    });
    const { post: other } = await workspace('calm');
    expect((await other('{ __typename }')).status).toBe(200);
  });

  it('sees the remaining cost, and is refused when an operation costs more', async () => {
    const { post } = await workspace('costly');
    const query = '{ features(first: 300) { nodes { id } } }';
    const answers = [];
    for (let count = 0; count < 4; count++) answers.push(await (await post(query)).json());
    const [first] = answers as { extensions: { cost: { requested: number; available: number; perMinute: number } } }[];
    const { requested, available, perMinute } = first!.extensions.cost;
    expect([perMinute, available]).toEqual([1000, 1000 - requested]);
    const refused = await post(query);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  });

  it('may have limits of its own', async () => {
    const { post } = await workspace('large');
    await database.execute(Prisma.sql`INSERT INTO quota (workspace_id, requests_per_minute) VALUES ('large', 1000)`);
    expect((await post('{ __typename }')).headers.get('ratelimit-policy')).toBe('"requests";q=1000;w=60');
  });

  it.each(['Upper', 'two words', '', '-a'])('cannot be called %s', async (id) => {
    await expect(test.app.workspaces.create({ id, name: 'x' })).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  });

  it('is made once', async () => {
    await expect(test.app.workspaces.create({ id: 'default', name: 'x' })).rejects.toMatchObject({
      code: 'WORKSPACE_TAKEN',
    });
  });
});

it.each([false, true])(
  'limits are counted for all processes together where they share a database: %s',
  async (shared) => {
    await database.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES (${`counted-${shared}`}::text, 'x')`);
    const processes = [0, 1].map(
      () => new RateLimits(database.forRuns, { of: async () => ({ ...UNLIMITED, REQUESTS_PER_MINUTE: 3 }) }, shared),
    );
    const used = () => Promise.all(processes.map((limits) => limits.used('requests', `counted-${shared}`)));
    expect(await used()).toEqual([0, 0]);
    const taken = [];
    for (const at of [0, 1, 0, 1]) {
      taken.push(
        await processes[at]!.take('requests', `counted-${shared}`, 1).then(
          (budget) => budget?.available,
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(taken).toEqual(shared ? [2, 1, 0, 'RATE_LIMITED'] : [2, 2, 1, 1]);
    expect(await used()).toEqual(shared ? [4, 4] : [2, 2]);
    expect(await processes[0]!.take('cost', `counted-${shared}`, 1e6)).toBeNull();
  },
);

describe('the audit', () => {
  it('has every mutation that succeeded: who, what, on which object, by which request', async () => {
    const { data } = await test.ask('mutation($path: String!) { registerScene(input: { path: $path }) { id } }', {
      path: SUBURB,
    });
    const { id } = data.registerScene;
    await test.ask('mutation($id: ID!) { deleteScene(id: $id) }', { id });
    await test.ask('mutation($id: ID!) { deleteScene(id: $id) }', { id });
    const audit = await test.ask(
      `{ audit(filter: { target: "${id}" }, first: 10) { totalCount nodes { subject action target requestId address } } }`,
    );
    const told = { subject: 'anonymous', target: id, requestId: 'none', address: 'this machine' };
    expect((audit.data as unknown as { audit: unknown }).audit).toEqual({
      totalCount: 2,
      nodes: [
        { ...told, action: 'deleteScene' },
        { ...told, action: 'registerScene' },
      ],
    });
  });

  it('names the request of the answer and the address of the client', async () => {
    const { post } = await workspace('audited');
    const made = await post('mutation { createApiKey(input: { name: "second" }) { key { id } } }');
    const { data } = (await made.json()) as { data: { createApiKey: { key: { id: string } } } };
    const audit = await post('{ audit { nodes { subject action target requestId address } } }');
    expect(((await audit.json()) as { data: { audit: unknown } }).data.audit).toEqual({
      nodes: [
        {
          subject: 'key',
          action: 'createApiKey',
          target: data.createApiKey.key.id,
          requestId: made.headers.get('x-request-id'),
          address: '127.0.0.1',
        },
      ],
    });
  });

  it('has attempts that were refused: a role that is too small, and credentials that are not accepted', async () => {
    const { post } = await workspace('refusing');
    const { apiKeys } = test.app.servicesFor({ workspace: 'refusing', subject: 'test', role: 'admin' });
    const viewer = await apiKeys.create({ name: 'small', role: 'viewer', expiresAt: null });
    const revoked = await apiKeys.create({ name: 'lost', role: 'admin', expiresAt: null });
    await apiKeys.revoke(revoked.key.id);
    const get = (path: string, credential?: string): Promise<Response> =>
      fetch(`${test.url}${path}`, {
        headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
      });
    const refused = [
      await fetch(`${test.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${viewer.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ audit { totalCount } }' }),
      }),
      await get('/metrics', viewer.secret),
      await get('/features.csv', revoked.secret),
      await get('/features.csv', revoked.secret.slice(0, 12) + 'A'.repeat(31) + revoked.secret.slice(43)),
      await get('/features.csv', viewer.secret.slice(0, 12) + viewer.secret.slice(12).split('').toReversed().join('')),
    ];
    for (let again = 0; again < 50; again++) await get('/features.csv', revoked.secret);
    await get('/features.csv');
    const audited = async (): Promise<unknown> => {
      const answer = await post('{ audit { nodes { subject action target requestId address } } }');
      const { data } = (await answer.json()) as { data: { audit: { nodes: { action: string; requestId: string }[] } } };
      const ids = refused.map((response) => response.headers.get('x-request-id'));
      return data.audit.nodes
        .filter(({ requestId }) => ids.includes(requestId))
        .toSorted((one, other) => ids.indexOf(one.requestId) - ids.indexOf(other.requestId));
    };
    const [operation, route, ofRevoked, ...forged] = refused.map((response) => response.headers.get('x-request-id'));
    const address = '127.0.0.1';
    await expect.poll(audited).toEqual([
      { subject: 'small', action: 'FORBIDDEN', target: 'query audit', requestId: operation, address },
      { subject: 'small', action: 'FORBIDDEN', target: 'GET /metrics', requestId: route, address },
      { subject: 'lost', action: 'UNAUTHENTICATED', target: 'The API key was revoked.', requestId: ofRevoked, address },
      ...['lost', 'small'].map((subject, index) => ({
        subject,
        action: 'UNAUTHENTICATED',
        target: 'The API key does not exist.',
        requestId: forged[index],
        address,
      })),
    ]);
  });

  it('has what nobody can be found for in the workspace that exists from the start, and no more than it can hold', async () => {
    for (let count = 0; count < 3; count++) {
      await fetch(`${test.url}/features.csv`, { headers: { authorization: 'Bearer nonsense' } });
    }
    const found = async (): Promise<unknown> =>
      (await test.ask('{ audit(filter: { action: "UNAUTHENTICATED" }) { nodes { subject target } } }')).data;
    await expect.poll(found).toEqual({
      audit: { nodes: [{ subject: 'unknown', target: 'The credential is not an API key of this service.' }] },
    });
    const written: string[] = [];
    const logged: object[] = [];
    const refusals = new Refusals(
      async (_workspace, { target }) => void written.push(target ?? ''),
      (entry) => void logged.push(entry),
    );
    const viewer = { workspace: 'default', subject: 'x', role: 'viewer' } as const;
    for (let count = 0; count < 1000; count++) refusals.forbidden(viewer, `mutation ${count}`);
    expect([written.length, logged.length]).toEqual([300, 700]);
  });

  it('has uploads, with who sent them', async () => {
    const { post } = await workspace('uploading');
    const made = await post('mutation { createUpload(filename: "a.tif", sizeBytes: 3) { id url } }');
    const { id, url } = ((await made.json()) as { data: { createUpload: { id: string; url: string } } }).data
      .createUpload;
    const sent = await fetch(url, { method: 'PUT', body: 'abc' });
    expect(sent.status).toBe(204);
    const audit = await post('{ audit { nodes { subject action target requestId } } }');
    expect(((await audit.json()) as { data: { audit: { nodes: unknown[] } } }).data.audit.nodes[0]).toEqual({
      subject: 'link',
      action: 'upload',
      target: id,
      requestId: sent.headers.get('x-request-id'),
    });
  });

  it('cannot be changed, and is shortened only by the owner of the table', async () => {
    const changed = database.execute(Prisma.sql`UPDATE audit SET subject = 'somebody else'`);
    await expect(changed).rejects.toThrow(/only added to/);
    await expect(database.execute(Prisma.sql`TRUNCATE audit`)).rejects.toThrow(/only added to/);
    const role = `terraql_audit_${process.pid}_${Date.now()}`;
    await database.execute(Prisma.sql`CREATE ROLE ${Prisma.raw(role)}`);
    await database.execute(Prisma.sql`GRANT SELECT, INSERT, UPDATE, DELETE ON audit TO ${Prisma.raw(role)}`);
    const asRole = database.transaction(async (queries) => {
      await queries.execute(Prisma.sql`SET LOCAL ROLE ${Prisma.raw(role)}`);
      await queries.execute(Prisma.sql`DELETE FROM audit`);
    });
    await expect(asRole).rejects.toThrow(/only added to/);
    await database.execute(Prisma.sql`DROP OWNED BY ${Prisma.raw(role)}`);
    await database.execute(Prisma.sql`DROP ROLE ${Prisma.raw(role)}`);
  });

  it('forgets what is older than it is kept', async () => {
    await database.execute(Prisma.sql`
      INSERT INTO audit (id, at, subject, role, action, request_id, address)
      VALUES (gen_random_uuid(), now() - interval '400 days', 'x', 'admin', 'old', 'r', 'a')`);
    const count = async () =>
      (
        (await test.ask('{ audit(filter: { action: "old" }) { totalCount } }')).data as unknown as {
          audit: { totalCount: number };
        }
      ).audit.totalCount;
    expect(await count()).toBe(1);
    await removeOldRecords(database.forRuns, 365);
    expect(await count()).toBe(0);
  });
});
