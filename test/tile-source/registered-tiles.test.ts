import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { tileJson } from '../../src/tiles/tile-json.ts';
import { parseTile, tileBounds } from '../../src/tiles/tile-grid.ts';
import { colourOf, TILE_PX, tilePng, TileServer } from './tile-server.ts';

const REGISTER = `mutation($tiles: TileSourceInput!) { registerScene(input: { tiles: $tiles }) {
  id name source attribution widthPx heightPx bands crs gsdM footprint readByRange geotransform } }`;
/** A tile of zoom 12 in the Netherlands. */
const [X, Y] = [2103, 1346];

let server: TileServer;
let test: TestApp;

beforeAll(async () => {
  server = await TileServer.start();
  test = await openTestApp({ TERRAQL_MAX_TILES: '16' }, openTestDatabase, server.client());
});
beforeEach(() => server.reset());
afterAll(async () => {
  await test.close();
  server.close();
});

const register = (tiles: Record<string, unknown> = {}) =>
  test.ask(REGISTER, {
    tiles: { template: server.template, zoom: 14, bounds: tileBounds(parseTile('12', String(X), String(Y))), ...tiles },
  });

async function pixels(sceneId: string, window: { x: number; y: number; width: number; height: number }, outPx: number) {
  const scene = await test.services.scenes.get(sceneId);
  const image = await test.services.scenes.open(scene);
  try {
    return { image, ...(await image.readRgb(window, outPx, outPx, scene)) };
  } finally {
    await image.close();
  }
}

const leftovers = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('terraql-tiles-'));

describe('a scene of tiles', () => {
  it('is a georeferenced image of the tiles, each where it belongs, and keeps whom to name', async () => {
    const { data, error } = await register({ attribution: '© Land survey & others' });
    expect(error).toBeNull();
    const scene = data.registerScene;
    expect(scene).toMatchObject({
      name: expect.stringMatching(/^files\.example:\d+ z14$/),
      source: `${server.origin}/{z}/{x}/{y}.png`,
      attribution: '© Land survey & others',
      widthPx: 4 * TILE_PX,
      heightPx: 4 * TILE_PX,
      bands: 4,
      crs: 'EPSG:3857',
      readByRange: false,
    });
    const [west, south, east, north] = tileBounds(parseTile('12', String(X), String(Y)));
    const ring = scene.footprint.coordinates[0] as unknown as [number, number][];
    expect(Math.min(...ring.map(([longitude]) => longitude))).toBeCloseTo(west, 9);
    expect(Math.max(...ring.map(([longitude]) => longitude))).toBeCloseTo(east, 9);
    expect(Math.min(...ring.map(([, latitude]) => latitude))).toBeCloseTo(south, 9);
    expect(Math.max(...ring.map(([, latitude]) => latitude))).toBeCloseTo(north, 9);
    for (const [column, row] of [
      [0, 0],
      [3, 1],
      [2, 3],
    ] as const) {
      const middle = { x: column * TILE_PX + 100, y: row * TILE_PX + 50, width: 1, height: 1 };
      const { rgb, valid } = await pixels(scene.id, middle, 1);
      expect([...rgb, ...valid]).toEqual([...colourOf(4 * X + column, 4 * Y + row), 1]);
    }
    expect(new Set(server.asked).size).toBe(16);
    await expect.poll(leftovers, { timeout: 30_000 }).toEqual([]);
  });

  it('has overviews whose pixels are means of the tiles', async () => {
    const { data } = await register();
    const whole = { x: 0, y: 0, width: 4 * TILE_PX, height: 4 * TILE_PX };
    const { image, rgb } = await pixels(data.registerScene.id, whole, 4);
    expect(image.header.overviews.length).toBe(2);
    const mean = Array.from({ length: 16 }, (_, at) => [...rgb.subarray(3 * at, 3 * at + 3)]);
    expect(mean).toEqual(Array.from({ length: 16 }, (_, at) => colourOf(4 * X + (at % 4), 4 * Y + Math.floor(at / 4))));
  });

  it('has no data where the service has no tile, also in the first rows', async () => {
    server.trouble = ({ y, x }, response) => {
      if (y < 4 * Y + 2) return Boolean(response.writeHead(404).end('no tile here'));
      if (x === 4 * X) return Boolean(response.writeHead(204).end());
      return x === 4 * X + 1 && Boolean(response.writeHead(200).end());
    };
    const { data, error } = await register();
    expect(error).toBeNull();
    const { valid } = await pixels(data.registerScene.id, { x: 0, y: 0, width: 4 * TILE_PX, height: 4 * TILE_PX }, 4);
    expect([...valid]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1]);
  });

  it('keeps transparent and grey pixels, of any picture format', async () => {
    const half = await sharp({
      create: { width: TILE_PX, height: TILE_PX / 2, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 1 } },
    })
      .extend({ bottom: TILE_PX / 2, background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .webp({ lossless: true })
      .toBuffer();
    const grey = await sharp(Buffer.alloc(TILE_PX ** 2, 77), { raw: { width: TILE_PX, height: TILE_PX, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    server.trouble = ({ x }, response) => Boolean(response.writeHead(200).end(x % 2 === 0 ? half : grey));
    const { data, error } = await register();
    expect(error).toBeNull();
    const { rgb, valid } = await pixels(data.registerScene.id, { x: 0, y: 0, width: 2 * TILE_PX, height: TILE_PX }, 2);
    expect([...valid]).toEqual([1, 1, 0, 1]);
    expect([...rgb.subarray(0, 6)]).toEqual([200, 0, 0, 77, 77, 77]);
  });

  it('names them in its TileJSON, where programs expect markup', async () => {
    const described = { name: 'n', tiles: 't', footprint: null };
    expect(tileJson({ ...described, attribution: '<b>A & B</b>' }).attribution).toBe('&lt;b&gt;A &amp; B&lt;/b&gt;');
    expect(tileJson({ ...described, attribution: null })).not.toHaveProperty('attribution');
  });

  it('is asked about like any other, and shows whom to name', async () => {
    const { data } = await register({ attribution: 'Survey' });
    const { id } = data.registerScene;
    const asked = await test.ask('{ scenes(first: 1) { nodes { id attribution } } }');
    expect(asked.data.scenes.nodes).toEqual([{ id, attribution: 'Survey' }]);
    const answer = await test.ask(
      'mutation($id: ID!) { segment(input: { sceneId: $id, prompts: ["dark"] }) { state } }',
      { id },
    );
    expect(answer.error).toBeNull();
  });
});

describe('a tile service', () => {
  it.each<[string, string, string, TileServer['trouble']]>([
    [
      'that answers with a web page',
      'TILE_SOURCE_INVALID',
      `Tile 14/${4 * X}/${4 * Y} cannot be read (the server answered with text/html): The file is not a`,
      (_, response) => Boolean(response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>')),
    ],
    [
      'with a tile of another size',
      'TILE_SOURCE_INVALID',
      `Tile 14/${4 * X + 1}/${4 * Y} has 512 pixels a side, others have 128.`,
      ({ x, y }, response) =>
        x === 4 * X + 1 && (void tilePng(x, y, 512).then((png) => response.writeHead(200).end(png)), true),
    ],
    [
      'with tiles of an odd size',
      'TILE_SOURCE_INVALID',
      'has 300 x 300 pixels; the side must be 128, 256, 512, 1024.',
      ({ x, y }, response) => (void tilePng(x, y, 300).then((png) => response.writeHead(200).end(png)), true),
    ],
    [
      'with a truncated picture',
      'TILE_SOURCE_INVALID',
      'cannot be read (the server answered with no content type)',
      ({ x, y }, response) => (
        void tilePng(x, y).then((png) => response.writeHead(200).end(png.subarray(0, png.length / 2))),
        true
      ),
    ],
    [
      'that sends more than a tile can be',
      'TILE_SOURCE_INVALID',
      'is longer than 4194304 bytes.',
      (_, response) => Boolean(response.writeHead(200).end(Buffer.alloc(5 * 2 ** 20))),
    ],
    [
      'without any of the tiles',
      'TILE_SOURCE_INVALID',
      'The service has none of the 16 tiles at zoom 14.',
      (_, response) => Boolean(response.writeHead(404).end()),
    ],
    [
      'that wants a key',
      'SOURCE_REFUSED',
      'the server answered 403',
      (_, response) => Boolean(response.writeHead(403).end()),
    ],
    [
      'that stays out of service',
      'SOURCE_UNAVAILABLE',
      'could not be read after 3 attempts: the server answered 503',
      (_, response) => Boolean(response.writeHead(503).end()),
    ],
    [
      'that wants to be left alone for an hour',
      'SOURCE_UNAVAILABLE',
      'could not be read after 1 attempts: the server answered 429',
      (_, response) => Boolean(response.writeHead(429, { 'retry-after': '3600' }).end()),
    ],
    [
      'that leads to a metadata service',
      'ADDRESS_NOT_ALLOWED',
      'Host 169.254.169.254 has address 169.254.169.254',
      (_, response) => Boolean(response.writeHead(302, { location: 'https://169.254.169.254/latest' }).end()),
    ],
    [
      'that leads to plain http',
      'URL_NOT_ALLOWED',
      'only https is supported',
      (_, response) => Boolean(response.writeHead(302, { location: 'http://files.example/1/1/1.png' }).end()),
    ],
  ])('%s is refused with a reason, and leaves nothing behind', async (_, code, message, trouble) => {
    server.trouble = trouble;
    const before = await test.ask('{ scenes { totalCount } }');
    const { error } = await register();
    expect(error).toEqual({ code, message: expect.stringContaining(message) });
    expect(error!.message).not.toContain('SECRET');
    expect((await test.ask('{ scenes { totalCount } }')).data).toEqual(before.data);
    await expect.poll(leftovers, { timeout: 30_000 }).toEqual([]);
  });

  it('that is out of service for a moment is asked again', async () => {
    const failed = new Set<string>();
    server.trouble = ({ x, y }, response) => {
      const tile = `${x}/${y}`;
      if (failed.has(tile)) return false;
      failed.add(tile);
      return Boolean(response.writeHead(503, { 'retry-after': '0' }).end());
    };
    expect((await register()).error).toBeNull();
    expect(server.asked.length).toBe(32);
  });

  it('is not asked for more tiles than the limit, nor for a template without placeholders', async () => {
    expect((await register({ zoom: 15 })).error).toEqual({
      code: 'TOO_MANY_TILES',
      message:
        'The bounds cover 64 tiles at zoom 15; the limit is 16 (TERRAQL_MAX_TILES). Choose smaller bounds or a lower zoom.',
    });
    expect((await register({ template: `${server.origin}/a.png` })).error).toMatchObject({
      code: 'TILE_SOURCE_INVALID',
    });
    const both = await test.ask(
      `mutation { registerScene(input: { path: "a.tif", tiles: { template: "t", zoom: 1, bounds: [0, 0, 1, 1] } }) { id } }`,
    );
    expect(both.error).toEqual({
      code: 'SCENE_REFERENCE_INVALID',
      message: 'Give exactly one of path, url, uploadId, tiles; given: path, tiles.',
    });
    expect(server.asked).toEqual([]);
  });
});
