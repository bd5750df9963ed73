import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/imagery/open-image.ts';
import { IMAGERY } from '../http/served-app.ts';
import { seededRandom } from '../seeded.ts';

const SIDE_PX = 320;
const RGB = [1, 2, 3];
const MAX_PIXELS = 1e8;

/** Samples of three bands, HWC, and which pixels of a picture they show. */
interface Drawn {
  readonly samples: Uint8Array | Uint16Array;
  readonly isPicture: Uint8Array;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-collar-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Fixture {
  readonly samples: Float64Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

const fixtures = new Map<string, Promise<Fixture>>();
const fixture = (file: string): Promise<Fixture> => {
  const known = fixtures.get(file) ?? readFixture(file);
  fixtures.set(file, known);
  return known;
};

/** Three bands of a fixture, HWC, as stored but for values that would look like fill. */
async function readFixture(file: string): Promise<Fixture> {
  const image = await openImage(path.join(IMAGERY, file), MAX_PIXELS);
  const { widthPx, heightPx } = image.header;
  const reduced = (await image.reduced(RGB, Math.max(widthPx, heightPx)))!;
  await image.close();
  const samples = new Float64Array(widthPx * heightPx * 3);
  reduced.bands.forEach((band, b) => {
    for (let pixel = 0; pixel < widthPx * heightPx; pixel++)
      samples[pixel * 3 + b] = Math.min(file === SENTINEL ? 65_000 : 254, Math.max(1, band[pixel]!));
  });
  return { samples, widthPx, heightPx };
}

const PICTURES = ['forest_utm17n_0m10_rgb.tif', 'harbour_canal_rdnew_0m25_rgb.tif', 'suburb_utm13n_0m15_rgb_cog.tif'];
const SENTINEL = 'sentinel2_wadden_epsg4326_uint16_4band.tif';

/** A fixture repeated over a square, where `shows` holds; fill elsewhere. */
async function drawn(file: string, fill: number, shows: (x: number, y: number) => boolean): Promise<Drawn> {
  const { samples: source, widthPx, heightPx } = await fixture(file);
  const samples = new (file === SENTINEL ? Uint16Array : Uint8Array)(SIDE_PX * SIDE_PX * 3).fill(fill);
  const isPicture = new Uint8Array(SIDE_PX * SIDE_PX);
  for (let y = 0; y < SIDE_PX; y++) {
    for (let x = 0; x < SIDE_PX; x++) {
      if (!shows(x + 0.5, y + 0.5)) continue;
      const pixel = y * SIDE_PX + x;
      isPicture[pixel] = 1;
      const from = ((y % heightPx) * widthPx + (x % widthPx)) * 3;
      for (let b = 0; b < 3; b++) samples[pixel * 3 + b] = source[from + b]!;
    }
  }
  return { samples, isPicture };
}

async function written({ samples }: Pick<Drawn, 'samples'>, format: 'tif' | 'png' | 'jpg'): Promise<string> {
  const file = path.join(folder, `${Math.random().toString(36).slice(2)}.${format}`);
  if (format === 'tif') {
    const options = { width: SIDE_PX, height: SIDE_PX, SamplesPerPixel: 3, PhotometricInterpretation: 2 };
    await writeFile(file, new Uint8Array(writeArrayBuffer(samples, options)));
    return file;
  }
  const picture = sharp(samples, { raw: { width: SIDE_PX, height: SIDE_PX, channels: 3 } });
  await (format === 'png' ? picture.png() : picture.jpeg({ quality: 90 })).toFile(file);
  return file;
}

/** What is read of a file with the collar that is found in it. */
async function read(file: string) {
  const image = await openImage(file, MAX_PIXELS);
  const collar = await image.collar(RGB);
  const stretch = await image.stretch(RGB, collar);
  const show = { rgbBands: RGB, stretch, collar };
  const { valid } = await image.readRgb({ x: 0, y: 0, width: SIDE_PX, height: SIDE_PX }, SIDE_PX, SIDE_PX, show);
  await image.close();
  return { collar, stretch, valid };
}

const MIDDLE = SIDE_PX / 2;
/** Inside a rectangle that is turned about the middle. */
const turned = (degrees: number, half: readonly [number, number]) => (x: number, y: number) => {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [u, v] = [(x - MIDDLE) * cos + (y - MIDDLE) * sin, (y - MIDDLE) * cos - (x - MIDDLE) * sin];
  return Math.abs(u) <= half[0] && Math.abs(v) <= half[1];
};

describe('the fill around a picture is no data', () => {
  const shapes: [string, (x: number, y: number) => boolean][] = [
    ['turned by 3°', turned(3, [148, 148])],
    ['turned by 13°', turned(13, [131, 128])],
    ['turned by 45°', turned(45, [112, 108])],
    ['turned by -20°, and cut by the edge', turned(-20, [210, 120])],
    ['with a strip on the right', (x) => x < 297],
    ['with a frame', (x, y) => x > 12 && x < 310 && y > 20 && y < 297],
    ['of a swath', (x, y) => x - 0.3 * y > 20 && x - 0.3 * y < 200],
    ['with a bent side, as a projection leaves it', (x, y) => y > 30 + ((x - MIDDLE) / MIDDLE) ** 2 * 5],
  ];

  it.each(shapes)('%s', async (_name, shows) => {
    for (const [index, file] of PICTURES.entries()) {
      const fill = index === 1 ? 255 : 0;
      const picture = await drawn(file, fill, shows);
      const { collar, valid } = await read(await written(picture, index === 2 ? 'png' : 'tif'));
      expect(collar).toMatchObject({ value: fill });
      expect(valid).toEqual(picture.isPicture);
      const filled = picture.isPicture.filter((one) => one === 0).length / picture.isPicture.length;
      expect(collar!.share).toBeCloseTo(filled, 6);
    }
  });

  it('also of 16 bits, and does not count for the stretch', async () => {
    const picture = await drawn(SENTINEL, 0, turned(13, [131, 128]));
    const { valid, stretch } = await read(await written(picture, 'tif'));
    expect(valid).toEqual(picture.isPicture);
    const whole = await read(await written(await drawn(SENTINEL, 0, () => true), 'tif'));
    stretch!.forEach(({ min, max }, band) => {
      expect(min / whole.stretch![band]!.min).toBeCloseTo(1, 0);
      expect(max / whole.stretch![band]!.max).toBeCloseTo(1, 0);
    });
  });

  it('also of JPEG, but for the noise along its edge', async () => {
    for (const fill of [0, 255]) {
      const picture = await drawn(PICTURES[0]!, fill, turned(13, [131, 128]));
      const { collar, valid } = await read(await written(picture, 'jpg'));
      expect(collar).toMatchObject({ value: fill });
      const wrong = valid.filter((one, pixel) => one !== picture.isPicture[pixel]).length;
      expect(wrong / valid.length).toBeLessThan(0.02);
    }
  });

  it('is the same at any size and in any window', async () => {
    const picture = await drawn(PICTURES[0]!, 0, turned(13, [131, 128]));
    const image = await openImage(await written(picture, 'tif'), MAX_PIXELS);
    const show = { rgbBands: RGB, stretch: null, collar: await image.collar(RGB) };
    const window = { x: 10, y: 120, width: 100, height: 90 };
    const { valid } = await image.readRgb(window, 100, 90, show);
    for (let pixel = 0; pixel < valid.length; pixel++) {
      const [x, y] = [10 + (pixel % 100), 120 + Math.floor(pixel / 100)];
      expect(valid[pixel]).toBe(picture.isPicture[y * SIDE_PX + x]);
    }
    const half = await image.readRgb({ x: 0, y: 0, width: SIDE_PX, height: SIDE_PX }, 160, 160, show);
    expect(half.valid.reduce((sum, one) => sum + one, 0) * 4).toBeCloseTo(
      picture.isPicture.reduce((sum, one) => sum + one, 0),
      -4,
    );
    await image.close();
  });
});

describe('black and white ground at the edge stays data', () => {
  const random = seededRandom(11);
  const waves = Array.from({ length: 6 }, (_, k) => [12 / (k + 1), 0.02 * 1.8 ** k, random() * 6] as const);
  const coast = (along: number): number =>
    waves.reduce((sum, [height, rate, phase]) => sum + height * Math.sin(rate * along + phase), 0);
  const grounds: [string, (x: number, y: number) => boolean][] = [
    ['a sea with its coast', (x, y) => x + y > 220 + coast(x - y)],
    ['a river along the edge', (x, y) => x > 25 + coast(y)],
    ['a roof in a corner', (x, y) => x > 90 || y > 70],
    ['a roof at the edge', (x, y) => x > 60 || y < 150 || y > 220],
    ['all but a round island', (x, y) => Math.hypot(x - MIDDLE, y - MIDDLE) < 120],
    ['a lake in the middle', (x, y) => Math.hypot(x - MIDDLE, y - MIDDLE) > 90],
    ['specks', (x, y) => (Math.floor(x) * 7 + Math.floor(y) * 13) % 5 > 0],
    ['nothing but a small lit yard', (x, y) => Math.abs(x - 100) < 30 && Math.abs(y - 90) < 30],
  ];

  it.each(grounds)('%s', async (_name, shows) => {
    for (const fill of [0, 255]) {
      const { collar, valid } = await read(await written(await drawn(PICTURES[1]!, fill, shows), 'tif'));
      expect(collar).toBeNull();
      expect(valid.every((one) => one === 1)).toBe(true);
    }
  });

  it('in the picture of an image with a collar', async () => {
    const picture = await drawn(PICTURES[0]!, 0, turned(13, [131, 128]));
    for (let y = 140; y < 190; y++) {
      picture.samples.fill(0, (y * SIDE_PX + 90) * 3, (y * SIDE_PX + 170) * 3);
    }
    expect((await read(await written(picture, 'tif'))).valid).toEqual(picture.isPicture);
  });

  it('of drawings and of images that name nodata themselves', async () => {
    const samples = new Uint8Array(SIDE_PX * SIDE_PX * 3);
    for (let y = 100; y < 300; y++) samples.fill(235, (y * SIDE_PX + 50) * 3, (y * SIDE_PX + 280) * 3);
    expect((await read(await written({ samples }, 'tif'))).collar).toBeNull();
    for (const file of ['snow_forest_webmercator_0m60_rgb_mask_cog.tif', 'suburb_utm13n_0m15_rgb_cog.tif']) {
      const image = await openImage(path.join(IMAGERY, file), MAX_PIXELS);
      expect(await image.collar(RGB)).toBeNull();
      await image.close();
    }
  });
});
