import type { Position } from 'geojson';
import { AppError } from '../errors.ts';

/** Longitude and latitude in degrees (WGS 84, RFC 7946 order) of a position in the scene frame. */
export type ToWgs84 = (column: number, row: number) => readonly [longitude: number, latitude: number];

/** A pixel of the scene has no place on the ground: its CRS does not reach there. */
export class UnprojectablePositionError extends AppError {
  readonly code = 'UNPROJECTABLE_POSITION';
  constructor(column: number, row: number, longitude: number, latitude: number) {
    super(
      `column ${column}, row ${row} of the scene is at longitude ${longitude}, latitude ${latitude}: not on the Earth`,
    );
  }
}

/**
 * The position that `toWgs84` gives, checked.
 * @throws {UnprojectablePositionError}
 */
export function groundPosition(column: number, row: number, toWgs84: ToWgs84): Position {
  const [longitude, latitude] = toWgs84(column, row);
  const isOnEarth = Number.isFinite(longitude) && Math.abs(latitude) <= 90;
  if (!isOnEarth) throw new UnprojectablePositionError(column, row, longitude, latitude);
  return [longitude, latitude];
}
