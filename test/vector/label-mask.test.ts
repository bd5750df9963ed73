import { describe, expect, it } from 'vitest';
import { labelMask } from '../../src/vector/label-mask.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { labelRaster } from './label-raster.ts';
import { blobMask, drawnMask, hardMasks, maskOf, noiseMask } from './seeded-masks.ts';
import { seededRandom } from '../seeded.ts';
import { floodLabels } from './slow-twins.ts';

const sizesOf = (raster: Uint32Array): Map<number, number> => {
  const sizes = new Map<number, number>();
  for (const label of raster) if (label > 0) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return sizes;
};

describe.each([...hardMasks(), noiseMask(5, 70, 60, 0.59), blobMask(5, 70, 60, 9)])('labels of $name', (drawn) => {
  const labelled = labelMask(maskOf(drawn));
  const flooded = floodLabels(drawn);

  it('are those of a flood fill in scan order', () => {
    expect(labelRaster(labelled)).toEqual(flooded);
  });

  it('know their pixel count and bounds', () => {
    for (const [label, size] of sizesOf(flooded)) {
      expect(labelled.pixelCount(label)).toBe(size);
      const pixels = [...flooded.keys()].filter((pixel) => flooded[pixel] === label);
      const columns = pixels.map((pixel) => pixel % drawn.widthPx);
      const rows = pixels.map((pixel) => Math.floor(pixel / drawn.widthPx));
      const [x, y] = [Math.min(...columns), Math.min(...rows)];
      const bounds = { x, y, width: Math.max(...columns) - x + 1, height: Math.max(...rows) - y + 1 };
      expect(labelled.bounds(label)).toEqual(bounds);
    }
  });

  it('leave out parts below the sieve and renumber the rest', () => {
    const sieved = labelMask(maskOf(drawn), { minPixelCount: 4 });
    const sizes = sizesOf(flooded);
    const kept = { ...drawn, bytes: Uint8Array.from(flooded, (label) => ((sizes.get(label) ?? 0) >= 4 ? 1 : 0)) };
    expect(labelRaster(sieved)).toEqual(floodLabels(kept));
    expect(sieved.mask.toBytes(0, drawn.heightPx)).toEqual(kept.bytes);
  });
});

describe('a sieve by area', () => {
  const bars = drawnMask('bars', ['##.##', '.....', '##...', '.....', '#....']);

  it('weighs each row with its own pixel area and keeps a part exactly at the limit', () => {
    const sieved = labelMask(maskOf(bars), { minAreaM2: 6, pixelAreaM2: (row) => row + 1 });
    expect(sieved.mask.toBytes(0, 5).reduce((sum, inside) => sum + inside, 0)).toBe(2);
    expect(sieved.bounds(1)).toEqual({ x: 0, y: 2, width: 2, height: 1 });
  });

  it('refuses limits and pixel areas that are none', () => {
    const mask = maskOf(bars);
    expect(() => labelMask(mask, { minPixelCount: -1 })).toThrow('The minimum part size is -1');
    expect(() => labelMask(mask, { minAreaM2: Number.NaN, pixelAreaM2: () => 1 })).toThrow('is NaN');
    expect(() => labelMask(mask, { minAreaM2: 1, pixelAreaM2: () => Number.NaN })).toThrow(
      'A pixel of row 0 covers NaN m²',
    );
  });
});

describe('a label', () => {
  it('has the mean probability of its own pixels', () => {
    const mask = new MaskRuns(4, 2);
    mask.pushRow(rowFromProbability(0, Float32Array.of(1, 0, 0, 0.5), 0.5));
    mask.pushRow(rowFromProbability(1, Float32Array.of(0.5, 0, 0, 0.75), 0.5));
    const labelled = labelMask(mask);
    expect([labelled.meanProbability(1), labelled.meanProbability(2)]).toEqual([0.75, 0.625]);
    expect([labelled.maxProbability(1), labelled.maxProbability(2)]).toEqual([1, 0.75]);
  });

  it.each([0, 2, 1.5])('%s is refused when the mask has labels 1 to 1', (label) => {
    const labelled = labelMask(maskOf(drawnMask('pixel', ['#'])));
    expect(() => labelled.pixelCount(label)).toThrow(`Label ${label} does not exist; this mask has labels 1 to 1`);
  });

  it('spans all the bands its pixels came in', () => {
    const random = seededRandom(11);
    const river = Array.from({ length: 64 }, () =>
      Float32Array.from({ length: 40 }, (_, c) => (c > 15 && c < 22 ? 0.9 : 0.3 * random())),
    );
    const mask = new MaskRuns(40, 64);
    for (const [firstRow, lastRow] of [
      [0, 16],
      [16, 17],
      [17, 48],
      [48, 64],
    ] as const) {
      const band = river.slice(firstRow, lastRow);
      band.forEach((probability, i) => mask.pushRow(rowFromProbability(firstRow + i, probability, 0.5)));
    }
    const [polygon, ...others] = tracePolygons(labelMask(mask));
    expect(others).toEqual([]);
    expect([...polygon!.exterior]).toEqual([16, 64, 22, 64, 22, 0, 16, 0]);
  });
});
