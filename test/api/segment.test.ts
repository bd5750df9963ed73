import path from 'node:path';
import { bbox } from '@turf/turf';
import type { Polygon } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeUtmScene } from '../utm-scene.ts';
import { openTestApp, type TestApp } from './test-app.ts';

/** 160 x 120 pixels of 10 m in UTM 32N; dark but for a bright block of 40 x 20 pixels and one of 16 x 16 at a corner. */
const WIDTH = 160;
const HEIGHT = 120;

async function writeScene(file: string): Promise<void> {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3).fill(20);
  const fill = (x0: number, y0: number, width: number, height: number) => {
    for (let y = y0; y < y0 + height; y++) pixels.fill(235, (y * WIDTH + x0) * 3, (y * WIDTH + x0 + width) * 3);
  };
  fill(40, 48, 40, 20);
  fill(144, 104, 16, 16);
  await writeUtmScene(file, pixels, WIDTH, HEIGHT);
}

const REGISTER = 'mutation($input: RegisterSceneInput!) { registerScene(input: $input) { id crs gsdM areaM2 } }';
const SEGMENT = `mutation($input: SegmentInput!) { segment(input: $input) {
  id prompt state targetFound emptyReason featureCount areaM2 failure { code message attempts }
  progress { phase fraction windowsDone windowsTotal } mask { pixelCount areaM2 counts pngUrl }
  features(orderBy: { by: AREA, direction: DESC }) { totalCount nodes { id areaM2 pixelCount bbox
    neighbours { edges { relation sharedBorderM gapM node { segmentation { prompt } } } } } } } }`;

let test: TestApp;
let sceneId: string;

beforeAll(async () => {
  test = await openTestApp();
  await writeScene(path.join(test.root, 'blocks.tif'));
  const { data } = await test.ask(REGISTER, { input: { path: path.join(test.root, 'blocks.tif') } });
  sceneId = data.registerScene.id;
});
afterAll(() => test.close());

const segment = (input: Record<string, unknown>) =>
  test.ask(SEGMENT, { input: { sceneId, prompts: ['bright'], scale: 'WINDOWS', waitS: 60, ...input } });

describe('segment', () => {
  it('finds each block as one polygon with its true area, though windows cut it', async () => {
    const [found] = (await segment({})).data.segment;
    expect(found).toMatchObject({ state: 'SUCCEEDED', targetFound: true, emptyReason: null, featureCount: 2 });
    expect(found.progress).toMatchObject({ phase: 'done', fraction: 1 });
    const [large, small] = found.features.nodes;
    // Blocks of 4 pixels blur the outline by a pixel or two on each side.
    expect(large.pixelCount).toBeGreaterThan(38 * 18);
    expect(large.pixelCount).toBeLessThan(42 * 22);
    expect(small.pixelCount).toBeGreaterThan(14 * 14);
    // UTM scale at the central meridian is 0.9996: the ground is 1 / 0.9996² larger than the grid says.
    expect(large.areaM2 / (large.pixelCount * 100)).toBeCloseTo(1 / 0.9996 ** 2, 4);
    expect(found.mask.pixelCount).toBe(large.pixelCount + small.pixelCount);
    expect(found.mask.counts.reduce((a, b) => a + b, 0)).toBe(WIDTH * HEIGHT);
    expect(found.areaM2).toBeCloseTo(large.areaM2 + small.areaM2, 3);
  });

  it('shares the image work between prompts and stores what borders what', async () => {
    const before = test.model.windowsAsked;
    const { data } = await segment({ prompts: ['bright', 'dark'] });
    expect(test.model.windowsAsked - before).toBe(data.segment[0].progress.windowsTotal);
    const [bright, dark] = data.segment;
    const touching = dark.features.nodes[0].neighbours.edges.filter(
      ({ relation, node }) => relation === 'TOUCHES' && node.segmentation.prompt === 'bright',
    );
    expect(touching.length).toBeGreaterThan(0);
    const largest = bright.features.nodes[0];
    const border = largest.neighbours.edges.find(({ relation }) => relation === 'TOUCHES')!;
    // All around a block of 40 x 20 pixels of 10 m.
    expect(border.sharedBorderM).toBeGreaterThan(1100);
    expect(border.sharedBorderM).toBeLessThan(1300);
  });

  it('has its features compared by a worker afterwards, and tells the same neighbours before and after', async () => {
    const { id, features } = (await segment({ prompts: ['dark'], gsdM: 20 })).data.segment[0]!;
    const LOOK = `query($id: ID!) { segmentation(id: $id) { compared
      features(orderBy: { by: AREA, direction: DESC }) { nodes { neighbours { edges { relation gapM } } } } } }`;
    const look = async () => (await test.ask(LOOK, { id })).data.segmentation;
    await expect.poll(async () => (await look()).compared, { timeout: 40_000, interval: 200 }).toBe(true);
    const told = ({ nodes }: typeof features) =>
      nodes.map(({ neighbours: { edges } }) => edges.map(({ gapM }) => Math.round(100 * gapM!)));
    expect(told(features).flat()).toContain(0);
    expect(told((await look()).features)).toEqual(told(features));
  });

  it.each([
    [{ prompts: ['a unicorn'] }, 'NO_PIXEL_ABOVE_THRESHOLD'],
    [{ minAreaM2: 1e9 }, 'ALL_BELOW_MIN_AREA'],
    [
      {
        areaOfInterest: {
          type: 'Polygon',
          coordinates: [
            [
              [1, 1],
              [2, 1],
              [2, 2],
              [1, 1],
            ],
          ],
        },
      },
      'OUTSIDE_AREA_OF_INTEREST',
    ],
  ])('says why nothing was found: %o', async (input, emptyReason) => {
    const [found] = (await segment(input)).data.segment;
    expect(found).toMatchObject({ state: 'SUCCEEDED', targetFound: false, featureCount: 0, emptyReason });
  });

  it('drops features below minAreaM2 and keeps the mask in step', async () => {
    const [found] = (await segment({ minAreaM2: 40_000 })).data.segment;
    expect(found.featureCount).toBe(1);
    expect(found.mask.pixelCount).toBe(found.features.nodes[0].pixelCount);
  });

  it('looks only inside the area of interest', async () => {
    const { data } = await test.ask(`{ scene(id: "${sceneId}") { footprint } }`);
    const [left, bottom, right, top] = bbox(data.scene.footprint as unknown as Polygon);
    const half = (left + right) / 2;
    const areaOfInterest = {
      type: 'Polygon',
      coordinates: [
        [
          [left, bottom],
          [half, bottom],
          [half, top],
          [left, top],
          [left, bottom],
        ],
      ],
    };
    const [found] = (await segment({ areaOfInterest })).data.segment;
    expect(found.featureCount).toBe(1);
    expect(found.features.nodes[0].bbox[2]).toBeLessThanOrEqual(half + 1e-4);
  });

  it.each([
    [{ prompts: [] }, 'SEGMENT_REQUEST_INVALID', 'The request has 0 prompts; 1 to 20 are allowed.'],
    [{ prompts: ['  '] }, 'SEGMENT_REQUEST_INVALID', 'A prompt is empty.'],
    [
      { prompts: ['x'.repeat(600)] },
      'PROMPT_TOO_LONG',
      'The prompt has at least 600 tokens; the model reads at most 500.',
    ],
    [{ threshold: 1 }, 'SEGMENT_REQUEST_INVALID', 'threshold is 1; it must be between 0 and 1.'],
    [{ minAreaM2: -1 }, 'SEGMENT_REQUEST_INVALID', 'minAreaM2 is -1; it must be 0 or more.'],
    [{ gsdM: 0.1 }, 'GSD_TOO_FINE', expect.stringContaining('0.1')],
    [{ idempotencyKey: '' }, 'SEGMENT_REQUEST_INVALID', 'idempotencyKey has 0 characters; 1 to 200 are allowed.'],
    [{ waitS: 601 }, 'SEGMENT_REQUEST_INVALID', 'waitS is 601; it must be from 0 to 600.'],
    [{ modelId: 'gpt' }, 'MODEL_NOT_FOUND', 'Model gpt does not exist; the model folder has brightness/1.'],
    [
      { sceneId: '01900000-0000-7000-8000-000000000000' },
      'SCENE_NOT_FOUND',
      'Scene 01900000-0000-7000-8000-000000000000 does not exist.',
    ],
    [
      { areaOfInterest: { type: 'Point', coordinates: [0, 0] } },
      'BAD_USER_INPUT',
      'areaOfInterest is a Point; it must be a Polygon or a MultiPolygon.',
    ],
  ])('refuses %o', async (input, code, message) => {
    expect((await segment(input)).error).toEqual({ code, message });
  });

  it('returns at once without waitS, runs on, and can be cancelled between windows', async () => {
    let open = () => {};
    test.model.gate = new Promise((resolve) => (open = resolve));
    const [queued] = (await segment({ waitS: 0, force: true })).data.segment;
    expect(['QUEUED', 'RUNNING']).toContain(queued.state);
    const cancelled = await test.ask(`mutation { cancelSegmentation(id: "${queued.id}") { state } }`);
    expect(cancelled.data.cancelSegmentation.state).toBe('CANCELLED');
    open();
    const again = await test.ask(`mutation { cancelSegmentation(id: "${queued.id}") { state } }`);
    expect(again.error?.code).toBe('SEGMENTATION_FINISHED');
    const [next] = (await segment({})).data.segment;
    expect(next.state).toBe('SUCCEEDED');
    const { data } = await test.ask(`{ segmentation(id: "${queued.id}") { state featureCount mask { pixelCount } } }`);
    expect(data.segmentation).toEqual({ state: 'CANCELLED', featureCount: 0, mask: null });
  });

  it('answers the same idempotency key with the same segmentation, and refuses it with other arguments', async () => {
    const [first] = (await segment({ idempotencyKey: 'k1', force: true })).data.segment;
    const [second] = (await segment({ idempotencyKey: 'k1', force: true, waitS: 30 })).data.segment;
    expect(second.id).toBe(first.id);
    expect((await segment({ idempotencyKey: 'k1', force: true, threshold: 0.4 })).error).toEqual({
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: 'idempotencyKey "k1" was used for another request in the last 24 hours; use a new key.',
    });
  });

  it('returns work that is stored, and repeats it when forced', async () => {
    const [first] = (await segment({ prompts: ['dark'] })).data.segment;
    const asked = test.model.windowsAsked;
    const [again, twice] = (await segment({ prompts: ['dark', ' dark '] })).data.segment;
    expect([again.id, twice.id]).toEqual([first.id, first.id]);
    expect(test.model.windowsAsked).toBe(asked);
    const [other] = (await segment({ prompts: ['dark'], threshold: 0.7 })).data.segment;
    const [forced] = (await segment({ prompts: ['dark'], force: true })).data.segment;
    expect(new Set([first.id, other.id, forced.id]).size).toBe(3);
  });
});

describe('features', () => {
  const FEATURES = `query($filter: FeatureFilter, $orderBy: FeatureOrder, $first: Int, $after: String) {
    features(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } nodes { id areaM2 distanceM geometry(precision: 5) scene { id } } } }`;

  it('pages through all of them, largest first, each once', async () => {
    const seen: { id: string; areaM2: number }[] = [];
    let after: string | null = null;
    do {
      const { data } = await test.ask(FEATURES, { filter: { sceneId }, first: 2, after });
      seen.push(...data.features.nodes);
      after = data.features.pageInfo.hasNextPage ? data.features.pageInfo.endCursor : null;
    } while (after !== null);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.map(({ areaM2 }) => areaM2)).toEqual(seen.map(({ areaM2 }) => areaM2).toSorted((a, b) => b - a));
  });

  it('finds what lies near a place, nearest first, with the distance in the row', async () => {
    const near = { geometry: { type: 'Point', coordinates: [9.012, 50.545] }, withinM: 5000 };
    const { data, error } = await test.ask(FEATURES, {
      filter: { near },
      orderBy: { by: 'DISTANCE', direction: 'ASC' },
    });
    expect(error).toBeNull();
    const distances = data.features.nodes.map(({ distanceM }) => distanceM);
    expect(distances.length).toBeGreaterThan(0);
    expect(distances).toEqual(distances.toSorted((a: number, b: number) => a - b));
  });

  it('gives the same features as one GeoJSON document', async () => {
    const { data } = await test.ask(
      `query($filter: FeatureFilter) { featureCollection(filter: $filter) features(filter: $filter) { totalCount } }`,
      { filter: { sceneId, promptContains: 'bright' } },
    );
    expect(data.featureCollection.type).toBe('FeatureCollection');
    expect(data.featureCollection.features.length).toBe(data.features.totalCount);
  });

  it.each([
    [
      {
        intersects: {
          type: 'Polygon',
          coordinates: [
            [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 0.5],
            ],
          ],
        },
      },
      /coordinates\[0\]: a ring must end at its first position/,
    ],
    [{ intersects: { type: 'Point', coordinates: [500_000, 5_600_000] } }, /500000/],
    [{ bbox: [0, 10, 1, 5] }, /south 10 above north 5/],
  ])('refuses %o', async (filter, message) => {
    const { error } = await test.ask(FEATURES, { filter });
    expect(error?.message).toMatch(message);
    expect(error?.code).not.toBe('INTERNAL_SERVER_ERROR');
  });
});

describe('the schema', () => {
  it('finds any object by its identifier', async () => {
    const { data } = await test.ask(`{ node(id: "${sceneId}") { __typename id } models { id ready } }`);
    expect(data).toEqual({ node: { __typename: 'Scene', id: sceneId }, models: [{ id: 'brightness/1', ready: true }] });
  });

  it('refuses operations that nest too deep and pages that are too large', async () => {
    const deep = `{ scenes { nodes { ${'segmentations { nodes { scene { '.repeat(5)} id ${'} } }'.repeat(5)} } } }`;
    expect((await test.ask(deep)).error?.message).toMatch(/depth limit of 12/);
    expect((await test.ask('{ scenes(first: 5000) { totalCount } }')).error).toEqual({
      code: 'PAGE_SIZE_INVALID',
      message: 'first is 5000; it must be 0 to 1000.',
    });
  });

  it('never shows what went wrong inside', async () => {
    const { error } = await test.ask('{ scene(id: "not a uuid") { id } }');
    expect(error).toBeNull();
  });

  it('deletes a scene with everything found on it', async () => {
    const file = path.join(test.root, 'gone.tif');
    await writeScene(file);
    const { data } = await test.ask(REGISTER, { input: { path: file } });
    const id: string = data.registerScene.id;
    await segment({ sceneId: id });
    expect((await test.ask(`mutation { deleteScene(id: "${id}") }`)).data.deleteScene).toBe(true);
    const after = await test.ask(`{ scene(id: "${id}") { id } features(filter: { sceneId: "${id}" }) { totalCount } }`);
    expect(after.data).toEqual({ scene: null, features: { totalCount: 0 } });
  });
});
