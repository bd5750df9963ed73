import type { MultiPolygon, Polygon, Position } from 'geojson';
import type { GroupReach } from './statistics.ts';

/**
 * The smallest box of longitudes and latitudes that holds a group.
 * @returns RFC 7946: counter-clockwise, two boxes where it crosses the antimeridian
 * @see https://www.rfc-editor.org/rfc/rfc7946#section-3.1.9
 */
export function reachOutline(reach: GroupReach): Polygon | MultiPolygon {
  const { south, north, west, east, shiftedWest, shiftedEast } = reach;
  const ring = (from: number, to: number): Position[][] => [
    [
      [from, south],
      [to, south],
      [to, north],
      [from, north],
      [from, south],
    ],
  ];
  const narrower = shiftedEast - shiftedWest < east - west;
  if (!narrower || shiftedWest >= 180 || shiftedEast <= 180) return { type: 'Polygon', coordinates: ring(west, east) };
  return { type: 'MultiPolygon', coordinates: [ring(shiftedWest, 180), ring(-180, shiftedEast - 360)] };
}
