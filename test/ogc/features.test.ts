import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { ViewRepository } from '../../src/view/view.repository.ts';
import { ODD_PROMPT, storeForExport } from '../export/stored-exports.ts';
import { items, serveOgc, type ServedOgc, type TestLink } from './served-ogc.ts';

let ogc: ServedOgc;
const stored = { plain: '', odd: '' };

beforeAll(async () => {
  ogc = await serveOgc(async (database: Database) => {
    Object.assign(stored, await storeForExport(database));
    const filter = { areaM2: { min: 1_000_000 } };
    const order = { by: 'AREA', direction: 'DESC' } as const;
    await new ViewRepository(database).create({ slug: 'large', name: 'Large <b>', filter, order, style: null });
  });
});
afterAll(() => ogc.close());

const ids = async (address: string): Promise<string[]> => (await ogc.read(address)).features.map(({ id }) => id);

describe('the documents of OGC API', () => {
  it('lead to one another by links that answer with the type they state', async () => {
    const seen = new Set<string>();
    const pending: TestLink[] = [{ href: `${ogc.url}/ogc`, rel: 'self', type: 'application/json' }];
    for (let link = pending.pop(); link; link = pending.pop()) {
      if (seen.has(link.href) || link.templated || seen.size > 120) continue;
      seen.add(link.href);
      const response = await ogc.get(link.href, { accept: link.type });
      expect([link.href, response.status]).toEqual([link.href, 200]);
      const type = response.headers.get('content-type') ?? '';
      expect(type.split(';')[0], link.href).toBe(link.type.split(';')[0]);
      if (!type.includes('json')) continue;
      const document = (await response.json()) as { links?: TestLink[]; collections?: { links: TestLink[] }[] };
      pending.push(...(document.links ?? []), ...(document.collections ?? []).flatMap(({ links }) => links));
    }
    expect(seen.size).toBeGreaterThan(50);
  });

  it('say in both forms where the other is, and answer by the header Accept or by f', async () => {
    for (const path of ['', '/conformance', '/collections', '/collections/features', '/collections/features/items']) {
      const { links } = await ogc.read(path);
      expect(links.map(({ rel }) => rel)).toEqual(expect.arrayContaining(['self', 'alternate']));
      const page = await ogc.get(`${path}?f=html`);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect((await ogc.get(path, { accept: 'text/html,*/*;q=0.5' })).headers.get('content-type')).toContain('html');
    }
  });

  it('has markup of prompts and names as text', async () => {
    const page = await (await ogc.get('/collections?f=html')).text();
    expect(page).toContain('Large &lt;b&gt;');
    expect(page).toContain('with &lt;b&gt;ducks&lt;/b&gt;');
  });

  it('is listed as features, scenes, views and prompts, a page of prompts at a time', async () => {
    const all = await ogc.read('/collections');
    const names = all.collections.map(({ id }) => id);
    expect(names.slice(0, 3)).toEqual(['features', 'scenes', 'view-large']);
    expect(names).toHaveLength(5);
    const paged: string[] = [];
    for (let address: string | undefined = '/collections?limit=1'; address !== undefined;) {
      const page = await ogc.read(address);
      paged.push(...page.collections.map(({ id }) => id));
      address = page.links.find(({ rel }) => rel === 'next')?.href;
    }
    expect(paged).toEqual(names);
  });

  it('keeps its entity tag until it changes', async () => {
    const address = items('features');
    const etag = (await ogc.get(address)).headers.get('etag')!;
    const known = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await ogc.get(address, known)).status).toBe(304);
    expect((await ogc.get(items('features', { limit: 1 }), known)).status).toBe(200);
  });

  it('describes its parameters in OpenAPI 3.0 as Part 1 prescribes them', async () => {
    const response = await ogc.get('/api');
    expect(response.headers.get('content-type')).toBe('application/vnd.oai.openapi+json;version=3.0');
    const api = (await response.json()) as {
      openapi: string;
      paths: Record<string, { get: { parameters: Record<string, unknown>[] } }>;
    };
    expect(api.openapi).toMatch(/^3\.0\./);
    const { parameters } = api.paths['/collections/{collectionId}/items']!.get;
    const named = (name: string) => parameters.find((parameter) => parameter['name'] === name);
    expect(named('limit')).toMatchObject({ in: 'query', required: false, style: 'form', explode: false });
    expect(named('limit')).toHaveProperty('schema', { type: 'integer', minimum: 1, maximum: 1000, default: 10 });
    expect(named('bbox')).toHaveProperty('schema', {
      type: 'array',
      minItems: 4,
      maxItems: 6,
      items: { type: 'number' },
    });
    expect(named('datetime')).toHaveProperty('schema', { type: 'string' });
  });

  it('names in the schema and the queryables what items have', async () => {
    for (const collection of ['features', 'scenes']) {
      const { features } = await ogc.read(items(collection, { limit: 1 }));
      const schema = await ogc.read(`/collections/${collection}/schema`);
      const queryables = await ogc.read(`/collections/${collection}/queryables`);
      const properties = new Set([...Object.keys(features[0]!.properties), 'id', 'geometry']);
      properties.delete('distanceM');
      expect(new Set(Object.keys(schema.properties))).toEqual(properties);
      expect(new Set(Object.keys(queryables.properties))).toEqual(properties);
    }
  });
});

describe('items', () => {
  it('come page by page, each once, with the same count on every page', async () => {
    const every = new Set(await ids(items('features', { limit: 1000 })));
    expect(every.size).toBe(7);
    const walked: string[] = [];
    for (let address: string | undefined = items('features', { limit: 2 }); address !== undefined;) {
      const page = await ogc.read(address);
      expect(page.numberMatched).toBe(7);
      expect(page.numberReturned).toBe(page.features.length);
      walked.push(...page.features.map(({ id }) => id));
      address = page.links.find(({ rel }) => rel === 'next')?.href;
    }
    expect(walked).toHaveLength(7);
    expect(new Set(walked)).toEqual(every);
  });

  it('is one feature under its identifier, with links to its collection', async () => {
    const [id] = await ids(items('features', { limit: 1 }));
    const feature = await ogc.read(`/collections/features/items/${id}`);
    expect(feature).toMatchObject({ type: 'Feature', id });
    expect(feature.links.map(({ rel }) => rel)).toEqual(['self', 'alternate', 'collection']);
    expect((await ogc.get('/collections/features/items/nowhere')).status).toBe(404);
    expect((await ogc.get(`/collections/view-large/items/${id}`)).status).toBe(404);
  });

  it('of a view have its filter and order, those of a prompt its prompt', async () => {
    const view = await ogc.read(items('view-large'));
    const areas = view.features.map(({ properties }) => Number(properties['areaM2']));
    expect(areas.length).toBeGreaterThan(1);
    expect(areas).toEqual(areas.toSorted((a, b) => b - a));
    expect(Math.min(...areas)).toBeGreaterThanOrEqual(1_000_000);
    const { collections } = await ogc.read('/collections');
    const odd = collections.find(({ title }) => title === ODD_PROMPT)!;
    const found = await ogc.read(items(odd.id));
    expect(found.numberMatched).toBe(2);
    expect(found.features.every(({ properties }) => properties['prompt'] === ODD_PROMPT)).toBe(true);
  });

  it('has as many as the setting allows where more are asked for', async () => {
    expect((await ogc.get(items('features', { limit: 100_000 }))).status).toBe(200);
  });

  it('are those of a time when datetime says so', async () => {
    const count = async (datetime: string): Promise<number> =>
      (await ogc.read(items('features', { datetime }))).numberMatched;
    expect(await count('2024-06-01T10:00:00Z')).toBe(7);
    expect(await count('2024-06-01')).toBe(7);
    expect(await count('../2024-06-01T09:59:59Z')).toBe(0);
    expect(await count('2024-05-31T00:00:00Z/..')).toBe(7);
    expect(await count('2024-05-31/P2D')).toBe(7);
    expect(await count('2024-05-30/P1D')).toBe(0);
    expect(await count('P1D/2024-06-02T00:00:00Z')).toBe(7);
  });

  it('are those in a box, in any system', async () => {
    const inDegrees = await ids(items('features', { bbox: '10,50,10.15,50.15' }));
    expect(inDegrees).toHaveLength(2);
    const epsg = (code: number): string => `http://www.opengis.net/def/crs/EPSG/0/${code}`;
    const boxes: [number, string][] = [
      [4326, '50,10,50.15,10.15'],
      [3857, '1113194.908,6446275.841,1129892.831,6472293.3'],
      [25832, '571666,5539000,582200,5556400'],
    ];
    for (const [code, bbox] of boxes) {
      expect(await ids(items('features', { bbox, 'bbox-crs': epsg(code) })), String(code)).toEqual(inDegrees);
    }
    expect(await ids(items('features', { bbox: '10,50,-5,10.15,50.15,300' }))).toEqual(inDegrees);
    expect(await ids(items('features', { bbox: '179,-1,-179,1' }))).toHaveLength(1);
    expect(await ids(items('scenes', { bbox: '10,50,10.15,50.15' }))).toHaveLength(1);
  });

  it('are in any system that the list of all collections names, to which each collection refers', async () => {
    const { crs, collections } = await ogc.read('/collections');
    const uris = crs as readonly string[];
    expect(uris.length).toBeGreaterThan(6000);
    expect(new Set(uris).size).toBe(uris.length);
    for (const collection of collections) {
      const [reference, ...usual] = (collection['crs'] as readonly string[]).toReversed();
      expect(reference).toBe('#/crs');
      expect(uris).toEqual(expect.arrayContaining(usual));
    }
    for (let at = 5; at < uris.length; at += 400) {
      const response = await ogc.get(items('features', { crs: uris[at]!, limit: 1 }));
      expect([response.status, response.headers.get('content-crs')]).toEqual([200, `<${uris[at]!}>`]);
    }
  });

  it('are written in the system that crs names, its axes in the order of the registry', async () => {
    const epsg = (code: number): string => `http://www.opengis.net/def/crs/EPSG/0/${code}`;
    const [id] = await ids(items('features', { bbox: '10,50,10.0005,50.001' }));
    const corner = async (crs: string): Promise<readonly number[]> => {
      const response = await ogc.get(`/collections/features/items/${id}?crs=${encodeURIComponent(crs)}`);
      expect(response.headers.get('content-crs')).toBe(`<${crs}>`);
      const { geometry } = (await response.json()) as { geometry: { coordinates: number[][][] } };
      return geometry.coordinates[0]![0]!;
    };
    expect(await corner('http://www.opengis.net/def/crs/OGC/1.3/CRS84')).toEqual([10, 50]);
    expect(await corner(epsg(4326))).toEqual([50, 10]);
    expect(await corner(epsg(3857))).toEqual([1_113_194.908, 6_446_275.841]);
    // gdaltransform -s_srs EPSG:4326 -t_srs EPSG:25832 and EPSG:31468 (northing first), PROJ 9.1
    const utm = await corner(epsg(25832));
    expect(utm[0]).toBeCloseTo(571_666.448, 2);
    expect(utm[1]).toBeCloseTo(5_539_109.816, 2);
    const gaussKrueger = await corner(epsg(31468));
    expect(gaussKrueger[0]).toBeGreaterThan(5_500_000);
    expect(gaussKrueger[1]).toBeLessThan(4_400_000);
    expect((await ogc.get(items('features'))).headers.get('content-crs')).toBe(
      '<http://www.opengis.net/def/crs/OGC/1.3/CRS84>',
    );
  });

  it.each([
    [{ colour: 'red' }, 'Parameter "colour" does not exist'],
    [{ limit: 0 }, 'limit is "0"; it must be a whole number of at least 1.'],
    [{ limit: 'many' }, 'limit is "many"'],
    [{ bbox: '1,2,3' }, 'bbox is "1,2,3"; it must be 4 or 6 numbers'],
    [{ bbox: '1,2,3,x' }, 'bbox is "1,2,3,x"'],
    [{ bbox: '1,5,3,2' }, 'lower corner first'],
    [{ bbox: '1,2,3,100' }, 'must be [west, south, east, north]'],
    [{ datetime: 'yesterday' }, 'datetime is "yesterday"'],
    [{ datetime: '2024-02-30' }, 'datetime is "2024-02-30"'],
    [{ datetime: '2024-06-02T00:00:00Z/2024-06-01T00:00:00Z' }, 'ends before it begins'],
    [{ crs: 'http://www.opengis.net/def/crs/EPSG/0/999999' }, 'crs is "http://www.opengis.net/def/crs/EPSG/0/999999"'],
    [{ crs: 'mercator' }, 'crs is "mercator"; it must be'],
    [{ 'bbox-crs': 'x', bbox: '1,2,3,4' }, 'bbox-crs is "x"'],
    [{ filter: 'areaM2 > ' }, 'filter: expected a value, found the end at character 10'],
    [{ filter: 'height > 3' }, 'filter: property "height" does not exist (the properties are id, sceneId'],
    [{ filter: 'prompt > 3' }, 'filter: a text is compared with a number at character 8'],
    [{ filter: 'buffer(areaM2) > 3' }, 'filter: buffer is not supported here at character 1'],
    [{ filter: 'A_CONTAINS(prompt, (1))' }, 'filter: a_contains is not supported here at character 1'],
    [{ filter: 'S_INTERSECTS(geometry, POINT(200 0))' }, 'is not a position'],
    [{ filter: '{}', 'filter-lang': 'cql2-json' }, 'filter: an object with [] is not an expression'],
    [{ filter: 'a = 1', 'filter-lang': 'sql' }, 'filter-lang is "sql"'],
    [{ areaM2: 'wide' }, 'areaM2 is "wide"; it must be a number.'],
    [{ after: 'nonsense' }, 'Cursor "nonsense"'],
    [{ f: 'xml' }, 'f is "xml"; it must be json or html.'],
    [{ filter: 'areaM2 ^ 999 > 1' }, 'An arithmetic expression cannot be evaluated'],
  ])('refuses %j with 400 and what is wrong', async (parameters, message) => {
    const response = await ogc.get(items('features', parameters as Record<string, string>));
    const body = (await response.json()) as { error: { message: string } };
    expect([response.status, body.error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  it('refuses what it does not know with 404', async () => {
    for (const path of [
      '/collections/none',
      '/collections/prompt-0/items',
      '/collections/view-none/queryables',
      '/tileMatrixSets/x',
    ]) {
      expect((await ogc.get(path)).status, path).toBe(404);
    }
  });
});

describe('tiles of a collection', () => {
  it('are at the address of its tileset', async () => {
    const { tilesets } = (await ogc.read('/collections/view-large/tiles')) as unknown as {
      tilesets: { links: TestLink[] }[];
    };
    const template = tilesets[0]!.links.find(({ templated }) => templated)!.href;
    const tile = template.replace('{tileMatrix}', '6').replace('{tileCol}', '33').replace('{tileRow}', '21');
    const response = await ogc.get(tile);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/vnd.mapbox-vector-tile');
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    expect((await ogc.get('/collections/scenes/tiles')).status).toBe(404);
  });

  it('has the scale denominators of WebMercatorQuad', async () => {
    const { tileMatrices } = (await ogc.read('/tileMatrixSets/WebMercatorQuad')) as unknown as {
      tileMatrices: { scaleDenominator: number; matrixWidth: number }[];
    };
    // OGC 17-083r4, annex D.1
    expect(tileMatrices[0]!.scaleDenominator).toBeCloseTo(559_082_264.0287178, 3);
    expect(tileMatrices[24]!.matrixWidth).toBe(16_777_216);
  });
});
