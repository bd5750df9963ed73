import { describe, expect, it } from 'vitest';
import { halvedMask } from '../../src/rendering/mask-overview.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { maskWhere, randomMask } from './random-mask.ts';

/** The slow twin: counts the pixels of every two by two. */
function halvedBytes(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const [halfWidth, halfHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  return Uint8Array.from({ length: halfWidth * halfHeight }, (_, index) => {
    const [column, row] = [index % halfWidth, Math.floor(index / halfWidth)];
    let [inside, total] = [0, 0];
    for (const y of [2 * row, 2 * row + 1]) {
      for (const x of [2 * column, 2 * column + 1]) {
        if (x >= width || y >= height) continue;
        total++;
        inside += bytes[y * width + x]!;
      }
    }
    return 2 * inside >= total ? 1 : 0;
  });
}

describe('halvedMask', () => {
  it.each([
    [1, 1],
    [2, 2],
    [1, 9],
    [9, 1],
    [31, 40],
    [40, 31],
    [33, 33],
  ])('is what counting the pixels of every two by two gives: %i x %i', (width, height) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { mask, bytes } = randomMask(width, height, seed);
      const half = halvedMask(mask);
      expect([half.widthPx, half.heightPx]).toEqual([Math.ceil(width / 2), Math.ceil(height / 2)]);
      expect(half.toBytes(0, half.heightPx)).toEqual(halvedBytes(bytes, width, height));
    }
  });

  it('keeps a line of one pixel whole at every size', () => {
    let { mask } = maskWhere(256, 256, (x) => x === 101);
    for (let size = 128; size >= 1; size /= 2) {
      mask = halvedMask(mask);
      expect(mask.pixelCount).toBe(size);
    }
  });

  it('does not look at pixels: a mask of 67 million by 67 million pixels halves at once', () => {
    const mask = new MaskRuns(2 ** 26, 2 ** 26);
    mask.pushRow({ y: 2 ** 26 - 1, toggles: Uint32Array.of(7, 2 ** 26), probabilitySums: Float64Array.of(Number.NaN) });
    expect(halvedMask(mask).pixelCount).toBe(2 ** 25 - 4);
  });
});
