import { describe, expect, it } from 'vitest';
import { fromCocoCounts, toCocoCounts } from '../../src/vector/coco-counts.ts';
import { drawnMask, hardMasks, maskOf, noiseMask, type ByteMask } from './seeded-masks.ts';

/** As pycocotools' rleEncode: one look at every pixel, column by column. */
function slowCounts({ widthPx, heightPx, bytes }: ByteMask): number[] {
  const counts: number[] = [];
  let previous = 0;
  let count = 0;
  for (let c = 0; c < widthPx; c++) {
    for (let r = 0; r < heightPx; r++) {
      const inside = bytes[r * widthPx + c]!;
      if (inside !== previous) {
        counts.push(count);
        count = 0;
        previous = inside;
      }
      count++;
    }
  }
  return [...counts, count];
}

describe.each([...hardMasks(), noiseMask(9, 1, 50, 0.5), noiseMask(9, 50, 1, 0.5)])('counts of $name', (drawn) => {
  it('are those of a look at every pixel', () => {
    expect(toCocoCounts(maskOf(drawn))).toEqual(slowCounts(drawn));
  });

  it('give the mask back', () => {
    const mask = fromCocoCounts(slowCounts(drawn), drawn.widthPx, drawn.heightPx);
    expect(mask.toBytes(0, drawn.heightPx)).toEqual(drawn.bytes);
    expect(toCocoCounts(mask)).toEqual(slowCounts(drawn));
  });
});

describe('counts', () => {
  it('begin with the zeros, also where there are none', () => {
    expect(toCocoCounts(maskOf(drawnMask('corner', ['#.', '..'])))).toEqual([0, 1, 3]);
  });

  it('of 0 between two runs join them', () => {
    const mask = fromCocoCounts([1, 2, 0, 2, 1], 2, 3);
    expect([...mask.toBytes(0, 3)]).toEqual([0, 1, 1, 1, 1, 0]);
  });

  it('carry no probability', () => {
    expect(fromCocoCounts([0, 4], 2, 2).meanProbability).toBeNull();
  });

  it('are refused when they are no counts or not of this size', () => {
    expect(() => fromCocoCounts([1, 2], 2, 2)).toThrow('Counts sum to 3 pixels; a mask of 2 x 2 has 4.');
    expect(() => fromCocoCounts([5, -1], 2, 2)).toThrow('Count 1 is -1');
    expect(() => fromCocoCounts([0.5, 3.5], 2, 2)).toThrow('Count 0 is 0.5');
  });
});
