import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { writeUtmScene } from '../utm-scene.ts';
import path from 'node:path';

interface Linked {
  readonly rel: string;
  readonly href: string;
  readonly method?: string;
  readonly body?: object;
}
interface StacItem {
  readonly id: string;
  readonly bbox: readonly number[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly links: readonly Linked[];
  readonly assets: Readonly<Record<string, { readonly href: string; readonly type: string; readonly title: string }>>;
}
interface Found {
  readonly type: string;
  readonly features: readonly StacItem[];
  readonly numberMatched: number;
  readonly links: readonly Linked[];
  readonly conformsTo: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

const SIDE = 64;
let test: ServedApp;
let asked: { sceneId: string; segmentationIds: string[] };
const dated: string[] = [];

beforeAll(async () => {
  test = await openServedApp({ TERRAQL_SCENE_ROOTS: '/' });
  asked = await test.segment(['bright', 'dark']);
  for (let day = 1; day <= 4; day++) {
    const file = path.join(test.root, `day-${day}.tif`);
    await writeUtmScene(file, new Uint8Array(SIDE * SIDE * 3).fill(20 + day), SIDE, SIDE);
    const acquiredAt = new Date(`2026-05-0${day}T10:00:00Z`);
    dated.push((await test.services.scenes.register({ path: file, acquiredAt })).id);
  }
});
afterAll(() => test.close());

async function read(address: string): Promise<Found> {
  const response = await fetch(address.startsWith('http') ? address : `${test.url}/stac${address}`);
  return (await response.json()) as Found;
}
async function post(body: unknown): Promise<Found> {
  const response = await fetch(`${test.url}/stac/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Found;
}
const idsOf = ({ features }: Found): string[] => features.map(({ id }) => id);
const search = (parameters: Record<string, string>): Promise<Found> =>
  read(`/search?${new URLSearchParams(parameters).toString()}`);

describe('a scene as an Item of STAC', () => {
  it('has the files of its answers as assets, each of the type that it says', async () => {
    const item = (await read(`/collections/scenes/items/${asked.sceneId}`)) as unknown as StacItem;
    expect(Object.keys(item.assets).toSorted()).toEqual(
      asked.segmentationIds.flatMap((id) => [`${id}-features`, `${id}-mask`, `${id}-overlay`]).toSorted(),
    );
    for (const { href, type, title } of Object.values(item.assets)) {
      const response = await fetch(href);
      expect([href, response.status]).toEqual([href, 200]);
      expect(response.headers.get('content-type')?.split(';')[0]).toBe(type.split(';')[0]);
      expect(['bright', 'dark']).toContain(title);
    }
    const [id] = asked.segmentationIds;
    const answer = (await (await fetch(item.assets[`${id}-features`]!.href)).json()) as { features: unknown[] };
    const count = (await test.services.segmentations.require(id!)).featureCount;
    expect(count).toBeGreaterThan(0);
    expect(answer.features).toHaveLength(count);
  });

  it('says where its pixels lie, and when it was taken', async () => {
    const item = (await read(`/collections/scenes/items/${asked.sceneId}`)) as unknown as StacItem;
    const scene = await test.services.scenes.get(asked.sceneId);
    const [x, xByColumn, , y, , yByRow] = scene.affine!;
    expect(item.properties).toMatchObject({
      title: '<Suburb>',
      datetime: null,
      end_datetime: scene.createdAt.toISOString(),
      gsd: scene.gsdM,
      'proj:code': 'EPSG:26913',
      'proj:shape': [scene.heightPx, scene.widthPx],
      'proj:transform': [xByColumn, 0, x, 0, yByRow, y, 0, 0, 1],
      'terraql:sha256': scene.sha256,
    });
    const positions = (scene.footprint!.coordinates as number[][][]).flat();
    expect(item.bbox[0]).toBe(Math.min(...positions.map(([longitude]) => longitude!)));
    expect(item.bbox[3]).toBe(Math.max(...positions.map(([, latitude]) => latitude!)));
    const [first] = (await search({ ids: dated[0]! })).features;
    expect(first!.properties).toMatchObject({ datetime: '2026-05-01T10:00:00.000Z' });
    expect(first!.assets).toEqual({});
  });

  it('that there is none of is not found, and neither is another collection', async () => {
    const unknown = '01900000-0000-7000-8000-000000000000';
    expect((await read(`/collections/scenes/items/${unknown}`)).error?.code).toBe('ITEM_NOT_FOUND');
    expect((await read('/collections/others/items')).error?.code).toBe('COLLECTION_NOT_FOUND');
  });
});

describe('the documents of STAC', () => {
  it('lead to one another by links that answer', async () => {
    const seen = new Set<string>();
    const pending = [`${test.url}/stac`];
    for (let href = pending.pop(); href !== undefined; href = pending.pop()) {
      if (seen.has(href)) continue;
      seen.add(href);
      const response = await fetch(href);
      expect([href, response.status]).toEqual([href, 200]);
      if (!(response.headers.get('content-type') ?? '').includes('json')) continue;
      const document = (await response.json()) as { links?: Linked[] };
      const links = (document.links ?? []).filter(({ method }) => method !== 'POST');
      pending.push(...links.map((link) => link.href).filter((link) => link.includes('/stac')));
    }
    expect(seen.size).toBeGreaterThan(8);
    expect((await read('')).conformsTo).toContain('https://api.stacspec.org/v1.0.0/item-search');
  });
});

describe('a search', () => {
  it('goes page by page through all items, each once, by GET and by POST', async () => {
    const byGet: string[] = [];
    for (let next: string | undefined = '/search?limit=2'; next !== undefined;) {
      const page: Found = await read(next);
      expect(page.numberMatched).toBe(5);
      byGet.push(...idsOf(page));
      next = page.links.find(({ rel }) => rel === 'next')?.href;
    }
    const byPost: string[] = [];
    for (let body: object | undefined = { limit: 2, collections: ['scenes'] }; body !== undefined;) {
      const page: Found = await post(body);
      byPost.push(...idsOf(page));
      body = page.links.find(({ rel }) => rel === 'next')?.body;
    }
    expect(byGet.toSorted()).toEqual([asked.sceneId, ...dated].toSorted());
    expect(byPost).toEqual(byGet);
  });

  const near = [9, 47, 10, 49];
  it.each([
    ['identifiers', () => ({ ids: [dated[1]!] }), () => [dated[1]!]],
    ['no identifier', () => ({ ids: [] }), () => []],
    ['identifiers that are none', () => ({ ids: ['x'] }), () => []],
    ['another collection', () => ({ collections: ['others'] }), () => []],
    ['another collection, on a later page', () => ({ collections: ['others'], token: 'x' }), () => []],
    ['an instant', () => ({ datetime: '2026-05-02T10:00:00Z' }), () => [dated[1]!]],
    ['an instant in lower case', () => ({ datetime: '2026-05-02t10:00:00z' }), () => [dated[1]!]],
    ['an interval', () => ({ datetime: '2026-05-03T00:00:00Z/..' }), () => [dated[3]!, dated[2]!]],
    ['a box', () => ({ bbox: near }), async () => inside(near)],
    ['an area', () => ({ intersects: { type: 'Point', coordinates: [0, -80] } }), () => []],
    [
      'a filter',
      () => ({
        filter: { op: '<', args: [{ property: 'datetime' }, { timestamp: '2026-05-02T00:00:00Z' }] },
        'filter-lang': 'cql2-json',
      }),
      () => [dated[0]!],
    ],
    ['a filter in text', () => ({ filter: 'gsd < 1', 'filter-lang': 'cql2-text' }), () => [asked.sceneId]],
  ])('finds those of %s', async (_what, body, expected) => {
    const found = await post(body());
    expect(found.error).toBeUndefined();
    expect(idsOf(found).toSorted()).toEqual([...(await expected())].toSorted());
    const parameters = Object.fromEntries(
      Object.entries(body()).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value),
      ]),
    );
    if (parameters['ids'] !== '') expect(idsOf(await search(parameters))).toEqual(idsOf(found));
  });

  it.each<[object, string]>([
    [{ bbox: [1, 2, 3] }, 'PARAMETER_INVALID'],
    [{ bbox: [0, 0, 1, 1], intersects: { type: 'Point', coordinates: [0, 0] } }, 'PARAMETER_INVALID'],
    ...['yesterday', '2026-05-01', '2026-05-01T10:00:00+0100', '../..'].map(
      (datetime) => [{ datetime }, 'PARAMETER_INVALID'] as [object, string],
    ),
    [{ limit: 0 }, 'PARAMETER_INVALID'],
    [{ fields: {} }, 'PARAMETER_INVALID'],
    [{ filter: { op: '=', args: [{ property: 'blobKey' }, 'x'] } }, 'INVALID_CQL2'],
    [{ filter: 'gsd <', 'filter-lang': 'cql2-text' }, 'INVALID_CQL2'],
    [{ intersects: { type: 'Circle' } }, 'INVALID_GEOMETRY'],
    [{ token: 'x' }, 'INVALID_CURSOR'],
  ])('of %j is refused with %s', async (body, code) => {
    expect((await post(body)).error?.code).toBe(code);
  });

  async function inside([west, south, east, north]: number[]): Promise<string[]> {
    const { edges } = await test.services.scenes.list({}, { first: 100 });
    const positions = edges.map(({ node }) => [node.id, (node.footprint!.coordinates as number[][][]).flat()] as const);
    return positions
      .filter(([, all]) => all.some(([x, y]) => x! >= west! && x! <= east! && y! >= south! && y! <= north!))
      .map(([id]) => id);
  }
});
