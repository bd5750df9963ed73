import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { ImageDecoders } from '../../src/decoding/image-decoders.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { imagePath, MAX_PIXELS } from '../imagery/imagery.ts';

const LIMITS = { maxPixels: MAX_PIXELS, memoryBytes: 1024 * 2 ** 20, timeoutS: 60 };
const show = { rgbBands: [1, 2, 3], stretch: null };
const WINDOW = { x: 3, y: 5, width: 60, height: 50 };

const decoders = new ImageDecoders(2, LIMITS);
afterAll(() => decoders.close());

async function temporaryFile(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'terraql-')), name);
  await writeFile(path, bytes);
  return path;
}

async function withDecoders<T>(
  count: number,
  limits: Partial<typeof LIMITS>,
  work: (own: ImageDecoders) => Promise<T>,
): Promise<T> {
  const own = new ImageDecoders(count, { ...LIMITS, ...limits });
  try {
    return await work(own);
  } finally {
    await own.close();
  }
}

/** Children of this process, by id. */
function children(): number[] {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split(
    '\n',
  );
  return lines.filter((line) => line.includes('decoder-main')).map((line) => Number.parseInt(line, 10));
}

describe('an image opened in another process', () => {
  it.each(['odd/alpha.tif', 'sentinel2_wadden_epsg4326_uint16_4band.tif', 'odd/exif_rotated.jpg', 'odd/alpha.png'])(
    'is the same as in this one: %s',
    async (name) => {
      const there = await decoders.open(imagePath(name));
      const here = await openImage(imagePath(name), MAX_PIXELS);
      expect(there.header).toEqual(here.header);
      const stretch = await there.stretch(here.header.rgbBands);
      expect(stretch).toEqual(await here.stretch(here.header.rgbBands));
      const asked = { rgbBands: here.header.rgbBands, stretch };
      expect(await there.readRgb(WINDOW, 30, 25, asked)).toEqual(await here.readRgb(WINDOW, 30, 25, asked));
      await Promise.all([there.close(), here.close()]);
    },
  );

  it('is refused with the code and the words of the reader', async () => {
    await expect(decoders.open(await temporaryFile('a.tif', 'no image'))).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNKNOWN',
      message: 'The file is not a GeoTIFF, PNG, JPEG or WebP image.',
    });
    const image = await decoders.open(imagePath('odd/alpha.tif'));
    const outside = { ...WINDOW, x: 90 };
    await expect(image.readRgb(outside, 60, 50, show)).rejects.toMatchObject({ code: 'WINDOW_OUTSIDE_IMAGE' });
    await image.close();
  });

  it('answers many requests for many images at the same time', async () => {
    const names = ['odd/alpha.tif', 'odd/rgb.webp', 'odd/jpeg_rgb.tif', 'pasture_no_georef.jpg', 'odd/lerc.tif'];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const image = await decoders.open(imagePath(names[i % names.length]!));
        const window = await image.readRgb(WINDOW, 60, 50, show);
        await image.close();
        return window;
      }),
    );
    for (const [i, answer] of answers.entries()) expect(answer).toEqual(answers[i % names.length]);
  });
});

describe('a decoder process', () => {
  it('that takes too long is replaced; only its own request fails', async () => {
    await withDecoders(1, { timeoutS: 8 }, async (own) => {
      const before = children();
      const image = await own.open(imagePath('odd/alpha.png'));
      const [pid] = children().filter((child) => !before.includes(child));
      process.kill(pid!, 'SIGSTOP'); // an endless request, whatever the speed of the machine
      const endless = image.readRgb(WINDOW, 60, 50, show);
      const behind = image.readRgb(WINDOW, 30, 25, show);
      await expect(endless).rejects.toMatchObject({
        code: 'IMAGE_TIME_EXCEEDED',
        message: 'Decoding the image exceeded the limit of 8 s (TERRAQL_DECODER_TIMEOUT_S).',
      });
      expect((await behind).valid.length).toBe(750);
      await expect.poll(children, { timeout: 10_000 }).not.toContain(pid);
    });
  });

  it('that grows too large is replaced', async () => {
    await withDecoders(1, { memoryBytes: 64 * 2 ** 20 }, async (own) => {
      const image = await own.open(imagePath('odd/alpha.tif'));
      const [pid] = children().slice(-1);
      const reading = image.readRgb(WINDOW, 7000, 7000, show); // 784 MB of sums
      await expect(reading).rejects.toMatchObject({
        code: 'IMAGE_MEMORY_EXCEEDED',
        message: expect.stringMatching(/limit is 64 MiB \(TERRAQL_DECODER_MEMORY_MB\)/) as string,
      });
      await expect.poll(children, { timeout: 10_000 }).not.toContain(pid);
      expect((await image.readRgb(WINDOW, 60, 50, show)).valid.length).toBe(3000);
    });
  });

  it('that is killed is replaced at the next request', async () => {
    await withDecoders(1, {}, async (own) => {
      const before = children();
      const image = await own.open(imagePath('odd/alpha.tif'));
      const [pid] = children().filter((child) => !before.includes(child));
      process.kill(pid!, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect((await image.readRgb(WINDOW, 60, 50, show)).valid.length).toBe(3000);
    });
  });

  it('gets none of the variables of the service', async () => {
    process.env['TERRAQL_TEST_SECRET'] = 'hunter2';
    await withDecoders(1, {}, async (own) => {
      const before = children();
      await own.open(imagePath('odd/alpha.tif'));
      const [pid] = children().filter((child) => !before.includes(child));
      expect(execFileSync('cat', [`/proc/${pid}/environ`], { encoding: 'utf8' })).not.toContain('hunter2');
    });
    delete process.env['TERRAQL_TEST_SECRET'];
  });
});

const HOSTILE: readonly [name: string, code: string, bytes: () => Promise<Buffer>][] = [
  ['a progressive JPEG', 'IMAGE_MEMORY_EXCEEDED', async () => blank().jpeg({ progressive: true }).toBuffer()],
  ['a turned JPEG', 'IMAGE_MEMORY_EXCEEDED', async () => blank().withMetadata({ orientation: 6 }).jpeg().toBuffer()],
  ['an interlaced PNG', 'IMAGE_MEMORY_EXCEEDED', async () => blank().png({ progressive: true }).toBuffer()],
  ['a WebP of 34 bytes', 'IMAGE_MEMORY_EXCEEDED', async () => blank().webp({ lossless: true, effort: 0 }).toBuffer()],
];

const SIDE = 4000;
const blank = () =>
  sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: 'black' }, limitInputPixels: false });

describe('a picture that must be held whole', () => {
  it.each(HOSTILE)('is refused from its header when that takes too much memory: %s', async (_name, code, bytes) => {
    const path = await temporaryFile('a.png', await bytes());
    const small = new ImageDecoders(1, { ...LIMITS, memoryBytes: 128 * 2 ** 20 });
    await (await small.open(imagePath('odd/alpha.tif'))).close();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const start = performance.now();
    await expect(small.open(path)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/4000 x 4000 pixels needs \d+ MiB of memory; the limit is 128 MiB/) as string,
    });
    delay.disable();
    await small.close();
    expect(performance.now() - start).toBeLessThan(5000);
    expect(delay.percentile(99) / 1e6).toBeLessThan(100);
  });
});

it('a replaced file is reopened', async () => {
  const path = await temporaryFile('a.tif', '');
  await copyFile(imagePath('odd/alpha.tif'), path);
  const first = await decoders.open(path);
  await copyFile(imagePath('forest_utm17n_0m10_rgb.tif'), path);
  const second = await decoders.open(path);
  expect([first.header.widthPx, second.header.widthPx]).toEqual([96, 400]);
  await Promise.all([first.close(), second.close()]);
});
