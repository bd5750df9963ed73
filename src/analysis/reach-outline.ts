import { bboxPolygon, multiPolygon } from '@turf/turf';
import type { MultiPolygon, Polygon } from 'geojson';
import type { GroupReach } from './statistics.ts';

/**
 * The smallest box of longitudes and latitudes that holds a group.
 * @returns RFC 7946: counter-clockwise, two boxes where it crosses the antimeridian
 * @see https://www.rfc-editor.org/rfc/rfc7946#section-3.1.9
 */
export function reachOutline(reach: GroupReach): Polygon | MultiPolygon {
  const { south, north, west, east, shiftedWest, shiftedEast } = reach;
  const box = (from: number, to: number): Polygon => bboxPolygon([from, south, to, north]).geometry;
  const narrower = shiftedEast - shiftedWest < east - west;
  if (!narrower || shiftedWest >= 180 || shiftedEast <= 180) return box(west, east);
  return multiPolygon([box(shiftedWest, 180).coordinates, box(-180, shiftedEast - 360).coordinates]).geometry;
}
