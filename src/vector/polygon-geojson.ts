import { booleanClockwise } from '@turf/turf';
import type { MultiPolygon, Polygon, Position } from 'geojson';
import { cutPolygon } from './cut-polygon.ts';
import { groundPosition, type ToWgs84 } from './ground-position.ts';
import { unwrapLongitudes } from './longitudes.ts';
import { alongPoles, isAreaOnLeft } from './poles.ts';
import type { TracedPolygon } from './trace-polygons.ts';

/** Rings in the scene frame, alternating column and row; corners may lie between pixels. */
export interface PixelOutline {
  readonly exterior: ArrayLike<number>;
  readonly holes: readonly ArrayLike<number>[];
}

/**
 * Converts a traced polygon to WGS 84 as RFC 7946 requires: exterior anticlockwise and holes clockwise whatever the
 * orientation of the scene, cut at the antimeridian, and extended to the pole when it contains one.
 * @throws {UnprojectablePositionError}
 * @throws {CrossingRingsError} when its vertices are too far apart; see `anchorPxFor`
 */
export function polygonToWgs84({ exterior, holes }: PixelOutline, toWgs84: ToWgs84): Polygon | MultiPolygon {
  const onGround = (): Position[][] =>
    alongPoles(
      [exterior, ...holes].map((ring) => positions(ring, (column, row) => groundPosition(column, row, toWgs84))),
      () => isAreaOnLeft(exterior, toWgs84),
    );
  const rings = onGround();
  const turns = rings.map(unwrapLongitudes);
  const isPlain = turns.every((turn) => turn === 0) && rings.every((ring) => ring.every(([x]) => Math.abs(x!) <= 180));
  const isReversed = isClockwise(rings[0]!, turns[0]!);
  const open = isPlain ? rings : onGround();
  const leftOfRings = isReversed ? open.map((ring) => ring.toReversed()) : open;
  const parts = (isPlain ? [leftOfRings] : cutPolygon(leftOfRings)).map((part) => part.map(closed));
  return parts.length === 1
    ? { type: 'Polygon', coordinates: parts[0]! }
    : { type: 'MultiPolygon', coordinates: parts };
}

/**
 * A traced polygon in the scene frame (columns right, rows down), for scenes without georeference. The exterior has a
 * positive area when rows are taken as y.
 */
export function polygonToPixels({ exterior, holes }: TracedPolygon): Polygon {
  const rings = [exterior, ...holes].map((ring) => positions(ring, (column, row) => [column, row]));
  return { type: 'Polygon', coordinates: rings.map((ring) => closed(ring.toReversed())) };
}

function positions(ring: ArrayLike<number>, at: (column: number, row: number) => Position): Position[] {
  const result: Position[] = [];
  for (let i = 0; i < ring.length; i += 2) result.push(at(ring[i]!, ring[i + 1]!));
  return result;
}

function closed(ring: Position[]): Position[] {
  return [...ring, [...ring[0]!]];
}

/** Whether an exterior is clockwise: by its area or, around a pole, westwards in the north and eastwards in the south. */
function isClockwise(exterior: readonly Position[], turns: number): boolean {
  if (turns === 0) return booleanClockwise([...exterior, exterior[0]!]);
  const isNorth = exterior.reduce((sum, [, latitude]) => sum + latitude!, 0) > 0;
  return turns > 0 !== isNorth;
}
