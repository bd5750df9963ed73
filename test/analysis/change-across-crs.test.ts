import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeArrayBuffer } from 'geotiff';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projection } from '../projection.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';

/** Both scenes have 160 x 120 pixels. */
const WIDTH = 160;
const HEIGHT = 120;
const UTM = '+proj=utm +zone=32 +datum=WGS84 +units=m';
type Bright = (east: number, north: number) => boolean;

let test: TestApp;
beforeAll(async () => (test = await openTestApp()));
afterAll(() => test.close());

/**
 * Writes a picture of blocks on the ground, registers it and asks for what is bright.
 * @param utmOf UTM position of the middle of a pixel
 * @returns the segmentation
 */
async function seen(
  name: string,
  keys: object,
  utmOf: (column: number, row: number) => number[],
  bright: Bright,
): Promise<string> {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3).fill(20);
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0; column < WIDTH; column++) {
      const [east, north] = utmOf(column + 0.5, row + 0.5) as [number, number];
      if (bright(east, north)) pixels.fill(235, (row * WIDTH + column) * 3, (row * WIDTH + column + 1) * 3);
    }
  }
  const file = path.join(test.root, `${name}.tif`);
  const tiff = writeArrayBuffer(pixels, {
    width: WIDTH,
    height: HEIGHT,
    SamplesPerPixel: 3,
    PhotometricInterpretation: 2,
    GTRasterTypeGeoKey: 1,
    ...keys,
  });
  await writeFile(file, new Uint8Array(tiff));
  const scene = await test.ask('mutation($path: String!) { registerScene(input: { path: $path }) { id crs } }', {
    path: file,
  });
  const { data, error } = await test.ask('mutation($input: SegmentInput!) { segment(input: $input) { id state } }', {
    input: { sceneId: scene.data.registerScene.id, prompts: ['bright'], scale: 'WINDOWS', waitS: 60 },
  });
  expect(error).toBeNull();
  expect(data.segment[0].state).toBe('SUCCEEDED');
  return data.segment[0].id;
}

const block =
  (west: number, south: number, east: number, north: number): Bright =>
  (x, y) =>
    x > west && x < east && y > south && y < north;

it('compares scenes in UTM and in degrees, of different pixels and frames, on their common ground', async () => {
  const stays = block(500_400, 5_599_300, 500_800, 5_599_520);
  const goes = block(501_000, 5_599_400, 501_160, 5_599_560);
  const comes = block(501_000, 5_599_000, 501_200, 5_599_200);
  // outside the second scene
  const elsewhere = block(500_000, 5_599_800, 500_160, 5_600_000);
  const before = await seen(
    'utm',
    {
      GTModelTypeGeoKey: 1,
      ProjectedCSTypeGeoKey: 32_632,
      ModelPixelScale: [10, 10, 0],
      ModelTiepoint: [0, 0, 0, 500_000, 5_600_000, 0],
    },
    (column, row) => [500_000 + 10 * column, 5_600_000 - 10 * row],
    (x, y) => stays(x, y) || goes(x, y) || elsewhere(x, y),
  );
  const utm = await projection(UTM);
  const [left, top] = utm.inverse([500_250, 5_599_750]);
  const [perColumn, perRow] = [8 / 70_800, 8 / 111_200];
  const after = await seen(
    'degrees',
    {
      GTModelTypeGeoKey: 2,
      GeographicTypeGeoKey: 4326,
      ModelPixelScale: [perColumn, perRow, 0],
      ModelTiepoint: [0, 0, 0, left, top, 0],
    },
    (column, row) => utm.forward([left + column * perColumn, top - row * perRow]),
    (x, y) => stays(x, y) || comes(x, y),
  );
  const { data, error } = await test.ask(
    `query($before: ID!, $after: ID!) { change(fromSegmentationId: $before, toSegmentationId: $after) {
      appeared { areaM2 centroid segmentation { id } } vanished { areaM2 segmentation { id } }
      pairs { iou areaChangeM2 from { areaM2 segmentation { id } } to { areaM2 segmentation { id } } }
      appearedAreaM2 vanishedAreaM2 persistedAreaM2 } }`,
    { before, after },
  );
  expect(error).toBeNull();
  const { change } = data;
  expect(change.pairs).toHaveLength(1);
  const [pair] = change.pairs;
  expect([pair.from.segmentation.id, pair.to.segmentation.id]).toEqual([before, after]);
  // The model looks at blocks of 4 pixels, 40 m and 32 m: outlines blur by half of that.
  expect(pair.iou).toBeGreaterThan(0.7);
  expect(pair.areaChangeM2).toBeCloseTo(pair.to.areaM2 - pair.from.areaM2, 3);
  expect(change.vanished.map((one: { segmentation: { id: string } }) => one.segmentation.id)).toEqual([before]);
  expect(change.appeared.map((one: { segmentation: { id: string } }) => one.segmentation.id)).toEqual([after]);
  expect(change.persistedAreaM2).toBeCloseTo((pair.iou * (pair.from.areaM2 + pair.to.areaM2)) / (1 + pair.iou), 0);
  expect(change.appearedAreaM2 + change.persistedAreaM2).toBeCloseTo(change.appeared[0].areaM2 + pair.to.areaM2, 0);
  expect(change.vanishedAreaM2 + change.persistedAreaM2).toBeCloseTo(change.vanished[0].areaM2 + pair.from.areaM2, 0);
});
