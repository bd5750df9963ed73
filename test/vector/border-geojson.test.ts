import { describe, expect, it } from 'vitest';
import { adjacency } from '../../src/vector/adjacency.ts';
import { borderToWgs84 } from '../../src/vector/border-geojson.ts';
import type { ToWgs84 } from '../../src/vector/ground-position.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { polygonToWgs84 } from '../../src/vector/polygon-geojson.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { byteMask, maskOf } from './seeded-masks.ts';

const wrapped = (longitude: number): number => (longitude > 180 ? longitude - 360 : longitude);
const from =
  (west: number): ToWgs84 =>
  (column, row) => [wrapped(west + 0.25 * column), 1 - 0.25 * row];

describe('a border on the ground', () => {
  it('has a line for each straight segment, with the vertices that the polygons have', () => {
    const upper = labelMask(maskOf(byteMask('upper', 10, 6, (_c, r) => r < 3)));
    const lower = labelMask(maskOf(byteMask('lower', 10, 6, (_c, r) => r >= 3)));
    const [pair] = adjacency(upper, lower);
    const border = borderToWgs84(pair!.edges, from(0), 4);
    expect(border).toEqual({
      type: 'MultiLineString',
      coordinates: [
        [
          [0, 0.25],
          [1, 0.25],
          [2, 0.25],
          [2.5, 0.25],
        ],
      ],
    });
    const [polygon] = tracePolygons(upper, 4).map((traced) => polygonToWgs84(traced, from(0)));
    expect(polygon!.coordinates[0]).toEqual(expect.arrayContaining(border.coordinates[0]!));
  });

  it('is cut at the antimeridian', () => {
    expect(borderToWgs84(Uint32Array.of(0, 4, 4, 4), from(179.625)).coordinates).toEqual([
      [
        [179.625, 0],
        [180, 0],
      ],
      [
        [-180, 0],
        [-179.375, 0],
      ],
    ]);
  });

  it.each([
    [
      'ends at',
      179,
      [
        [179, 0],
        [180, 0],
      ],
    ],
    [
      'begins at',
      180,
      [
        [-180, 0],
        [-179, 0],
      ],
    ],
  ])('is not cut where it %s the antimeridian', (_what, west, line) => {
    expect(borderToWgs84(Uint32Array.of(0, 4, 4, 4), from(west)).coordinates).toEqual([line]);
  });

  it('may lie on the antimeridian', () => {
    const [line, ...others] = borderToWgs84(Uint32Array.of(4, 0, 4, 4), from(179)).coordinates;
    expect(others).toEqual([]);
    expect(line!.map(([longitude, latitude]) => [Math.abs(longitude!), latitude])).toEqual([
      [180, 1],
      [180, 0],
    ]);
  });

  it('is empty where labels meet at corners only', () => {
    expect(borderToWgs84(new Uint32Array(0), from(0)).coordinates).toEqual([]);
  });
});
