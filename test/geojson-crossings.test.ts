import type { MultiPolygon, Polygon, Position } from 'geojson';
import { describe, expect, it } from 'vitest';
import { checkFilter } from '../src/feature/check-filter.ts';
import { meetingsUpTo, repairable } from '../src/geojson-crossings.ts';
import { box } from './database/seeds.ts';
import { seededRandom } from './seeded.ts';

const closed = (ring: Position[]): Polygon => ({ type: 'Polygon', coordinates: [[...ring, ring[0]!]] });

/** The obvious way: every edge with every other, by the point where their lines meet. */
function crossingsOf({ coordinates: [ring] }: Polygon): number {
  let count = 0;
  for (let i = 1; i < ring!.length; i++) {
    for (let j = 1; j < i; j++) {
      const [[ax, ay], [bx, by], [cx, cy], [dx, dy]] = [ring![i - 1]!, ring![i]!, ring![j - 1]!, ring![j]!];
      const d = (bx! - ax!) * (dy! - cy!) - (by! - ay!) * (dx! - cx!);
      const t = ((cx! - ax!) * (dy! - cy!) - (cy! - ay!) * (dx! - cx!)) / d;
      const u = ((cx! - ax!) * (by! - ay!) - (cy! - ay!) * (bx! - ax!)) / d;
      if (t > 1e-9 && t < 1 - 1e-9 && u > 1e-9 && u < 1 - 1e-9) count++;
    }
  }
  return count;
}

it('are those of every pair of edges', () => {
  const random = seededRandom(3);
  for (const vertices of [3, 4, 8, 40]) {
    const polygon = closed(Array.from({ length: vertices }, () => [random(), random()]));
    expect(meetingsUpTo(polygon, Infinity, Infinity)).toEqual({ crossings: crossingsOf(polygon), contacts: 0 });
  }
});

it('of more than can be repaired are refused, with the limit, wherever the filter has them', () => {
  const random = seededRandom(4);
  const tangle = closed(Array.from({ length: 300 }, () => [random(), random()]));
  for (const filter of [{ intersects: tangle }, { not: { near: { geometry: tangle, withinM: 5 } } }]) {
    expect(() => checkFilter(filter, 1000)).toThrow(/crosses itself 1000 or more times/);
  }
  const bowtie = closed([
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
  ]);
  expect(() => checkFilter({ intersects: bowtie }, 1000)).not.toThrow();
});

describe('edges that lie or end on each other', () => {
  const random = seededRandom(5);
  const spikes = (count: number, end: () => Position): Polygon =>
    closed([[5, 1], ...Array.from({ length: count }, end)]);
  const cases: [string, (count: number) => Polygon][] = [
    ['spikes along one line', (count) => spikes(count, () => [random() * 10, 0])],
    ['spikes along a meridian', (count) => spikes(count, () => [0, random() * 10])],
    [
      'spokes of a wheel, there and back',
      (count) =>
        closed(
          Array.from({ length: count / 2 }, (_, spoke): Position[] => [
            [0, 0],
            [Math.cos(spoke), Math.sin(spoke)],
          ]).flat(),
        ),
    ],
    ['a ring walked again and again', (count) => closed(Array.from({ length: count }, (_, i) => CORNERS[i % 4]!))],
  ];
  const CORNERS: Position[] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ];

  it.each(cases)(
    '%s are refused where there are too many to repair, and taken where there are few',
    (_name, polygon) => {
      expect(() => repairable(polygon(4000))).toThrow(/100000 or more pairs of edges that lie or end on each other/);
      expect(() => repairable(polygon(40))).not.toThrow();
    },
  );

  it('of parcels side by side are no reason to refuse them', () => {
    const parcels: MultiPolygon = {
      type: 'MultiPolygon',
      coordinates: Array.from({ length: 2000 }, (_, i) => {
        const [x, y] = [(i % 50) / 10, Math.floor(i / 50) / 10];
        return box(x, y, x + 0.1, y + 0.1).coordinates;
      }),
    };
    expect(() => repairable(parcels)).not.toThrow();
  });
});
