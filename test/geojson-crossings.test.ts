import type { Polygon, Position } from 'geojson';
import { expect, it } from 'vitest';
import { checkFilter } from '../src/feature/check-filter.ts';
import { crossingsUpTo } from '../src/geojson-crossings.ts';
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
    expect(crossingsUpTo(polygon, Infinity)).toBe(crossingsOf(polygon));
  }
});

it('of more than can be repaired are refused, with the limit, wherever the filter has them', () => {
  const random = seededRandom(4);
  const tangle = closed(Array.from({ length: 300 }, () => [random(), random()]));
  for (const filter of [{ intersects: tangle }, { not: { near: { geometry: tangle, withinM: 5 } } }]) {
    expect(() => checkFilter(filter, 1000)).toThrow(/crosses itself 1000 times or more/);
  }
  const bowtie = closed([
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
  ]);
  expect(() => checkFilter({ intersects: bowtie }, 1000)).not.toThrow();
});
