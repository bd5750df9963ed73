import type { Position } from 'geojson';
import { AppError } from '../errors.ts';

/** Longitude and latitude in degrees (WGS 84, RFC 7946 order) of a position in the scene frame. */
export type ToWgs84 = (column: number, row: number) => readonly [longitude: number, latitude: number];

/** A pixel lies outside the domain of the scene's CRS. */
export class UnprojectablePositionError extends AppError {
  readonly code = 'UNPROJECTABLE_POSITION';
  constructor(column: number, row: number, longitude: number, latitude: number) {
    super(
      `Column ${column}, row ${row} of the scene maps to longitude ${longitude}, latitude ${latitude}, which is not on the Earth.`,
    );
  }
}

/**
 * Returns the position from `toWgs84`, checked.
 * @throws {UnprojectablePositionError}
 */
export function groundPosition(column: number, row: number, toWgs84: ToWgs84): Position {
  const [longitude, latitude] = toWgs84(column, row);
  const isOnEarth = Number.isFinite(longitude) && Math.abs(latitude) <= 90;
  if (!isOnEarth) throw new UnprojectablePositionError(column, row, longitude, latitude);
  return [longitude, latitude];
}
