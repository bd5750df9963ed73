import type { Geometry, Position } from 'geojson';
import { InvalidGeometryError } from './geojson-geometry.ts';

type Segment = readonly [x0: number, y0: number, x1: number, y1: number];

/** Repair takes time with the square of what crosses: a tangle of 1,000 vertices, with 90,000 crossings, half a minute. */
const MAX_CROSSINGS = 1000;

/** The geometry. @throws {InvalidGeometryError} for a polygon that would take too long to repair */
export function repairable<Given extends Geometry>(geometry: Given): Given {
  if (crossingsUpTo(geometry, MAX_CROSSINGS) < MAX_CROSSINGS) return geometry;
  throw new InvalidGeometryError(
    `the ${geometry.type} crosses itself ${MAX_CROSSINGS} times or more, too often to be repaired; make it valid first`,
  );
}

/**
 * Counts how often edges of the rings of a geometry properly cross each other, up to a limit: by ascending longitude, so that
 * edges far apart are not compared. Edges that only touch do not count.
 * @returns the number of crossings, at most `limit`
 */
export function crossingsUpTo(geometry: Geometry, limit: number): number {
  const segments = segmentsOf(geometry).toSorted((a, b) => a[0] - b[0]);
  const active: Segment[] = [];
  let crossings = 0;
  for (const segment of segments) {
    let kept = 0;
    for (const other of active) {
      if (other[2] < segment[0]) continue;
      active[kept++] = other;
      if (cross(segment, other) && ++crossings >= limit) return limit;
    }
    active.length = kept;
    active.push(segment);
  }
  return crossings;
}

/** Edges of all rings, each from west to east. */
function segmentsOf(geometry: Geometry): Segment[] {
  if (geometry.type === 'GeometryCollection') return geometry.geometries.flatMap(segmentsOf);
  if (geometry.type === 'Polygon') return geometry.coordinates.flatMap(edgesOf);
  return geometry.type === 'MultiPolygon' ? geometry.coordinates.flat().flatMap(edgesOf) : [];
}

function edgesOf(ring: readonly Position[]): Segment[] {
  return ring.slice(1).map(([x, y], index): Segment => {
    const [x0, y0] = ring[index]!;
    return x0! <= x! ? [x0!, y0!, x!, y!] : [x!, y!, x0!, y0!];
  });
}

/** Whether each segment has its ends on either side of the other. */
function cross(one: Segment, other: Segment): boolean {
  if (Math.max(one[1], one[3]) < Math.min(other[1], other[3])) return false;
  if (Math.max(other[1], other[3]) < Math.min(one[1], one[3])) return false;
  return areApart(one, other) && areApart(other, one);
}

/** Whether the ends of the second segment lie on opposite sides of the line through the first. */
function areApart([ax, ay, bx, by]: Segment, [cx, cy, dx, dy]: Segment): boolean {
  const start = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const end = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax);
  return (start < 0 && end > 0) || (start > 0 && end < 0);
}
