import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { uuidV7 } from '../../src/database/sql/identifier.ts';
import { JobFeeder } from '../../src/job/job-feeder.ts';
import { isOver, type JobQuestions } from '../../src/job/job.ts';
import { JobRepository } from '../../src/job/job.repository.ts';
import type { AnsweredJob } from '../api/answer.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { RangeServer } from '../remote/range-server.ts';
import { writeUtmScene } from '../utm-scene.ts';

const JOB = `id state paused scenes pending failedScenes runs { queued running succeeded failed cancelled reused }
  progress { windowsDone windowsTotal fraction }`;
const SEGMENT = `mutation($input: SegmentScenesInput!) { segmentScenes(input: $input) { ${JOB} } }`;
const REGISTER = `mutation($input: RegisterScenesInput!) { registerScenes(input: $input) { ${JOB} } }`;
const ESTIMATE =
  'query($input: SegmentScenesInput!) { jobEstimate(input: $input) { scenes unplanned windows areaKm2 seconds stored impossible } }';
const SCENES = 24;
const UNKNOWN = '01900000-0000-7000-8000-00000000dead';
const SIDE = 64;

let test: TestApp;
let server: RangeServer;
let database: Database;
const ids: string[] = [];

beforeAll(async () => {
  server = await new RangeServer().start();
  const open = async () => (database = await openTestDatabase());
  test = await openTestApp({}, open, server.client());
  for (let index = 0; index < SCENES; index++) {
    const pixels = new Uint8Array(SIDE * SIDE * 3).fill(20);
    pixels.fill(235, 0, (index + 1) * SIDE * 3);
    const path = join(test.root, `scene-${index}.tif`);
    await writeUtmScene(path, pixels, SIDE, SIDE);
    ids.push((await test.services.scenes.register({ path })).id);
  }
});
afterAll(async () => {
  await test.close();
  server.close();
});

async function change(name: string, id: string): Promise<unknown> {
  const { data, error } = await test.ask(`mutation($id: ID!) { ${name}(id: $id) { ${JOB} } }`, { id });
  if (error) throw new Error(`${String(error.code)}: ${error.message}`);
  return (data as unknown as Record<string, unknown>)[name];
}

const questionsOf = (prompt: string): JobQuestions => ({
  prompts: [prompt],
  task: 'REASONING',
  scale: 'AUTO',
  threshold: 0.5,
  minAreaM2: 0,
  areaOfInterest: null,
  force: false,
});

/** The job when it is over, as its subscription tells it. */
async function over(id: string) {
  let last;
  for await (const job of await test.services.jobs.progress(id)) last = job;
  return last!;
}

describe('a job', () => {
  it('asks every prompt about every scene once, and a second job repeats nothing', async () => {
    const input = { filter: {}, prompts: ['bright', 'dark'] };
    const before = (await test.ask(ESTIMATE, { input })).data.jobEstimate;
    expect(before).toMatchObject({ scenes: SCENES, windows: 2 * SCENES, seconds: null, stored: 0, impossible: 0 });
    const { segmentScenes: job } = (await test.ask(SEGMENT, { input })).data;
    expect(job).toMatchObject({ scenes: SCENES, progress: { windowsTotal: 2 * SCENES } });
    const done = await over(job.id);
    expect(done).toMatchObject({ state: 'SUCCEEDED', pending: 0, windowsDone: 2 * SCENES });
    expect(done.runs).toMatchObject({ succeeded: 2 * SCENES, reused: 0 });
    const after = (await test.ask(ESTIMATE, { input })).data.jobEstimate;
    expect(after).toMatchObject({ windows: 0, stored: 2 * SCENES, areaKm2: before.areaKm2, seconds: 0 });
    const again = await over((await test.ask(SEGMENT, { input })).data.segmentScenes.id);
    expect(again.runs).toMatchObject({ succeeded: 2 * SCENES, reused: 2 * SCENES });
    const { totalCount } = (await test.ask('{ segmentations(first: 0) { totalCount } }')).data.segmentations;
    expect(totalCount).toBe(2 * SCENES);
  });

  it('gives its runs in pages, each once', async () => {
    const { id } = (await test.ask(SEGMENT, { input: { ids: ids.slice(0, 5), prompts: ['bright'] } })).data
      .segmentScenes;
    await over(id);
    const page = `query($id: ID!, $after: String) { job(id: $id) { segmentations(first: 2, after: $after) {
      totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }`;
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const { segmentations }: AnsweredJob = (await test.ask(page, { id, after })).data.job;
      found.push(...segmentations.nodes.map((node: { id: string }) => node.id));
      if (!segmentations.pageInfo.hasNextPage) break;
      after = segmentations.pageInfo.endCursor;
    }
    expect(new Set(found).size).toBe(5);
    expect(found).toHaveLength(5);
  });

  it('that is paused begins nothing, and goes on when it is resumed', async () => {
    test.model.pauseMs = 300;
    const { id } = await test.services.jobs.segment({ ids }, questionsOf('paused'));
    const now = () => test.services.jobs.require(id);
    await expect.poll(async () => (await now()).pending, { timeout: 60_000 }).toBeLessThan(SCENES);
    expect(await change('pauseJob', id)).toMatchObject({ paused: true });
    const open = async () => (await now()).runs.queued + (await now()).runs.running;
    await expect.poll(open, { timeout: 60_000 }).toBe(0);
    const settled = await now();
    expect(settled.pending).toBeGreaterThan(0);
    expect(isOver(settled)).toBe(false);
    const others = await test.services.jobs.segment({ ids: ids.slice(0, 1) }, questionsOf('unpaused'));
    expect((await over(others.id)).runs.succeeded).toBe(1);
    expect(await now()).toMatchObject({ pending: settled.pending, runs: settled.runs });
    test.model.pauseMs = 0;
    await change('resumeJob', id);
    expect((await over(id)).runs.succeeded).toBe(SCENES);
  });

  it('that is cancelled is over, and leaves what others asked', async () => {
    const { id } = (await test.ask(SEGMENT, { input: { ids, prompts: ['cancelled'] } })).data.segmentScenes;
    expect(await change('cancelJob', id)).toMatchObject({ state: 'CANCELLED' });
    const { runs } = await over(id);
    expect(runs.queued).toBe(0);
    await expect(change('cancelJob', id)).rejects.toThrow('JOB_INVALID');
    await expect(change('retryJob', id)).rejects.toThrow('JOB_INVALID');
  });

  it.each([
    ['nothing to choose scenes by', { prompts: ['x'] }, 'JOB_INVALID'],
    ['two ways to choose them', { prompts: ['x'], ids: [], filter: {} }, 'JOB_INVALID'],
    ['no scenes', { prompts: ['x'], ids: [] }, 'JOB_INVALID'],
    ['a scene that is not there', { prompts: ['x'], ids: [UNKNOWN] }, 'JOB_INVALID'],
    ['no prompt', { prompts: [], filter: {} }, 'SEGMENT_REQUEST_INVALID'],
    ['an impossible threshold', { prompts: ['x'], filter: {}, threshold: 2 }, 'SEGMENT_REQUEST_INVALID'],
    ['an impossible limit', { prompts: ['x'], stac: { url: 'https://files.example', limit: 0 } }, 'JOB_INVALID'],
    ['a private catalogue', { prompts: ['x'], stac: { url: 'https://10.0.0.7/' } }, 'ADDRESS_NOT_ALLOWED'],
  ])('of %s is refused and leaves nothing', async (_, input, code) => {
    const count = '{ jobs(first: 0) { totalCount } }';
    const before = (await test.ask(count)).data.jobs.totalCount;
    expect((await test.ask(SEGMENT, { input })).error?.code).toBe(code);
    expect((await test.ask(count)).data.jobs.totalCount).toBe(before);
  });
});

describe('a STAC catalogue', () => {
  const cog = readFileSync(join(import.meta.dirname, '../fixtures/imagery/naip_prairie_utm14n_5m_rgbn_cog.tif'));
  const COUNT = 7;
  const itemOf = (index: number, extra: object = {}) => ({
    type: 'Feature',
    stac_version: '1.0.0',
    id: `item-${index}`,
    collection: 'aerial',
    bbox: [index, 50, index + 1, 51],
    geometry: null,
    properties: { datetime: `2026-05-0${index + 1}T10:00:00Z` },
    links: [{ rel: 'self', href: `${server.origin}/items/${index}` }],
    assets: {
      thumbnail: { href: './thumb.jpg', type: 'image/jpeg', roles: ['thumbnail'] },
      data: {
        href: `/image-${index}.tif`,
        type: 'image/tiff; application=geotiff; profile=cloud-optimized',
        roles: ['data'],
        'eo:bands': [{ common_name: 'blue' }, { common_name: 'green' }, { common_name: 'red' }, { common_name: 'nir' }],
      },
    },
    ...extra,
  });

  beforeAll(() => {
    for (let index = 0; index < COUNT; index++)
      server.files.set(`/image-${index}.tif`, { bytes: cog, etag: `"v${index}"` });
    server.other = (request, response) => {
      const url = new URL(request.url!, server.origin);
      const item = /^\/items\/(\d)$/.exec(url.pathname);
      const links = (...all: object[]) => JSON.stringify({ type: 'Catalog', id: 'root', links: all });
      if (item) response.end(JSON.stringify(itemOf(Number(item[1]))));
      else if (url.pathname === '/api') response.end(links({ rel: 'search', href: '/search', method: 'POST' }));
      else if (url.pathname === '/static')
        response.end(
          links(
            { rel: 'child', href: './static' },
            { rel: 'item', href: './items/0' },
            { rel: 'item', href: './items/1' },
          ),
        );
      else if (url.pathname === '/search') {
        const from = Number(url.searchParams.get('from') ?? 0);
        const features = [0, 1, 2]
          .map((n) => from + n)
          .filter((n) => n < COUNT)
          .map((n) => itemOf(n));
        const next = { rel: 'next', href: `/search?from=${from + 3}`, method: 'POST', body: {}, merge: true };
        response.end(JSON.stringify({ type: 'FeatureCollection', features, links: from + 3 < COUNT ? [next] : [] }));
      } else if (url.pathname === '/no-image') response.end(JSON.stringify(itemOf(0, { assets: {} })));
      else response.end('<html>');
    };
  });

  it('is registered page by page, with date, name and bands of its items', async () => {
    const { registerScenes } = (await test.ask(REGISTER, { input: { stac: { url: `${server.origin}/api` } } })).data;
    expect(registerScenes.scenes).toBe(COUNT);
    expect(await over(registerScenes.id)).toMatchObject({ state: 'SUCCEEDED', failedScenes: 0 });
    const { nodes } = (
      await test.ask('{ scenes(filter: { name: "item-" }) { nodes { name source acquiredAt readByRange } } }')
    ).data.scenes;
    expect(nodes.map((node: { name: string }) => node.name).toSorted()).toEqual(
      Array.from({ length: COUNT }, (_, index) => `item-${index}`),
    );
    expect(nodes[0]).toMatchObject({ readByRange: true, source: expect.stringContaining('.tif') as unknown });
    const [scene] = (await test.services.scenes.list({ name: 'item-0' }, { first: 1 })).edges;
    expect(scene!.node).toMatchObject({ rgbBands: [3, 2, 1], acquiredAt: new Date('2026-05-01T10:00:00Z') });
    expect(scene!.node.remote?.item).toEqual({ url: `${server.origin}/items/0`, asset: 'data' });
  });

  it.each([
    ['a static catalogue whose links go in a circle', { url: '/static' }, 2],
    ['an item', { url: '/items/3' }, 1],
    ['a limit', { url: '/api', limit: 4 }, 4],
    ['a box', { url: '/api', bbox: [2.5, 50, 3.5, 51] }, 2],
    ['an interval', { url: '/api', datetime: '2026-05-03T00:00:00Z/..' }, 5],
    ['a collection', { url: '/api', collections: ['other'] }, null],
  ])('is taken by %s', async (_, { url, ...rest }, expected) => {
    const input = { stac: { url: server.origin + url, ...rest }, prompts: ['x'] };
    const { data } = await test.ask(ESTIMATE, { input });
    const scenes = expected ?? 0;
    expect(data.jobEstimate).toMatchObject({ scenes, unplanned: scenes, windows: 0, seconds: scenes > 0 ? null : 0 });
  });

  it.each([
    ['without an image', { url: '/no-image' }, 'STAC_UNUSABLE'],
    ['without the asset', { url: '/items/0', assetKey: 'visual' }, 'STAC_UNUSABLE'],
    ['that is a web page', { url: '/page' }, 'REMOTE_DOCUMENT_INVALID'],
  ])('%s is refused', async (_, { url, ...rest }, code) => {
    const { error } = await test.ask(REGISTER, { input: { stac: { url: server.origin + url, ...rest } } });
    expect(error?.code).toBe(code);
  });

  it('is asked as one job; an image that cannot be read fails alone and can be retried', async () => {
    server.files.delete('/image-1.tif');
    const urls = ['/image-0.tif', '/image-1.tif'].map((path) => server.origin + path);
    const { id } = (await test.ask(SEGMENT, { input: { urls, prompts: ['field'] } })).data.segmentScenes;
    expect(await over(id)).toMatchObject({ state: 'FAILED', failedScenes: 1, runs: { succeeded: 1 } });
    server.files.set('/image-1.tif', { bytes: cog, etag: '"v1"' });
    await change('retryJob', id);
    expect(await over(id)).toMatchObject({ state: 'SUCCEEDED', failedScenes: 0, runs: { succeeded: 2 } });
  });
});

describe('a job whose process ends while it lists the scenes', () => {
  const jobs = () => new JobRepository(database.forWorkspace('default'));
  const silent = (id: string) =>
    database.execute(Prisma.sql`UPDATE job SET listing_until = now() - interval '1 second' WHERE id = ${id}::uuid`);

  it('lacks scenes: it is no success, begins nothing more, and cannot be taken up again', async () => {
    const id = uuidV7();
    await jobs().create(id, questionsOf('cut off'));
    await silent(id);
    await jobs().addItems(id, [{ sceneId: ids[0]!, reference: null, windows: 1, failure: null }]);
    expect(await jobs().claim(10)).toEqual([]);
    expect(await over(id)).toMatchObject({ state: 'FAILED', incomplete: true, pending: 1 });
    const { data } = await test.ask('query($id: ID!) { job(id: $id) { state incomplete } }', { id });
    expect(data.job).toEqual({ state: 'FAILED', incomplete: true });
    await expect(change('retryJob', id)).rejects.toThrow('ended before it had listed them');
  });

  it('is not over before its scenes are listed, and is as others once they are', async () => {
    const id = uuidV7();
    await jobs().create(id, questionsOf('slow catalogue'));
    await jobs().addItems(id, [{ sceneId: ids[1]!, reference: null, windows: 1, failure: null }]);
    const runs = async () => (await test.services.jobs.require(id)).runs.succeeded;
    await expect.poll(runs, { timeout: 30_000 }).toBe(1);
    expect(await test.services.jobs.require(id)).toMatchObject({ state: 'RUNNING', incomplete: false });
    await jobs().extendListing(id);
    await jobs().endListing(id);
    await jobs().extendListing(id);
    expect(await test.services.jobs.require(id)).toMatchObject({ state: 'SUCCEEDED', incomplete: false });
  });
});

describe('two processes that begin the scenes of one job', () => {
  it('register none twice and ask none twice, also when one is stopped', async () => {
    const urls = Array.from({ length: 6 }, (_, index) => `${server.origin}/image-${index}.tif?twice`);
    const scenes = async () => (await test.ask('{ scenes(first: 0) { totalCount } }')).data.scenes.totalCount as number;
    const before = await scenes();
    const job = await test.services.jobs.register({ urls });
    const feeders = [1, 2].map(
      () => new JobFeeder(new JobRepository(database.forRuns), () => test.services, test.app.logger),
    );
    for (const feeder of feeders) feeder.start();
    await feeders[0]!.close();
    expect(await over(job.id)).toMatchObject({ state: 'SUCCEEDED' });
    await feeders[1]!.close();
    expect(await scenes()).toBe(before + 6);
  });
});
