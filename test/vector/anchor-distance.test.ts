import { describe, expect, it } from 'vitest';
import { anchorPxFor } from '../../src/vector/anchor-distance.ts';
import type { ToWgs84 } from '../../src/vector/ground-position.ts';
import { projection, type Projection } from '../projection.ts';

const utm = await projection('+proj=utm +zone=14 +datum=WGS84');
const polar = await projection('+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +datum=WGS84');

function scene(crs: Projection, x0: number, y0: number, pixelM: number): ToWgs84 {
  return (column, row) => crs.inverse([x0 + pixelM * column, y0 - pixelM * row]);
}

/** Farthest a point of the true edge lies beside the chord between two vertices, in pixels, measured in the scene. */
function worstDeviationPx(
  crs: Projection,
  x0: number,
  y0: number,
  pixelM: number,
  anchorPx: number,
  column: number,
  row: number,
): number {
  const toWgs84 = scene(crs, x0, y0, pixelM);
  const [start, end] = [toWgs84(column, row), toWgs84(column + anchorPx, row)];
  const deviations = Array.from({ length: 21 }, (_, i) => {
    const [longitude, latitude] = [0, 1].map((axis) => start[axis]! + (i / 20) * (end[axis]! - start[axis]!));
    const [, y] = crs.forward([longitude!, latitude!]);
    return Math.abs((y0 - y) / pixelM - row);
  });
  return Math.max(...deviations);
}

describe('the distance of vertices', () => {
  it.each([
    ['a fine scene in UTM', scene(utm, 500_000, 5_200_000, 0.1), 4000, 4000],
    ['a Sentinel-2 granule at 60° north', scene(utm, 300_000, 6_700_020, 10), 10980, 10980],
    [
      'a scene in degrees',
      (column: number, row: number) => [-74 + 0.001 * column, -8 - 0.001 * row] as const,
      700,
      400,
    ],
  ])('is 64 pixels on %s', (_what, toWgs84, widthPx, heightPx) => {
    expect(anchorPxFor(widthPx, heightPx, toWgs84)).toBe(64);
  });

  it.each([
    ['UTM at 60° north', utm, 300_000, 6_700_000, 1000],
    ['polar stereographic', polar, 500_000, -900_000, 500],
  ])('is short enough for a coarse scene in %s to stay within a twentieth of a pixel', (_what, crs, x0, y0, pixelM) => {
    const anchorPx = anchorPxFor(200, 200, scene(crs, x0, y0, pixelM));
    expect(anchorPx).toBeLessThan(64);
    for (const [column, row] of [
      [0, 0],
      [100, 100],
      [130, 10],
      [190, 190],
    ] as const) {
      expect(worstDeviationPx(crs, x0, y0, pixelM, anchorPx, column, row)).toBeLessThan(0.05);
    }
  });

  it('is 1 where a pole is inside the scene', () => {
    expect(anchorPxFor(500, 500, scene(polar, -110_000, 140_000, 500))).toBe(1);
  });

  it('keeps the way around the Earth unambiguous', () => {
    expect(anchorPxFor(36, 1, (column, row) => [10 * column - 180, 0.5 - row])).toBe(4);
  });

  it('passes over positions that are nowhere on the Earth', () => {
    const disk: ToWgs84 = (column, row) =>
      Math.hypot(column - 50, row - 50) < 40 ? [0.01 * column, -0.01 * row] : [Number.NaN, Number.NaN];
    expect(anchorPxFor(100, 100, disk)).toBe(64);
  });
});
