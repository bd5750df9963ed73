type Point = readonly [x: number, y: number];

/**
 * One ring around the same area as a polygon with holes: each hole is joined to what lies west of it by a horizontal bridge,
 * which the ring follows there and back, so that it encloses nothing.
 * @param rings exterior and holes, each closed; valid by OGC Simple Features
 * @returns a ring that is not closed
 */
export function withoutHoles([exterior, ...holes]: readonly (readonly Point[])[]): Point[] {
  let ring = open(exterior ?? []);
  const isClockwise = twiceArea(ring) < 0;
  const fromWest = holes
    .map((hole) => westernmostFirst(open(hole)))
    .map((hole) => (twiceArea(hole) < 0 === isClockwise ? [hole[0]!, ...hole.slice(1).toReversed()] : hole))
    .toSorted(([a], [b]) => a![0] - b![0]);
  for (const hole of fromWest) ring = bridged(ring, hole);
  return ring;
}

const open = (ring: readonly Point[]): Point[] => ring.slice(0, -1);

function westernmostFirst(points: readonly Point[]): Point[] {
  const first = points.reduce((best, point, index) => (point[0] < points[best]![0] ? index : best), 0);
  return [...points.slice(first), ...points.slice(0, first)];
}

/** The ring with a hole in it. Where the ray from the hole to the west first meets the ring, nothing lies between them. */
function bridged(ring: readonly Point[], hole: readonly Point[]): Point[] {
  const [x, y] = hole[0]!;
  let nearest = -Infinity;
  let after = 0;
  for (let index = 0; index < ring.length; index++) {
    const [[x1, y1], [x2, y2]] = [ring[index]!, ring[(index + 1) % ring.length]!];
    if (Math.min(y1, y2) > y || Math.max(y1, y2) < y) continue;
    const met = y1 === y2 ? Math.max(x1, x2) : x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
    if (met <= x && met > nearest) [nearest, after] = [met, index];
  }
  const foot: Point = [nearest, y];
  return [...ring.slice(0, after + 1), foot, ...hole, hole[0]!, foot, ...ring.slice(after + 1)];
}

/** Area that a ring encloses, in squared units of its coordinates. */
export const ringArea = (ring: readonly Point[]): number => Math.abs(twiceArea(ring)) / 2;

/** Positive where x turns to y. */
function twiceArea(ring: readonly Point[]): number {
  return ring.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = ring[(index + 1) % ring.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
}
