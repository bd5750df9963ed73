import { copyFile, mkdtemp, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/imagery/byte-source.ts';
import { openFileSource } from '../../src/imagery/byte-source.ts';
import { GeoTiffImage } from '../../src/imagery/geotiff-image.ts';
import type { ImageSource } from '../../src/imagery/image-source.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { imagePath, MAX_PIXELS } from './imagery.ts';

async function countingImage(
  name: string,
): Promise<{ image: GeoTiffImage; bytesRead: () => number; sizeBytes: number }> {
  const file = await openFileSource(imagePath(name));
  let count = 0;
  const source: ByteSource = {
    sizeBytes: file.sizeBytes,
    async read(offset, length) {
      const bytes = await file.read(offset, length);
      count += bytes.length;
      return bytes;
    },
    close: () => file.close(),
  };
  return { image: await GeoTiffImage.open(source, MAX_PIXELS), bytesRead: () => count, sizeBytes: file.sizeBytes };
}

const show = { rgbBands: [1, 2, 3], stretch: null };
const grey = { rgbBands: [1], stretch: null };

function whole({ header: { widthPx: width, heightPx: height } }: Pick<ImageSource, 'header'>) {
  return { x: 0, y: 0, width, height };
}

describe('windowed reads', () => {
  it('of one tile read a small part of a tiled file', async () => {
    const { image, bytesRead, sizeBytes } = await countingImage('odd/small_tiles_cog.tif');
    const before = bytesRead();
    await image.readRgb({ x: 400, y: 300, width: 60, height: 60 }, 60, 60, show);
    expect(bytesRead() - before).toBeGreaterThan(0);
    expect(bytesRead() - before).toBeLessThan(sizeBytes / 15);
    await image.close();
  });

  it('of the whole picture at small size read the overview alone', async () => {
    const { image, bytesRead, sizeBytes } = await countingImage('odd/small_tiles_cog.tif');
    const overview = image.header.overviews.at(-1)!;
    await image.readRgb(whole(image), overview.widthPx, overview.heightPx, show);
    expect(bytesRead()).toBeLessThan(sizeBytes / 3);
    await image.close();
  });

  it('do not read a block again that is still held', async () => {
    const { image, bytesRead } = await countingImage('odd/small_tiles_cog.tif');
    await image.readRgb({ x: 0, y: 0, width: 50, height: 50 }, 50, 50, show);
    const before = bytesRead();
    await image.readRgb({ x: 30, y: 30, width: 50, height: 50 }, 50, 50, show);
    expect(bytesRead()).toBe(before);
    await image.close();
  });

  it.each(['forest_utm17n_0m10_rgb.tif', 'odd/planes_packbits.tif', 'odd/jpeg_ycbcr_tiled.tif', 'odd/alpha.tif'])(
    'of %s are cut-outs of the whole',
    async (name) => {
      const image = await openImage(imagePath(name), MAX_PIXELS);
      const { width, height } = whole(image);
      const all = await image.readRgb(whole(image), width, height, show);
      const window = { x: 13, y: 27, width: 71, height: 39 };
      const part = await image.readRgb(window, window.width, window.height, show);
      for (let y = 0; y < window.height; y++) {
        const from = (window.y + y) * width + window.x;
        expect(part.rgb.subarray(y * 71 * 3, (y + 1) * 71 * 3)).toEqual(all.rgb.subarray(from * 3, (from + 71) * 3));
        expect(part.valid.subarray(y * 71, (y + 1) * 71)).toEqual(all.valid.subarray(from, from + 71));
      }
      await image.close();
    },
  );

  it('from an overview show the same ground as the full resolution', async () => {
    const image = await openImage(imagePath('snow_forest_webmercator_0m60_rgb_mask_cog.tif'), MAX_PIXELS);
    const window = { x: 301, y: 203, width: 402, height: 398 };
    const full = await image.readRgb(window, 402, 398, show);
    const half = await image.readRgb(window, 201, 199, show);
    let difference = 0;
    for (let y = 0; y < 199; y++) {
      for (let x = 0; x < 201; x++) {
        const at = (dy: number, dx: number): number => full.rgb[((2 * y + dy) * 402 + 2 * x + dx) * 3]!;
        difference += Math.abs(half.rgb[(y * 201 + x) * 3]! - (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
      }
    }
    expect(difference / (201 * 199)).toBeLessThan(8); // grey levels; a shift by one pixel gives more than 15
    await image.close();
  });

  it.each([
    { x: -1, y: 0, width: 10, height: 10 },
    { x: 90, y: 0, width: 10, height: 10 },
    { x: 0, y: 0, width: 0, height: 10 },
    { x: 0.5, y: 0, width: 10, height: 10 },
  ])('refuse window %o', async (window) => {
    const image = await openImage(imagePath('odd/alpha.tif'), MAX_PIXELS);
    await expect(image.readRgb(window, 10, 10, show)).rejects.toMatchObject({ code: 'WINDOW_OUTSIDE_IMAGE' });
    await image.close();
  });

  it('refuse a band that is not there by its number', async () => {
    const image = await openImage(imagePath('odd/alpha.tif'), MAX_PIXELS);
    const bands = { rgbBands: [1, 2, 7], stretch: null };
    await expect(image.readRgb(whole(image), 96, 80, bands)).rejects.toThrow(
      'Band 7 does not exist; the image has bands 1 to 4.',
    );
    await image.close();
  });
});

describe('pixels without data', () => {
  async function validShare(name: string, bands = show): Promise<number> {
    const image = await openImage(imagePath(name), MAX_PIXELS);
    const { width, height } = whole(image);
    const { valid } = await image.readRgb(whole(image), width, height, bands);
    await image.close();
    return valid.reduce((sum, value) => sum + value, 0) / valid.length;
  }

  it('are those that alpha, an internal mask or nodata says', async () => {
    const image = await openImage(imagePath('odd/alpha.tif'), MAX_PIXELS);
    const { rgb } = await image.readRgb(whole(image), 96, 80, { rgbBands: [4], stretch: null });
    await image.close();
    const opaque = rgb.filter((value, i) => i % 3 === 0 && value > 0).length / (96 * 80);
    expect(opaque).toBeLessThan(1);
    expect(await validShare('odd/alpha.tif')).toBe(opaque);
    expect(await validShare('odd/internal_mask.tif')).toBe(opaque);
  });

  it('need the nodata value in all shown bands', async () => {
    const forest = await openImage(imagePath('forest_utm17n_0m10_rgb.tif'), MAX_PIXELS);
    const { rgb } = await forest.readRgb(whole(forest), 400, 400, show);
    await forest.close();
    const white = rgb.filter((value, i) => i % 3 === 0 && value === 255 && rgb[i + 1] === 255 && rgb[i + 2] === 255);
    expect(white.length).toBeGreaterThan(100);
    expect(await validShare('forest_utm17n_0m10_rgb.tif')).toBe(1 - white.length / 160_000);
    expect(await validShare('odd/int16_nodata_tiled.tif', grey)).toBeLessThan(1);
    expect(await validShare('naip_prairie_utm14n_5m_rgbn_cog.tif')).toBe(1);
  });

  it('are left out of samples for statistics', async () => {
    const image = await openImage(imagePath('odd/int16_nodata_tiled.tif'), MAX_PIXELS);
    const [values] = await image.sampleBands([1], 1e6);
    expect(values!.length).toBe(Math.round((await validShare('odd/int16_nodata_tiled.tif', grey)) * 96 * 80));
    expect(values).not.toContain(-498);
    await image.close();
  });
});

describe('colours', () => {
  it('of a palette image are those of its table', async () => {
    const image = await openImage(imagePath('odd/palette.tif'), MAX_PIXELS);
    expect(image.header.photometric).toBe('PALETTE');
    expect(image.header.rgbBands).toEqual([1]);
    const { rgb } = await image.readRgb({ x: 48, y: 26, width: 1, height: 1 }, 1, 1, grey);
    const index = rgb[0]!;
    expect([...rgb]).toEqual([index, 255 - index, (index * 7) % 256]); // as make-odd.sh wrote it
    await image.close();
  });

  it('of white-is-zero bits are turned round', async () => {
    const image = await openImage(imagePath('odd/bits1_white_is_zero.tif'), MAX_PIXELS);
    const stretch = [{ min: 0, max: 1 }];
    const shown = await image.readRgb(whole(image), 96, 80, { rgbBands: [1], stretch });
    const stored = (await image.sampleBands([1], 1e6))[0]!;
    expect(shown.rgb.filter((value, i) => i % 3 === 0 && value === 255).length).toBe(
      stored.filter((v) => v === 0).length,
    );
    await image.close();
  });

  it('by default are the bands that are called red, green and blue, else the first three, else the first', async () => {
    const defaults = async (name: string): Promise<readonly number[]> => {
      const image = await openImage(imagePath(name), MAX_PIXELS);
      await image.close();
      return image.header.rgbBands;
    };
    expect(await defaults('naip_prairie_utm14n_5m_rgbn_cog.tif')).toEqual([1, 2, 3]);
    expect(await defaults('landsat_pucallpa_epsg4326_4band.tif')).toEqual([1, 2, 3]);
    expect(await defaults('odd/float64_uncompressed.tif')).toEqual([1]);
  });

  it('of grey bands are repeated', async () => {
    const image = await openImage(imagePath('odd/rotated_utm59s.tif'), MAX_PIXELS);
    const { rgb } = await image.readRgb(whole(image), 96, 80, grey);
    for (let i = 0; i < rgb.length; i += 3) expect(rgb[i] === rgb[i + 1] && rgb[i] === rgb[i + 2]).toBe(true);
    await image.close();
  });
});

describe('damaged files', () => {
  it('open when the header is whole, and fail at the pixels that are missing', async () => {
    const image = await openImage(imagePath('corrupt_truncated.tif'), MAX_PIXELS);
    expect(image.header.widthPx).toBe(1024);
    await expect(image.readRgb({ x: 600, y: 600, width: 300, height: 300 }, 300, 300, show)).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
      message: expect.stringMatching(/the file has 150000 bytes/) as string,
    });
    await image.close();
  });

  it('with a header cut off are refused when opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    for (const bytes of [4, 10, 60, 200]) {
      const path = join(folder, `${bytes}.tif`);
      await copyFile(imagePath('odd/uint16_strips_lzw.tif'), path);
      await truncate(path, bytes);
      await expect(openImage(path, MAX_PIXELS)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
    }
  });

  it('with overwritten blocks are refused at reading, whatever the codec', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    for (const name of ['uint32_deflate', 'jpeg_rgb', 'float32_zstd_nan', 'lerc']) {
      const path = join(folder, `${name}.tif`);
      const bytes = await readFile(imagePath(`odd/${name}.tif`));
      await writeFile(path, bytes.fill(0xa5, bytes.length - 3000));
      const image = await openImage(path, MAX_PIXELS);
      await expect(image.readRgb(whole(image), 96, 80, show)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
      await image.close();
    }
  });

  it('whose directories form a loop end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    const path = join(folder, 'loop.tif');
    await copyFile(imagePath('odd/float64_uncompressed.tif'), path);
    const bytes = await readFile(path);
    const first = bytes.readUInt32LE(4);
    const next = first + 2 + bytes.readUInt16LE(first) * 12;
    const file = await open(path, 'r+');
    const pointer = Buffer.alloc(4);
    pointer.writeUInt32LE(first);
    await file.write(pointer, 0, 4, next);
    await file.close();
    const image = await openImage(path, MAX_PIXELS);
    expect(image.header.overviews).toEqual([]);
    await image.close();
  });
});

it('refuses more pixels than allowed from the header alone, and says how many there are', async () => {
  await expect(openImage(imagePath('harbour_canal_rdnew_0m25_rgb.tif'), 999_999)).rejects.toThrow(
    'The image has 1000 x 1000 = 1000000 pixels; the limit is 999999.',
  );
});
