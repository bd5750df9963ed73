import { length, lineString, polygonToLine, polygon, nearestPointOnLine, point } from '@turf/turf';
import type { Polygon, Position } from 'geojson';
import { describe, expect, it } from 'vitest';
import { commonBorder, shortestLine } from '../../src/dashboard/map/neighbour-lines.ts';
import { seededRandom } from '../seeded.ts';

const UNIT = 1e-5;
/** A box in hundred-thousandths of a degree, near 52° N. */
function box(west: number, south: number, east: number, north: number): Polygon {
  const at = (x: number, y: number): Position => [5 + x * UNIT, 52 + y * UNIT];
  return {
    type: 'Polygon',
    coordinates: [[at(west, south), at(east, south), at(east, north), at(west, north), at(west, south)]],
  };
}
const lengthM = (lines: readonly Position[][]): number =>
  lines.reduce((sum, line) => sum + length(lineString(line), { units: 'meters' }), 0);

describe('the border of two features', () => {
  it('is the part of an edge that both share, though their corners differ', () => {
    const border = commonBorder(box(0, 0, 10, 10), box(10, 4, 20, 30));
    expect(border).toHaveLength(1);
    const [[from, to]] = border as [[Position, Position]];
    expect([from[1], to[1]].toSorted((one, other) => one! - other!)).toEqual([
      expect.closeTo(52 + 4 * UNIT, 8),
      expect.closeTo(52 + 10 * UNIT, 8),
    ]);
    expect(from[0]).toBeCloseTo(5 + 10 * UNIT, 9);
  });

  it('is nothing where features meet at a corner, or not at all', () => {
    expect(commonBorder(box(0, 0, 10, 10), box(10, 10, 20, 20))).toEqual([]);
    expect(commonBorder(box(0, 0, 10, 10), box(11, 0, 20, 10))).toEqual([]);
  });

  it('is all of a hole that the other fills', () => {
    const [outer] = box(0, 0, 30, 30).coordinates as [Position[]];
    const [hole] = box(10, 10, 20, 20).coordinates as [Position[]];
    const ring: Polygon = { type: 'Polygon', coordinates: [outer, hole.toReversed()] };
    const filling = box(10, 10, 20, 20);
    expect(lengthM(commonBorder(ring, filling))).toBeCloseTo(
      length(polygonToLine(polygon(filling.coordinates)), { units: 'meters' }),
      3,
    );
  });

  it('is as long as the stretch that both edges cover, wherever it lies', () => {
    const random = seededRandom(11);
    for (let trial = 0; trial < 60; trial++) {
      const south = Math.floor(random() * 16) - 6;
      const north = south + 1 + Math.floor(random() * 12);
      const stretch = Math.max(0, Math.min(10, north) - Math.max(0, south));
      const expected = length(
        lineString([
          [5, 52],
          [5, 52 + stretch * UNIT],
        ]),
        { units: 'meters' },
      );
      expect(lengthM(commonBorder(box(0, 0, 10, 10), box(10, south, 20, north)))).toBeCloseTo(expected, 3);
    }
  });
});

describe('the gap between two features', () => {
  it('goes straight across, or from corner to corner', () => {
    const across = shortestLine(box(0, 0, 10, 10), box(14, 2, 20, 8))!;
    expect(across[0]![0]).toBeCloseTo(5 + 10 * UNIT, 9);
    expect(across[1]![0]).toBeCloseTo(5 + 14 * UNIT, 9);
    expect(across[0]![1]).toBeCloseTo(across[1]![1]!, 9);
    const diagonal = shortestLine(box(0, 0, 10, 10), box(13, 14, 20, 20))!;
    expect(diagonal[0]).toEqual([expect.closeTo(5 + 10 * UNIT, 9), expect.closeTo(52 + 10 * UNIT, 9)]);
    expect(diagonal[1]).toEqual([expect.closeTo(5 + 13 * UNIT, 9), expect.closeTo(52 + 14 * UNIT, 9)]);
  });

  it('is as short as from every corner to the other outline', () => {
    const random = seededRandom(12);
    const star = (x: number, y: number): Polygon => {
      const corners = Array.from({ length: 9 }, (_, index): Position => {
        const angle = (2 * Math.PI * index) / 9;
        const radius = 2 + 6 * random();
        return [5 + (x + radius * Math.cos(angle)) * UNIT, 52 + (y + radius * Math.sin(angle)) * UNIT];
      });
      return { type: 'Polygon', coordinates: [[...corners, corners[0]!]] };
    };
    for (let trial = 0; trial < 30; trial++) {
      const [a, b] = [star(0, 0), star(20 + 5 * random(), 10 * random())];
      const toOutline = (from: Polygon, to: Polygon): number =>
        Math.min(
          ...from.coordinates[0]!.map(
            (corner) =>
              nearestPointOnLine(lineString(to.coordinates[0]!), point(corner), { units: 'meters' }).properties.dist!,
          ),
        );
      const found = length(lineString(shortestLine(a, b)!), { units: 'meters' });
      expect(found).toBeCloseTo(Math.min(toOutline(a, b), toOutline(b, a)), 2);
    }
  });
});
