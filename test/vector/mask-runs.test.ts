import { describe, expect, it } from 'vitest';
import { fromCocoCounts, toCocoCounts } from '../../src/vector/coco-counts.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { hardMasks, maskOf } from './seeded-masks.ts';
import { seededRandom } from '../seeded.ts';

const row = (y: number, ...toggles: number[]) => ({
  y,
  toggles: Uint32Array.from(toggles),
  probabilitySums: new Float64Array(toggles.length / 2).fill(1),
});

describe.each(hardMasks())('$name as runs', (drawn) => {
  it('gives its bytes back, whole and in bands', () => {
    const mask = maskOf(drawn);
    expect(mask.toBytes(0, drawn.heightPx)).toEqual(drawn.bytes);
    const middle = Math.floor(drawn.heightPx / 2);
    expect(mask.toBytes(middle, drawn.heightPx - middle)).toEqual(drawn.bytes.subarray(middle * drawn.widthPx));
  });

  it('counts its pixels and their mean probability', () => {
    const mask = maskOf(drawn);
    const pixelCount = drawn.bytes.reduce((sum, inside) => sum + inside, 0);
    expect(mask.pixelCount).toBe(pixelCount);
    expect(mask.meanProbability).toBe(pixelCount === 0 ? null : 0.75);
  });
});

describe('rowFromProbability', () => {
  it('cuts a row where the threshold is reached and sums the probabilities of each run', () => {
    const { toggles, probabilitySums } = rowFromProbability(0, Float32Array.of(0.5, 0.75, 0.25, 0.5), 0.5);
    expect([...toggles]).toEqual([0, 2, 3, 4]);
    expect([...probabilitySums]).toEqual([1.25, 0.5]);
  });

  it('keeps invalid pixels out, whatever their probability', () => {
    const probability = Float32Array.of(1, 1, Number.NaN, 1);
    expect([...rowFromProbability(0, probability, 0, Uint8Array.of(1, 1, 0, 1)).toggles]).toEqual([0, 2, 3, 4]);
  });

  it('agrees with a look at every pixel on random rows', () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 50; trial++) {
      const probability = Float32Array.from({ length: 40 }, random);
      const mask = new MaskRuns(40, 1);
      mask.pushRow(rowFromProbability(0, probability, 0.4));
      expect([...mask.toBytes(0, 1)]).toEqual([...probability].map((p) => (p >= 0.4 ? 1 : 0)));
      const inside = [...probability].filter((p) => p >= 0.4);
      expect(mask.meanProbability).toBeCloseTo(inside.reduce((sum, p) => sum + p, 0) / inside.length, 12);
    }
  });

  it('refuses an invalid probability or threshold, and flags of another length', () => {
    expect(() => rowFromProbability(7, Float32Array.of(0, 1.5), 0.5)).toThrow(
      'Probability 1.5 at row 7, column 1 is not within 0 to 1.',
    );
    expect(() => rowFromProbability(7, Float32Array.of(Number.NaN), 0.5)).toThrow('Probability NaN');
    expect(() => rowFromProbability(0, Float32Array.of(0), 2)).toThrow('Threshold 2 is not within 0 to 1.');
    expect(() => rowFromProbability(0, Float32Array.of(0), 0.5, Uint8Array.of(1, 1))).toThrow('2 validity flags for 1');
  });
});

describe('a mask refuses', () => {
  it.each([
    [0, 5],
    [5, 2.5],
    [2 ** 26 + 1, 1],
  ])('a size of %s x %s', (widthPx, heightPx) => {
    expect(() => new MaskRuns(widthPx, heightPx)).toThrow(`The mask has ${widthPx} x ${heightPx} pixels`);
  });

  it.each([
    [row(1, 0, 1), 'Row 1 does not follow row 1 in a mask of 4 rows'],
    [row(4, 0, 1), 'Row 4 does not follow row 1'],
    [row(2.5, 0, 1), 'Row 2.5 does not follow row 1'],
    [row(2, 0, 7), 'Row 2 toggles at column 7 after 0; columns must ascend up to 6'],
    [row(2, 0, 2, 2, 3), 'Row 2 toggles at column 2 after 2'],
    [row(2, 3, 3), 'Row 2 toggles at column 3 after 3'],
    [{ ...row(2, 0, 1), probabilitySums: new Float64Array(2) }, 'Row 2 has 2 toggles for 2 runs'],
  ])('row %#', (wrong, message) => {
    const mask = new MaskRuns(6, 4);
    mask.pushRow(row(1, 0, 3));
    expect(() => mask.pushRow(wrong)).toThrow(message);
  });

  it.each([
    [-1, 2],
    [3, 2],
    [0.5, 1],
  ])('a band from row %s of %s rows', (y, rowCount) => {
    expect(() => new MaskRuns(6, 4).toBytes(y, rowCount)).toThrow('are not within a mask of 4 rows');
  });
});

describe('a mask of 60,000 x 60,000 pixels', () => {
  const side = 60_000;
  const mask = new MaskRuns(side, side);
  for (let y = 0; y < side; y += 1) mask.pushRow(row(y, 0, 10, side - 10, side));

  it('is labelled, traced and counted by its runs, in less memory than a twentieth of its pixels', () => {
    const before = process.memoryUsage().rss;
    const polygons = tracePolygons(labelMask(mask));
    expect(polygons.map(({ exterior }) => exterior.length / 2)).toEqual([1878, 1878]);
    const again = fromCocoCounts(toCocoCounts(mask), side, side);
    expect(again.pixelCount).toBe(20 * side);
    expect(process.memoryUsage().rss - before).toBeLessThan((side * side) / 20);
  });
});
