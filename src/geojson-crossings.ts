import type { Geometry, Position } from 'geojson';
import { InvalidGeometryError } from './geojson-geometry.ts';

/** An edge of a ring, from its smaller end on the axis of the sweep, and its place among the edges of all rings. */
interface Edge {
  readonly from: Position;
  readonly to: Position;
  readonly ring: number;
  readonly index: number;
}

/** Repair takes time with the square of what crosses: a tangle of 1,000 vertices, with 90,000 crossings, half a minute. */
const MAX_CROSSINGS = 1000;
/**
 * Edges that lie on each other or end on each other cost it less; as many as these take a second. 4,000 spikes along one line,
 * eight million such pairs, take a minute.
 */
const MAX_CONTACTS = 100_000;

/** The geometry. @throws {InvalidGeometryError} for a polygon that would take too long to repair */
export function repairable<Given extends Geometry>(geometry: Given): Given {
  const { crossings, contacts } = meetingsUpTo(geometry, MAX_CROSSINGS, MAX_CONTACTS);
  if (crossings < MAX_CROSSINGS && contacts < MAX_CONTACTS) return geometry;
  const what =
    crossings < MAX_CROSSINGS
      ? `has ${MAX_CONTACTS} or more pairs of edges that lie or end on each other`
      : `crosses itself ${MAX_CROSSINGS} or more times`;
  throw new InvalidGeometryError(`The ${geometry.type} ${what}, too many to be repaired; make it valid first.`);
}

/**
 * Counts pairs of edges of the rings of a geometry that meet, up to a limit of either kind. Neighbours in a ring do not count.
 * Edges are swept along the axis on which they overlap less, so that edges far apart are not compared.
 * @returns crossings: each edge has its ends on either side of the other; contacts: an end, or more, of one lies on the other
 */
export function meetingsUpTo(
  geometry: Geometry,
  maxCrossings: number,
  maxContacts: number,
): { crossings: number; contacts: number } {
  const rings = ringsOf(geometry);
  const axis = sweepAxis(rings);
  const edges = rings.flatMap((ring, number) => edgesOf(ring, number, axis));
  edges.sort((a, b) => a.from[axis]! - b.from[axis]!);
  const found = { crossings: 0, contacts: 0 };
  const active: Edge[] = [];
  for (const edge of edges) {
    let kept = 0;
    for (const other of active) {
      if (other.to[axis]! < edge.from[axis]!) continue;
      active[kept++] = other;
      const meeting = areNeighbours(edge, other, rings) ? null : meetingOf(edge, other, axis);
      if (meeting) found[meeting]++;
      if (found.crossings >= maxCrossings || found.contacts >= maxContacts) return found;
    }
    active.length = kept;
    active.push(edge);
  }
  return found;
}

function ringsOf(geometry: Geometry): Position[][] {
  if (geometry.type === 'GeometryCollection') return geometry.geometries.flatMap(ringsOf);
  if (geometry.type === 'Polygon') return geometry.coordinates;
  return geometry.type === 'MultiPolygon' ? geometry.coordinates.flat() : [];
}

/** 0 to sweep by longitude, 1 by latitude: the axis on which edges are shorter for its extent. */
function sweepAxis(rings: readonly Position[][]): 0 | 1 {
  const positions = rings.flat();
  const covered = [0, 1].map((axis) => {
    const values = positions.map((position) => position[axis]!);
    const extent =
      values.reduce((a, b) => Math.max(a, b), -Infinity) - values.reduce((a, b) => Math.min(a, b), Infinity);
    const length = rings.reduce(
      (sum, ring) => ring.slice(1).reduce((along, to, index) => along + Math.abs(to[axis]! - ring[index]![axis]!), sum),
      0,
    );
    return extent > 0 ? length / extent : Infinity;
  });
  return covered[0]! <= covered[1]! ? 0 : 1;
}

function edgesOf(ring: readonly Position[], number: number, axis: 0 | 1): Edge[] {
  return ring.slice(1).map((to, index): Edge => {
    const from = ring[index]!;
    return from[axis]! <= to[axis]! ? { from, to, ring: number, index } : { from: to, to: from, ring: number, index };
  });
}

function areNeighbours(a: Edge, b: Edge, rings: readonly Position[][]): boolean {
  if (a.ring !== b.ring) return false;
  const apart = Math.abs(a.index - b.index);
  return apart === 1 || apart === rings[a.ring]!.length - 2;
}

function meetingOf(a: Edge, b: Edge, axis: 0 | 1): 'crossings' | 'contacts' | null {
  const across = 1 - axis;
  const [a0, a1, b0, b1] = [a.from[across]!, a.to[across]!, b.from[across]!, b.to[across]!];
  if (Math.max(a0, a1) < Math.min(b0, b1) || Math.max(b0, b1) < Math.min(a0, a1)) return null;
  const [fromA, toA] = [sideOf(a, b.from), sideOf(a, b.to)];
  const [fromB, toB] = [sideOf(b, a.from), sideOf(b, a.to)];
  if (fromA * toA < 0 && fromB * toB < 0) return 'crossings';
  const touches =
    (fromA === 0 && isBetween(a, b.from)) ||
    (toA === 0 && isBetween(a, b.to)) ||
    (fromB === 0 && isBetween(b, a.from)) ||
    (toB === 0 && isBetween(b, a.to));
  return touches ? 'contacts' : null;
}

/** Side of an edge that a position is on: -1 or 1, 0 on its line. */
function sideOf({ from, to }: Edge, [x, y]: Position): number {
  return Math.sign((to[0]! - from[0]!) * (y! - from[1]!) - (to[1]! - from[1]!) * (x! - from[0]!));
}

/** Whether a position on the line of an edge lies within its bounds. */
function isBetween({ from, to }: Edge, position: Position): boolean {
  return [0, 1].every(
    (axis) =>
      Math.min(from[axis]!, to[axis]!) <= position[axis]! && position[axis]! <= Math.max(from[axis]!, to[axis]!),
  );
}
