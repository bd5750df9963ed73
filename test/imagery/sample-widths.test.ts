import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/imagery/open-image.ts';
import { oneStripTiff } from './hostile-images.ts';
import { MAX_PIXELS } from './imagery.ts';

/** Opens a square TIFF whose directory names these widths for these samples. */
async function opened(samples: number, widths: readonly number[], sidePx = 4) {
  const path = join(await mkdtemp(join(tmpdir(), 'terraql-')), 'widths.tif');
  const directory = { widthPx: sidePx, heightPx: sidePx, compression: 1, samples, fields: { 258: widths } };
  await writeFile(path, oneStripTiff(directory, Buffer.alloc(4 * 4 * Math.min(samples, 8), 7)));
  return openImage(path, MAX_PIXELS);
}

describe('the widths of the samples of a TIFF', () => {
  it.each([
    [3, [8]],
    [3, [8, 8, 8]],
    [3, [8, 8, 8, 8]],
    [5, [8]],
  ])('of %i samples may be %j: one width stands for all', async (samples, widths) => {
    const image = await opened(samples, widths);
    const rgb = await image.readRgb({ x: 0, y: 0, width: 4, height: 4 }, 4, 4, { rgbBands: [1, 2, 3], stretch: null });
    expect(image.header).toMatchObject({ bands: samples, dtype: 'uint8', bitsPerSample: 8 });
    expect(new Set(rgb.rgb)).toEqual(new Set([7]));
    await image.close();
  });

  it.each([
    [3, [8, 8], 'BitsPerSample has 2 values for 3 samples of a pixel'],
    [3, [8, 16, 8], 'bands of different bit widths (8, 16)'],
    [7, [1, 2, 4, 8, 16, 32, 8], 'bands of different bit widths (1, 2, 4, 8, …)'],
  ])('of %i samples are refused as %j, with the widths', async (samples, widths, reason) => {
    await expect(opened(samples, widths)).rejects.toThrow(reason);
  });

  it('of 65,535 samples are refused for the memory of a block, not for their widths', async () => {
    await expect(opened(65_535, [8], 512)).rejects.toThrow('blocks of 512 x 512 pixels with 17179607040 bytes');
  });
});
