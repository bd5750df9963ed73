import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { squarePosition } from '../../src/tiles/tile-grid.ts';
import { decodeTile } from '../tiles/decoded-tile.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

let served: ServedApp;
/** Address of the tile that holds the middle of the suburb. */
let tile: string;
let bbox: readonly number[];

beforeAll(async () => {
  served = await openServedApp({ TERRAQL_CORS_ORIGINS: 'https://maps.example.org' });
  await served.segment(['bright']);
  const { data } = await served.ask('{ features(first: 1) { nodes { bbox centroid } } }');
  const [{ bbox: box, centroid }] = data.features.nodes;
  bbox = box;
  const z = 18;
  const [x, y] = squarePosition(centroid.coordinates[0]!, centroid.coordinates[1]!);
  tile = `/tiles/features/${z}/${Math.floor(x * 2 ** z)}/${Math.floor(y * 2 ** z)}.mvt`;
});
afterAll(() => served.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${served.url}${path}`, { headers });
const layersOf = async (path: string) => decodeTile(new Uint8Array(await (await get(path)).arrayBuffer()));

describe('a vector tile over HTTP', () => {
  it('is compressed on request, with the same content', async () => {
    const response = await get(tile, { 'accept-encoding': 'identity' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/vnd.mapbox-vector-tile');
    expect((await layersOf(tile)).features).toEqual(decodeTile(new Uint8Array(await response.arrayBuffer())).features);
  });

  it('is 304 for who has it', async () => {
    const etag = (await get(tile)).headers.get('etag')!;
    // `fetch` asks for the whole with it.
    const [answer] = (await once(
      request(`${served.url}${tile}`, { headers: { 'if-none-match': etag } }).end(),
      'response',
    )) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(304);
  });

  it('follows the filter of every outlet, and a saved view', async () => {
    const none = encodeURIComponent(JSON.stringify({ promptContains: 'dark' }));
    expect((await layersOf(`${tile}?filter=${none}`)).features).toBeUndefined();
    await served.ask('mutation { createView(input: { name: "Bright", filter: { promptContains: "bright" } }) { id } }');
    expect((await layersOf(`${tile}?view=bright&r=7`)).features).toEqual((await layersOf(tile)).features);
    const file = await get('/features.geojson?view=bright');
    const { data } = await served.ask('{ features { totalCount } }');
    expect(((await file.json()) as { features: unknown[] }).features).toHaveLength(data.features.totalCount);
  });

  it('is rendered again after a commit that affects it, in this process and in any other', async () => {
    const before = await layersOf(tile);
    const id = before.features![0]!.properties['id'];
    await served.ask('mutation ($ids: [ID!]!) { reviewFeatures(ids: $ids, status: REJECTED) { id } }', { ids: [id] });
    await vi.waitFor(async () => {
      const reviewed = (await layersOf(tile)).features!.find(({ properties }) => properties['id'] === id);
      expect(reviewed!.properties['review']).toBe('REJECTED');
    });
    await served.segment(['dark']);
    await vi.waitFor(async () => {
      const prompts = new Set((await layersOf(tile)).features!.map(({ properties }) => properties['prompt']));
      expect(prompts).toEqual(new Set(['bright', 'dark']));
    });
  });

  it.each([
    ['/tiles/features/25/0/0.mvt', 404, 'TILE_NOT_FOUND'],
    ['/tiles/features/1/2/0.mvt', 404, 'TILE_NOT_FOUND'],
    ['/tiles/features/a/b/c.mvt', 404, 'TILE_NOT_FOUND'],
    ['/tiles/features/0/0/0.mvt?filter={', 400, 'BAD_USER_INPUT'],
    ['/tiles/features/0/0/0.mvt?filter={"nothing":1}', 400, 'BAD_USER_INPUT'],
    ['/tiles/features/0/0/0.mvt?view=nowhere', 404, 'VIEW_NOT_FOUND'],
    ['/tiles/features/0/0/0.mvt?view=bright&filter={"prompt":"a"}', 400, 'BAD_USER_INPUT'],
    ['/tiles/features/0/0/0.mvt?colour=red', 400, 'BAD_USER_INPUT'],
  ])('%s is refused', async (path, status, code) => {
    const response = await get(path);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      status,
      code,
    ]);
  });

  it('is described by TileJSON with every attribute', async () => {
    const described = (await (await get('/tiles/features.json?view=bright')).json()) as {
      tilejson: string;
      tiles: string[];
      vector_layers: { id: string; fields: Record<string, string> }[];
    };
    expect(described.tilejson).toBe('3.0.0');
    expect(described.tiles).toEqual([`${served.url}/tiles/features/{z}/{x}/{y}.mvt?view=bright`]);
    const { features } = await layersOf(tile);
    const fields = Object.keys(described.vector_layers[0]!.fields);
    for (const { properties } of features!) expect(fields).toEqual(expect.arrayContaining(Object.keys(properties)));
    expect(bbox).toHaveLength(4);
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    fetch(`${served.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });

  it('that is allowed may ask, read headers and send bytes', async () => {
    const response = await preflight('https://maps.example.org');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://maps.example.org');
    expect(response.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('if-none-match');
    const read = await get(tile, { origin: 'https://maps.example.org' });
    expect(read.headers.get('access-control-allow-origin')).toBe('https://maps.example.org');
    expect(read.headers.get('access-control-expose-headers')).toContain('ETag');
  });

  it('that is not allowed gets no CORS header', async () => {
    expect((await preflight('https://elsewhere.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect(
      (await get(tile, { origin: 'https://elsewhere.example' })).headers.get('access-control-allow-origin'),
    ).toBeNull();
  });
});
