import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { bbox, booleanPointInPolygon } from '@turf/turf';
import type { Polygon, Position } from 'geojson';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERTAINTY as PAGE_COLOURS } from '../../src/dashboard/palette.ts';
import { CERTAINTY_COLOURS, certaintyStep } from '../../src/rendering/certainty-colours.ts';
import { squarePosition } from '../../src/tiles/tile-grid.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

let served: ServedApp;
let id: string;
let sceneId: string;
/** The largest feature: a position inside it, and its mean probability. */
let largest: { position: readonly [number, number]; meanProbability: number };

const ASKED = `query ($id: ID!) {
  segmentation(id: $id) {
    tilesUrl
    mask { tilesUrl }
    scene { id tilesUrl }
    features(first: 1) { nodes { meanProbability geometry } }
  }
}`;
const transform = (template: string, path: string): string =>
  path.split('/').reduce((url, part, index) => url.replace(['{z}', '{x}', '{y}'][index]!, part), template);

beforeAll(async () => {
  served = await openServedApp();
  const asked = await served.segment(['bright']);
  [id, sceneId] = [asked.segmentationIds[0]!, asked.sceneId];
  const { data } = await served.ask(ASKED, { id });
  const [{ geometry, meanProbability }] = data.segmentation.features.nodes;
  largest = { position: wellInside(geometry), meanProbability };
});
afterAll(() => served.close());

/** A position with the whole cross of half a metre around it inside an outline. */
function wellInside(outline: Polygon): readonly [number, number] {
  const [west, south, east, north] = bbox(outline);
  const reach = 0.5 / 111_000;
  for (let row = 1; row < 60; row++) {
    for (let column = 1; column < 60; column++) {
      const [x, y] = [west + ((east - west) * column) / 60, south + ((north - south) * row) / 60];
      const cross: Position[] = [
        [x - reach, y],
        [x + reach, y],
        [x, y - reach],
        [x, y + reach],
        [x, y],
      ];
      if (cross.every((position) => booleanPointInPolygon(position, outline))) return [x, y];
    }
  }
  throw new Error('the largest feature is nowhere a metre wide');
}
function placeIn(z: number, sidePx: number): { tile: string; x: number; y: number } {
  const [x, y] = squarePosition(...largest.position).map((share) => share * 2 ** z) as [number, number];
  const pixel = (value: number): number => Math.floor((value % 1) * sidePx);
  return { tile: `${z}/${Math.floor(x)}/${Math.floor(y)}`, x: pixel(x), y: pixel(y) };
}
async function pixelsOf(path: string) {
  const response = await fetch(`${served.url}${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  const { data, info } = await sharp(Buffer.from(await response.arrayBuffer()))
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, ...info, type: response.headers.get('content-type') };
}

describe('a tile of an answer', () => {
  it.each([
    ['webp', '', 256],
    ['png', '@2x', 512],
  ])('shows a part of the mask in the colour of its mean probability, as %s%s', async (format, double, sidePx) => {
    const { tile, x, y } = placeIn(21, sidePx);
    const { data, width, type } = await pixelsOf(`/tiles/segmentations/${id}/${tile}${double}.${format}`);
    expect([width, type]).toEqual([sidePx, `image/${format}`]);
    const [, ...colour] = CERTAINTY_COLOURS[certaintyStep(largest.meanProbability)]!;
    expect([...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)]).toEqual([...colour, 255]);
  });

  it('has the colours of the dashboard', () => {
    const hex = CERTAINTY_COLOURS.slice(1).map(([from, ...rgb]) => [
      from,
      `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`,
    ]);
    expect(hex).toEqual(PAGE_COLOURS);
  });

  it('is transparent outside the mask, and shows it by coverage where a pixel holds more', async () => {
    const { data } = await pixelsOf(`/tiles/segmentations/${id}/${placeIn(13, 256).tile}.png`);
    const opacities = Array.from({ length: 256 * 256 }, (_, pixel) => data[pixel * 4 + 3]!);
    const shown = opacities.filter((alpha) => alpha > 0);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.length).toBeLessThan(20 * 20);
    expect(shown.some((alpha) => alpha < 255)).toBe(true);
  });

  it('has an address in the answer, as the scene has, and the features of the segmentation', async () => {
    const { data } = await served.ask(ASKED, { id });
    const { mask, scene, tilesUrl } = data.segmentation;
    expect(mask.tilesUrl).toBe(`http://terraql.test/tiles/segmentations/${id}/{z}/{x}/{y}.webp`);
    expect(scene.tilesUrl).toBe(`http://terraql.test/tiles/scenes/${sceneId}/{z}/{x}/{y}.webp`);
    for (const template of [mask.tilesUrl, scene.tilesUrl, tilesUrl]) {
      const url = transform(template, placeIn(18, 256).tile).replace('http://terraql.test', served.url);
      const response = await fetch(url);
      expect([url, response.status, (await response.arrayBuffer()).byteLength > 0]).toEqual([url, 200, true]);
    }
  });

  it.each(['segmentations', 'scenes'])('is described by the TileJSON of %s, within the footprint', async (kind) => {
    const response = await fetch(`${served.url}/tiles/${kind}/${kind === 'scenes' ? sceneId : id}.json`);
    const described = (await response.json()) as { tilejson: string; tiles: string[]; bounds: number[] };
    expect(described.tilejson).toBe('3.0.0');
    const [west, south, east, north] = described.bounds as [number, number, number, number];
    const [longitude, latitude] = largest.position;
    expect(west < longitude && longitude < east && south < latitude && latitude < north).toBe(true);
    expect((await fetch(transform(described.tiles[0]!, placeIn(18, 256).tile))).status).toBe(200);
  });

  it('is 304 for who has it', async () => {
    const url = `${served.url}/tiles/segmentations/${id}/${placeIn(18, 256).tile}.png`;
    const etag = (await fetch(url)).headers.get('etag')!;
    // `fetch` asks for the whole with it.
    const [answer] = (await once(request(url, { headers: { 'if-none-match': etag } }).end(), 'response')) as [
      IncomingMessage,
    ];
    answer.resume();
    expect(answer.statusCode).toBe(304);
  });

  it.each([
    ['/tiles/segmentations/nonsense/0/0/0.webp', 404, 'SEGMENTATION_NOT_FOUND'],
    ['/tiles/segmentations/ID/0/0/0.jpg', 400, 'TILE_STYLE_INVALID'],
    ['/tiles/segmentations/ID/0/1/0.png', 404, 'TILE_NOT_FOUND'],
    ['/tiles/segmentations/ID/0/0/0.png?colour=1', 400, 'BAD_USER_INPUT'],
    ['/tiles/segmentations/nonsense.json', 404, 'SEGMENTATION_NOT_FOUND'],
    ['/tiles/scenes/nonsense.json', 404, 'SCENE_NOT_FOUND'],
  ])('%s is refused', async (path, status, code) => {
    const response = await fetch(`${served.url}${path.replace('ID', id)}`);
    const { error } = (await response.json()) as { error: { code: string } };
    expect([response.status, error.code]).toEqual([status, code]);
  });
});
