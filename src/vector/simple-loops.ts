import { booleanPointInPolygon, polygon } from '@turf/turf';
import type { Position } from 'geojson';

/**
 * Reconnects loops where two of them meet, so that each follows the area beside it rather than the gap. Where a cut has
 * divided the area, such loops surround different parts.
 * @param loops open, the area on the left; loops that meet at a point cross it from one side of the area to the other
 * @param isKept whether loops stay unchanged at a point
 */
export function loopsAroundParts(loops: readonly Position[][], isKept: (point: Position) => boolean): Position[][] {
  const points = loops.flat();
  const next = Uint32Array.from(points.keys(), (index) => index + 1);
  let end = 0;
  for (const { length } of loops) {
    next[end + length - 1] = end;
    end += length;
  }
  const visits = new Map<string, number>();
  points.forEach((point, index) => {
    const other = visits.get(point.join());
    visits.set(point.join(), index);
    if (other !== undefined && !isKept(point)) [next[index], next[other]] = [next[other]!, next[index]!];
  });
  return followed(points, next);
}

/** Follows each point to its successor. */
function followed(points: readonly Position[], next: Uint32Array): Position[][] {
  const isWalked = new Uint8Array(points.length);
  const loops: Position[][] = [];
  for (const first of points.keys()) {
    const loop: Position[] = [];
    for (let index = first; isWalked[index] === 0; index = next[index]!) {
      isWalked[index] = 1;
      loop.push(points[index]!);
    }
    if (loop.length > 0) loops.push(loop);
  }
  return loops;
}

/**
 * Splits a loop wherever it revisits a point, so that no loop touches itself.
 * @param loop open; repeated consecutive points are merged
 */
export function simpleLoops(loop: readonly Position[]): Position[][] {
  const loops: Position[][] = [];
  const path: Position[] = [];
  const indices = new Map<string, number>();
  for (const point of loop) {
    const index = indices.get(point.join());
    if (index === undefined) {
      indices.set(point.join(), path.length);
      path.push(point);
    } else {
      const [, ...others] = path.slice(index);
      loops.push([point, ...others]);
      for (const other of others) indices.delete(other.join());
      path.length = index + 1;
    }
  }
  return [...loops, path].filter(({ length }) => length > 2);
}

/**
 * Groups loops into polygons: anticlockwise loops are exteriors, the others are holes of the exterior around them.
 * @param loops open and simple; they touch at single points at most
 * @returns open rings, the exterior first
 */
export function polygonsOf(loops: readonly Position[][]): Position[][][] {
  const exteriors = loops.filter((loop) => signedArea(loop) > 0);
  // Exteriors may nest: a hole belongs to the smallest exterior around it.
  const polygons = exteriors.toSorted((a, b) => signedArea(a) - signedArea(b)).map((exterior) => [exterior]);
  for (const hole of loops.filter((loop) => signedArea(loop) < 0)) {
    const [[x0, y0], [x1, y1]] = [hole[0]!, hole[1]!];
    const inside: Position = [(x0! + x1!) / 2, (y0! + y1!) / 2];
    polygons.find(([exterior]) => booleanPointInPolygon(inside, polygon([[...exterior!, exterior![0]!]])))?.push(hole);
  }
  return polygons;
}

/** Positive for an anticlockwise loop; relative to its first vertex, to preserve precision far from 0. */
export function signedArea(loop: readonly Position[]): number {
  const [x0, y0] = [loop[0]![0]!, loop[0]![1]!];
  let twice = 0;
  for (let i = 1; i < loop.length; i++) {
    const [x, y] = [loop[i - 1]![0]! - x0, loop[i - 1]![1]! - y0];
    twice += x * (loop[i]![1]! - y0) - (loop[i]![0]! - x0) * y;
  }
  return twice / 2;
}
