import type { Geometry } from 'geojson';

/**
 * A box as an area, of two parts where it crosses the antimeridian.
 * @param box west, south, east and north in WGS 84
 */
export function boxGeometry([west, south, east, north]: readonly [number, number, number, number]): Geometry {
  const ring = (left: number, right: number): number[][][] => [
    [
      [left, south],
      [right, south],
      [right, north],
      [left, north],
      [left, south],
    ],
  ];
  if (west <= east) return { type: 'Polygon', coordinates: ring(west, east) };
  return { type: 'MultiPolygon', coordinates: [ring(west, 180), ring(-180, east)] };
}
