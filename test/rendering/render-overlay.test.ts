import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ImageHeader, ImageSource } from '../../src/imagery/image-source.ts';
import { maskCoverage, renderOverlayPng } from '../../src/rendering/render-overlay.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { maskWhere, randomMask } from './random-mask.ts';

/** Share of every pixel of the small picture that the mask covers, by adding up every overlapping pixel. */
function slowCoverage(bytes: Uint8Array, widthPx: number, heightPx: number, width: number, height: number): number[] {
  const overlap = (a: number, b: number, from: number, to: number): number =>
    Math.max(0, Math.min(b, to) - Math.max(a, from));
  return Array.from({ length: width * height }, (_, i) => {
    const [column, row] = [i % width, Math.floor(i / width)];
    let sum = 0;
    for (let y = 0; y < heightPx; y++) {
      for (let x = 0; x < widthPx; x++) {
        const across = overlap((x * width) / widthPx, ((x + 1) * width) / widthPx, column, column + 1);
        const down = overlap((y * height) / heightPx, ((y + 1) * height) / heightPx, row, row + 1);
        sum += bytes[y * widthPx + x]! * across * down;
      }
    }
    return sum;
  });
}

/** An image of one grey; its left column has no data. */
function greyImage(widthPx: number, heightPx: number): ImageSource {
  const header: Partial<ImageHeader> = { widthPx, heightPx };
  return {
    header: header as ImageHeader,
    readRgb: (_window, width, height) =>
      Promise.resolve({
        rgb: new Uint8Array(width * height * 3).fill(100),
        valid: Uint8Array.from({ length: width * height }, (_, i) => (i % width === 0 ? 0 : 1)),
      }),
    stretch: () => Promise.resolve(null),
    collar: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

const show = { rgbBands: [1], stretch: null };

async function render(masks: readonly MaskRuns[], widthPx: number, heightPx: number) {
  const png = await renderOverlayPng(greyImage(widthPx, heightPx), show, masks);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)];
  return { info, pixel };
}

describe('maskCoverage', () => {
  it.each([
    [23, 17, 23, 17],
    [23, 17, 10, 7],
    [40, 9, 1, 1],
    [64, 64, 16, 16],
  ])('of a mask of %i x %i is the share of every pixel of %i x %i', (widthPx, heightPx, width, height) => {
    const { mask, bytes } = randomMask(widthPx, heightPx, 7);
    const coverage = maskCoverage(mask, width, height);
    const expected = slowCoverage(bytes, widthPx, heightPx, width, height);
    coverage.forEach((share, i) => expect(share).toBeCloseTo(expected[i]!, 5));
  });
});

describe('renderOverlayPng', () => {
  it('shows the picture outside the mask, tints it inside, and draws the outline solid', async () => {
    const { mask } = maskWhere(40, 30, (x, y) => x >= 10 && x < 30 && y >= 10 && y < 20);
    const { info, pixel } = await render([mask], 40, 30);
    expect(info).toMatchObject({ width: 40, height: 30, channels: 4 });
    expect(pixel(5, 5)).toEqual([100, 100, 100, 255]);
    expect(pixel(20, 15)).toEqual([147, 70, 121, 255]);
    for (const [x, y] of [
      [10, 15],
      [9, 15],
      [29, 15],
      [30, 15],
      [20, 10],
      [20, 9],
      [20, 19],
      [20, 20],
    ] as const) {
      expect(pixel(x, y)).toEqual([255, 0, 170, 255]);
    }
  });

  it('is transparent where the scene has no data', async () => {
    const { pixel } = await render([new MaskRuns(8, 8)], 8, 8);
    expect(pixel(0, 3)[3]).toBe(0);
    expect(pixel(1, 3)[3]).toBe(255);
  });

  it('gives every mask its own colour', async () => {
    const left = maskWhere(40, 20, (x) => x > 4 && x < 12).mask;
    const right = maskWhere(40, 20, (x) => x > 24 && x < 32).mask;
    const { pixel } = await render([left, right], 40, 20);
    expect(pixel(5, 10)).toEqual([255, 0, 170, 255]);
    expect(pixel(25, 10)).toEqual([255, 225, 0, 255]);
  });

  it('shows a larger scene at 1600 pixels on its long side, and keeps a thin line visible', async () => {
    const { mask } = maskWhere(6400, 320, (_, y) => y === 160);
    const { info, pixel } = await render([mask], 6400, 320);
    expect([info.width, info.height]).toEqual([1600, 80]);
    const [red, green] = pixel(800, 40);
    expect(red! - green!).toBeGreaterThan(100);
  });

  it('shows a scene of one pixel by many as at least one pixel high', async () => {
    const { info } = await render([new MaskRuns(10_000, 1)], 10_000, 1);
    expect([info.width, info.height]).toEqual([1600, 1]);
  });
});
