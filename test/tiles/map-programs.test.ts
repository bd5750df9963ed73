import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squarePosition } from '../../src/tiles/tile-grid.ts';
import { gdal, hasGdal } from '../export/gdal.ts';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { decodeTile } from './decoded-tile.ts';

const run = promisify(execFile);
/** Debian's own, for which its `python3-qgis` is made. */
const PYTHON = '/usr/bin/python3';
const hasQgis = await run(PYTHON, ['-c', 'import qgis.core']).then(
  () => true,
  () => false,
);
if (!hasQgis) console.warn('map programs: no QGIS; `apt-get install python3-qgis` installs what is needed');
/** Where the picture is kept, to be looked at; unset: nowhere. */
const PICTURES = process.env['TERRAQL_TEST_PICTURES'];

describe('tiles in programs that others wrote', () => {
  let served: ServedApp;
  let folder: string;
  let bbox: [west: number, south: number, east: number, north: number];
  let at: [x: number, y: number];
  const Z = 16;

  beforeAll(async () => {
    served = await openServedApp();
    await served.segment(['bright']);
    folder = await mkdtemp(path.join(tmpdir(), 'terraql-map-'));
    const { data } = await served.ask('{ features(first: 1000) { nodes { bbox } } }');
    const boxes = data.features.nodes.map(({ bbox: box }) => box);
    const side = (of: (...values: number[]) => number, index: number): number => of(...boxes.map((box) => box[index]!));
    bbox = [side(Math.min, 0), side(Math.min, 1), side(Math.max, 2), side(Math.max, 3)];
    const [x, y] = squarePosition((bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2);
    at = [Math.floor(x * 2 ** Z), Math.floor(y * 2 ** Z)];
  });
  afterAll(async () => {
    await served?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.skipIf(!hasGdal)('GDAL reads a vector tile where it lies on the ground, with every attribute', async () => {
    const bytes = new Uint8Array(
      await (await fetch(`${served.url}/tiles/features/${Z}/${at[0]}/${at[1]}.mvt`)).arrayBuffer(),
    );
    const drawn = decodeTile(bytes).features ?? [];
    expect(drawn.length).toBeGreaterThan(0);
    const file = path.join(folder, 'tile.mvt');
    await writeFile(file, bytes);
    const place = ['-oo', `X=${at[0]}`, '-oo', `Y=${at[1]}`, '-oo', `Z=${Z}`, '-oo', 'CLIP=NO'];
    const told = await gdal('ogrinfo', '-al', '-geom=SUMMARY', ...place, file, 'features');
    expect(told).toContain(`Feature Count: ${drawn.length}`);
    expect(told).toMatch(/areaM2 \(Real\) = \d/);
    const [, west, south, east, north] = /Extent: \((.+), (.+)\) - \((.+), (.+)\)/.exec(told)!.map(Number);
    const longitude = (metres: number): number => (metres / 20037508.342789244) * 180;
    expect(longitude(west!)).toBeGreaterThanOrEqual(bbox[0] - 1e-4);
    expect(longitude(east!)).toBeLessThanOrEqual(bbox[2] + 1e-4);
    expect(north!).toBeGreaterThan(south!);
  });

  it.skipIf(!hasQgis)('QGIS opens vector tiles and tiles of imagery, and draws both', async () => {
    const picture = path.join(PICTURES ?? folder, 'qgis.png');
    const tiles = `${served.url}/tiles`;
    const addresses = [`${tiles}/features/{z}/{x}/{y}.mvt`, `${tiles}/scenes/{z}/{x}/{y}.png`];
    const { stdout } = await run(
      PYTHON,
      [path.join(import.meta.dirname, 'qgis_render.py'), ...addresses, ...bbox.map(String), picture],
      { env: { ...process.env, QT_QPA_PLATFORM: 'offscreen', HOME: folder, XDG_RUNTIME_DIR: folder } },
    );
    const told = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(told).toMatchObject({ vectorIsValid: true, rasterIsValid: true });
    // The picture is square and the image is not.
    expect(told.vectorPixels).toBeGreaterThan(400 * 400 * 0.02);
    expect(told.rasterPixels).toBeGreaterThan(400 * 400 * 0.5);
    expect((await stat(picture)).size).toBeGreaterThan(1000);
  });
});
