import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { MaskTooLargeForPngError, renderMaskPng } from '../../src/rendering/render-mask-png.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { randomMask } from './random-mask.ts';

describe('renderMaskPng', () => {
  it('draws every pixel of the mask as 255 and every other as 0, in one grey channel of 8 bits', async () => {
    const { mask, bytes } = randomMask(211, 97, 1);
    const png = await renderMaskPng(mask);
    const { width, height, channels, depth, format } = await sharp(png).metadata();
    expect({ width, height, channels, depth, format }).toEqual({
      width: 211,
      height: 97,
      channels: 1,
      depth: 'uchar',
      format: 'png',
    });
    const pixels = await sharp(png).toColourspace('b-w').raw().toBuffer();
    expect([...pixels]).toEqual([...bytes].map((inside) => 255 * inside));
  });

  it('refuses more than 100 million pixels and names the file that has no limit', async () => {
    const refused = renderMaskPng(new MaskRuns(10_001, 10_000));
    await expect(refused).rejects.toThrow(MaskTooLargeForPngError);
    await expect(refused).rejects.toThrow(/10001 x 10000 .* 100 million\. Use mask\.tif/);
  });

  it('draws an empty mask of 100 million pixels', async () => {
    const png = await renderMaskPng(new MaskRuns(10_000, 10_000));
    expect(await sharp(png).metadata()).toMatchObject({ width: 10_000, height: 10_000 });
  });
});
