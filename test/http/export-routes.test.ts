import type { FeatureCollection } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { exportServiceOn, storeForExport } from '../export/stored-exports.ts';
import { serveExports, type ServedExports } from './served-exports.ts';

const MAX_FEATURES = 2000;
let database: Database;
let served: ServedExports;
let ids = { scene: '', odd: '', plain: '' };

beforeAll(async () => {
  database = await openTestDatabase();
  ids = await storeForExport(database);
  served = await serveExports(exportServiceOn(database, MAX_FEATURES));
});
afterAll(async () => {
  await served.stop(0);
  await database.close();
});

const get = (route: string, init: RequestInit = {}) => fetch(`${served.url}${route}`, init);
const post = (route: string, body: unknown) =>
  get(route, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const query = (parameters: Record<string, unknown>) =>
  new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, JSON.stringify(value)]),
  ).toString();

describe('/features.{format}', () => {
  it.each([
    ['geojson', 'application/geo+json', 'geojson'],
    ['ndjson', 'application/x-ndjson', 'geojsonl'],
    ['geojsons', 'application/geo+json-seq', 'geojsons'],
    ['csv', 'text/csv; charset=utf-8; header=present', 'csv'],
    ['fgb', 'application/flatgeobuf', 'fgb'],
    ['parquet', 'application/vnd.apache.parquet', 'parquet'],
  ])('is a file to keep as %s, and says how many features it has and how many it leaves out', async (...row) => {
    const [format, type, ending] = row;
    const response = await get(`/features.${format}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'content-disposition': `attachment; filename=features.${ending}`,
      'cache-control': 'no-store',
      'terraql-feature-count': '5',
      'terraql-features-left-out': '2',
    });
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(500);
  });

  it('has the same answer by GET and by POST, in the order and to the limit asked for', async () => {
    const asked = { filter: { segmentationId: ids.plain }, orderBy: { by: 'AREA', direction: 'ASC' }, limit: 2 };
    const byGet = (await (await get(`/features.geojson?${query(asked)}`)).json()) as FeatureCollection;
    const byPost = await (await post('/features.geojson', asked)).json();
    expect(byPost).toEqual(byGet);
    const areas = byGet.features.map(({ properties }) => Number(properties?.['areaM2']));
    expect(areas).toHaveLength(2);
    expect(areas[0]).toBeLessThan(areas[1]!);
    expect((await (await post('/features.geojson', { filter: null })).json()) as object).toHaveProperty('features');
  });

  it('measures distances to the near condition and can be ordered by them', async () => {
    const near = { geometry: { type: 'Point', coordinates: [10.1, 50.1] }, withinM: 50_000 };
    const asked = { filter: { near }, orderBy: { by: 'DISTANCE', direction: 'ASC' } };
    const { features } = (await (await post('/features.geojson', asked)).json()) as FeatureCollection;
    const distances = features.map(({ properties }) => Number(properties?.['distanceM']));
    expect(distances[0]).toBe(0);
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(distances.length).toBeGreaterThan(2);
  });

  it('is compressed for clients that take gzip, but for parquet, which is compressed by itself', async () => {
    expect((await get('/features.csv')).headers.get('content-encoding')).toBe('gzip');
    expect((await get('/features.csv')).headers.get('vary')).toBe('Accept-Encoding');
    const plain = await get('/features.csv', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toMatch(/^id,sceneId,/);
    expect((await get('/features.parquet')).headers.get('content-encoding')).toBeNull();
  });

  it('answers HEAD with the headers of GET and nothing else, and OPTIONS with the methods', async () => {
    const head = await get('/features.geojson', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('terraql-feature-count')).toBe('5');
    expect(head.headers.get('content-type')).toBe('application/geo+json');
    const options = await get('/features.geojson', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
    const deleted = await get('/features.geojson', { method: 'DELETE' });
    expect(deleted.status).toBe(405);
    expect(await deleted.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
  });

  it('tells in a header what it repaired in the filter', async () => {
    const bow = {
      type: 'Polygon',
      coordinates: [
        [
          [10, 50],
          [11, 51],
          [11, 50],
          [10, 51],
          [10, 50],
        ],
      ],
    };
    const response = await post('/features.csv', { filter: { intersects: bow } });
    expect(response.headers.get('terraql-warning')).toMatch(/Polygon was invalid .* repaired/);
    await response.text();
  });
});

describe('what cannot be exported', () => {
  const point = { type: 'Point', coordinates: [200, 0] };
  it.each<[string, string, RegExp]>([
    [
      '/features.shp',
      'EXPORT_FORMAT_UNKNOWN',
      /"shp" does not exist; the formats are geojson, ndjson, geojsons, csv, coco, fgb, parquet, parquet.zip/,
    ],
    ['/features.gpkg', 'EXPORT_FORMAT_UNKNOWN', /ogr2ogr features\.gpkg features\.fgb/],
    ['/features.geojson?colour=red', 'EXPORT_REQUEST_INVALID', /Parameter colour does not exist; .* filter, orderBy/],
    ['/features.geojson?limit=1&limit=2', 'EXPORT_REQUEST_INVALID', /Parameter limit must be given once/],
    ['/features.geojson?filter=%7B', 'EXPORT_REQUEST_INVALID', /Parameter filter is not JSON: \{/],
    [`/features.geojson?${query({ filter: { colour: 'red' } })}`, 'BAD_USER_INPUT', /^filter: .*"colour"/],
    [`/features.geojson?${query({ filter: [] })}`, 'BAD_USER_INPUT', /^filter: /],
    [`/features.geojson?${query({ filter: { areaM2: { min: 'a' } } })}`, 'BAD_USER_INPUT', /^filter\.areaM2\.min: .*a/],
    [`/features.geojson?${query({ orderBy: { by: 'COLOUR' } })}`, 'BAD_USER_INPUT', /^orderBy\.by: .*COLOUR/],
    [`/features.geojson?${query({ orderBy: { by: 'DISTANCE' } })}`, 'INVALID_FILTER', /needs a near condition/],
    [`/features.geojson?${query({ filter: { intersects: point } })}`, 'INVALID_GEOMETRY', /200/],
    ['/features.geojson?limit=0', 'EXPORT_REQUEST_INVALID', /limit is 0; it must be 1 to 2000/],
    ['/features.geojson?limit=2001', 'EXPORT_REQUEST_INVALID', /limit is 2001; it must be 1 to 2000/],
    ['/features.geojson?limit=1.5', 'BAD_USER_INPUT', /^limit: .*1\.5/],
    ['/features.csv?precision=16', 'EXPORT_REQUEST_INVALID', /precision is 16; it must be 0 to 15/],
    [
      '/features.fgb?precision=3',
      'EXPORT_REQUEST_INVALID',
      /precision is 3, but fgb does not round longitude and latitude/,
    ],
  ])('is an error as JSON: %s', async (route, code, message) => {
    const response = await get(route);
    expect(response.status).toBe(code === 'EXPORT_FORMAT_UNKNOWN' ? 404 : 400);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('content-disposition')).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code, message: expect.stringMatching(message) as string } });
  });

  it.each([
    ['text/plain', '{}', /The body is text\/plain; it must be application\/json/],
    ['application/json', '[]', /must be a JSON object with any of filter, orderBy, precision, simplifyM, limit/],
    ['application/json', '{"colour":1}', /Member "colour" does not exist/],
    ['application/json', '{"a', /JSON/],
  ])('is a body of %s: %s', async (type, body, message) => {
    const response = await get('/features.csv', { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(message) as string } });
  });

  it('costs more than an operation of the API may', async () => {
    const bbox = [10, 50, 11, 51];
    const response = await post('/features.csv', { filter: { or: Array.from({ length: 201 }, () => ({ bbox })) } });
    expect(await response.json()).toMatchObject({
      error: {
        code: 'OPERATION_TOO_COSTLY',
        message: expect.stringMatching(/costs 1005; the limit is 1000/) as string,
      },
    });
  });

  it('is anything, when only persisted operations are answered', async () => {
    const closed = await serveExports(exportServiceOn(database), {
      TERRAQL_PERSISTED_OPERATIONS: 'operations.json',
    });
    const response = await fetch(`${closed.url}/features.geojson`);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'EXPORT_NOT_ALLOWED' } });
    await closed.stop(0);
  });

  it('is more than the service gives in one file, unless a limit takes the first of them', async () => {
    const { segmentation } = await runningSegmentation(database);
    const outlines = Array.from({ length: MAX_FEATURES + 1 }, (_, k) =>
      box(20 + k / 1e3, 10, 20.0005 + k / 1e3, 10.001),
    );
    await new SegmentationRepository(database).storeResult(
      segmentation,
      resultOf(
        featuresOf(...outlines).map((one) => ({ ...one, meanProbability: 0.5 })),
        { nearM: 0 },
      ),
    );
    const filter = { segmentationId: segmentation.id };
    const all = await post('/features.ndjson', { filter });
    expect(all.status).toBe(413);
    expect(await all.json()).toMatchObject({
      error: { code: 'EXPORT_TOO_LARGE', message: expect.stringMatching(/More than 2000 features match/) as string },
    });
    const first = await post('/features.ndjson', { filter, limit: MAX_FEATURES });
    expect((await first.text()).trimEnd().split('\n')).toHaveLength(MAX_FEATURES);
  });
});
