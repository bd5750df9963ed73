import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

let database: Database;
let test: ServedApp;
beforeAll(async () => {
  database = await openTestDatabase();
  test = await openServedApp({ TERRAQL_AUTH: 'required' }, async () => database);
});
afterAll(() => test.close());

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Record<string, never>;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

/** A workspace of its own with a key of an administrator. */
async function workspace(id: string) {
  await test.app.workspaces.create({ id, name: id });
  const { apiKeys } = test.app.servicesFor({ workspace: id, subject: 'test', role: 'admin' });
  const { secret } = await apiKeys.create({ name: 'key', role: 'admin', expiresAt: null });
  const headers = { authorization: `Bearer ${secret}` };
  const ask = async (query: string, variables: object = {}): Promise<Told> => {
    const response = await fetch(`${test.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as Pick<Told, 'data' | 'errors'>;
    return { ...answer, status: response.status, headers: response.headers };
  };
  const set = async (input: string): Promise<Told> =>
    ask(`mutation { setQuotas(input: { ${input} }) { name maximum } }`);
  const register = async (): Promise<string> => {
    const { data } = await ask('mutation($path: String!) { registerScene(input: { path: $path }) { id } }', {
      path: SUBURB,
    });
    return (data as unknown as { registerScene: { id: string } }).registerScene.id;
  };
  const segment = (sceneId: string, prompts: readonly string[], waitS = 60): Promise<Told> =>
    ask('mutation($input: SegmentInput!) { segment(input: $input) { id state failure { code message } } }', {
      input: { sceneId, prompts, waitS },
    });
  return { ask, set, register, segment, get: (path: string) => fetch(`${test.url}${path}`, { headers }) };
}

const QUOTAS = '{ quotas { name maximum byDefault isSet used } }';

describe('quotas', () => {
  it('are those of the settings until an administrator sets others, and again when they are taken back', async () => {
    const { ask, set } = await workspace('plain');
    expect((await ask(QUOTAS)).data).toMatchObject({
      quotas: [
        { name: 'REQUESTS_PER_MINUTE', maximum: 6000, byDefault: 6000, isSet: false, used: 1 },
        { name: 'COST_PER_MINUTE', maximum: 5_000_000 },
        { name: 'WAITING_WINDOWS', maximum: 100_000, used: 0 },
        { name: 'BYTES_STORED', maximum: 1e12, used: 0 },
        { name: 'FEATURES', maximum: 1e8, used: 0 },
      ],
    });
    await set('requestsPerMinute: 70, features: 0');
    const changed = await ask(QUOTAS);
    expect(changed.headers.get('ratelimit-policy')).toBe('"requests";q=70;w=60');
    expect(changed.data).toMatchObject({
      quotas: [{ maximum: 70, byDefault: 6000, isSet: true }, { isSet: false }, {}, {}, { maximum: 0, isSet: true }],
    });
    await set('');
    expect((await ask(QUOTAS)).headers.get('ratelimit-policy')).toBe('"requests";q=6000;w=60');
  });

  it.each([
    ['requestsPerMinute: 0', 'Argument input.requestsPerMinute is 0; it must be a whole number from 1'],
    ['waitingWindows: -1', 'Argument input.waitingWindows is -1; it must be a whole number from 0'],
    ['bytesStored: 1.5', 'Argument input.bytesStored is 1.5'],
    ['features: 1e17', 'Argument input.features is 100000000000000000'],
  ])('cannot be %s', async (input, message) => {
    const { ask, set } = await workspace(`wrong-${input.length}${input.charCodeAt(0)}`);
    const refused = await set(input);
    expect(refused.errors).toMatchObject([
      { message: expect.stringContaining(message) as string, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(JSON.stringify((await ask(QUOTAS)).data)).not.toContain('"isSet":true');
  });

  it('are told to everybody as limits, with what is left', async () => {
    const { ask, set } = await workspace('told');
    await set('requestsPerMinute: 120');
    const { data } = await ask('{ viewer { limits { name maximum available restoredPerS } } }');
    const { limits } = (data as unknown as { viewer: { limits: { name: string }[] } }).viewer;
    expect(limits).toHaveLength(5);
    expect(limits).toContainEqual({ name: 'REQUESTS_PER_MINUTE', maximum: 120, available: 118, restoredPerS: 2 });
  });
});

/** What a refusal must say. */
const refusal = (quota: string, argument: string, value: unknown, limit: number) => [
  {
    message: expect.stringMatching(new RegExp(`^Argument ${argument}: .*quota is ${limit}\\.$`)) as string,
    extensions: expect.objectContaining({ code: 'QUOTA_EXCEEDED', quota, argument, value, limit }) as object,
  },
];

describe('over its quota a workspace', () => {
  it('asks no question that would wait, but is told answers that it has', async () => {
    const { ask, set, register, segment } = await workspace('waiting');
    const sceneId = await register();
    const first = await segment(sceneId, ['bright']);
    expect(first.data).toMatchObject({ segment: [{ state: 'SUCCEEDED' }] });
    await set('waitingWindows: 0');
    const refused = await segment(sceneId, ['dark']);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null]);
    expect(refused.errors).toMatchObject(refusal('WAITING_WINDOWS', 'prompts', expect.any(Number), 0));
    expect((await segment(sceneId, ['bright'])).data).toEqual(first.data);
    const { data } = await ask('{ segmentations { totalCount } }');
    expect(data).toEqual({ segmentations: { totalCount: 1 } });
  });

  it('is told to wait where the windows would fit by themselves', async () => {
    const { ask, set, register, segment } = await workspace('later');
    const sceneId = await register();
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    await segment(sceneId, ['bright'], 0);
    const { data } = await ask(QUOTAS);
    const used = (data as unknown as { quotas: { name: string; used: number }[] }).quotas[2]!.used;
    expect(used).toBeGreaterThan(0);
    await set(`waitingWindows: ${used}`);
    const refused = await segment(sceneId, ['dark'], 0);
    open();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(refused.errors).toMatchObject(refusal('WAITING_WINDOWS', 'prompts', 2 * used, used));
    const run = '{ segmentations { nodes { state } } }';
    await expect
      .poll(async () => (await ask(run)).data, { timeout: 20_000 })
      .toEqual({
        segmentations: { nodes: [{ state: 'SUCCEEDED' }] },
      });
    expect((await segment(sceneId, ['dark'], 0)).errors).toBeUndefined();
  });

  it('stores no more features: runs fail, and no question is taken', async () => {
    const { ask, set, register, segment } = await workspace('found');
    const sceneId = await register();
    await set('features: 1');
    const { data } = await segment(sceneId, ['bright']);
    expect(data).toMatchObject({ segment: [{ state: 'FAILED', failure: { code: 'QUOTA_EXCEEDED' } }] });
    expect((await ask('{ features { totalCount } }')).data).toEqual({ features: { totalCount: 0 } });
    await set('features: 0');
    expect((await segment(sceneId, ['dark'])).errors).toMatchObject(refusal('FEATURES', 'prompts', 1, 0));
  });

  it('keeps no more bytes: neither by upload nor by export', async () => {
    const { ask, set } = await workspace('stored');
    const bytes = await readFile(SUBURB);
    const upload = (): Promise<Told> =>
      ask(`mutation { createUpload(filename: "a.tif", sizeBytes: ${bytes.length}) { id url } }`);
    const { id, url } = ((await upload()).data as unknown as { createUpload: { id: string; url: string } })
      .createUpload;
    await fetch(url, { method: 'PUT', body: bytes });
    await set(`bytesStored: ${bytes.length - 1}`);
    const register = `mutation { registerScene(input: { uploadId: "${id}" }) { id } }`;
    const over = refusal('BYTES_STORED', 'input.uploadId', bytes.length, bytes.length - 1);
    expect((await ask(register)).errors).toMatchObject(over);
    await set(`bytesStored: ${bytes.length}`);
    expect((await ask(register)).errors).toBeUndefined();
    expect((await ask(QUOTAS)).data).toMatchObject({ quotas: [{}, {}, {}, { used: bytes.length }, {}] });
    const refused = await upload();
    expect(refused.status).toBe(429);
    expect(refused.errors).toMatchObject(refusal('BYTES_STORED', 'sizeBytes', 2 * bytes.length, bytes.length));
    expect((await ask('mutation { createExport(input: { format: CSV }) { id } }')).errors).toMatchObject(
      refusal('BYTES_STORED', 'input', bytes.length + 1, bytes.length),
    );
  });

  it('gets no file and no tile once the cost of the minute is used up', async () => {
    const { ask, set, register, segment, get } = await workspace('costly');
    await segment(await register(), ['bright']);
    const cost = async (): Promise<number> =>
      ((await ask(QUOTAS)).data as unknown as { quotas: { used: number }[] }).quotas[1]!.used;
    const ofQuotas = -((await cost()) - (await cost()));
    const spent = async (path: string): Promise<number> => {
      const before = await cost();
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      await response.arrayBuffer();
      return (await cost()) - before - ofQuotas;
    };
    const file = await get('/features.geojson');
    const { features } = (await file.json()) as { features: unknown[] };
    expect(await spent('/features.geojson')).toBe(1 + features.length);
    const near = encodeURIComponent('{"bbox":[0,0,1,1]}');
    expect(await spent(`/features.csv?filter=${near}`)).toBe(1 + 5);
    expect(await spent('/tiles/features/3/1/3.mvt')).toBe(20);
    expect(await spent('/ogc/collections/features/items?limit=7')).toBe(1 + 7);
    await set('costPerMinute: 1');
    for (const path of ['/features.geojson', '/tiles/features/3/1/3.mvt', '/ogc/collections/features/items']) {
      const refused = await get(path);
      expect([path, refused.status]).toEqual([path, 429]);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await refused.json()).toMatchObject({
        error: { code: 'RATE_LIMITED', quota: 'COST_PER_MINUTE', value: expect.any(Number) as number, limit: 1 },
      });
    }
  });
});

it('questions of one workspace at the same time never exceed its quota together', async () => {
  const { ask, set, register, segment } = await workspace('crowd');
  const sceneId = await register();
  let open = (): void => undefined;
  test.model.gate = new Promise((resolve) => (open = resolve));
  await segment(sceneId, ['bright'], 0);
  const windows = ((await ask(QUOTAS)).data as unknown as { quotas: { used: number }[] }).quotas[2]!.used;
  await set(`waitingWindows: ${3 * windows}`);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => segment(sceneId, [`bright ${index}`], 0)));
  open();
  expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(2);
  expect((await ask('{ segmentations { totalCount } }')).data).toEqual({ segmentations: { totalCount: 3 } });
});
