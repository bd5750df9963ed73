import { AppError } from '../errors.ts';
import type { Bbox } from '../feature/feature.ts';

/**
 * A tile of the tile matrix set WebMercatorQuad: `z` 0 is the world in one tile, `x` counts to the east from 180° W, `y` to
 * the south from 85.06° N.
 * @see OGC 17-083r4, annex D.1
 */
export interface Tile {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** Deepest level: a pixel of 512 to the tile is 5 mm wide at the equator. */
export const MAX_ZOOM = 24;
/** Side of the square that Web Mercator makes of the world, metres at the equator. @see EPSG:3857 */
export const WORLD_M = 2 * Math.PI * 6378137;

/** There is no such tile. */
export class TileNotFoundError extends AppError {
  readonly code = 'TILE_NOT_FOUND';
  constructor(tile: string, reason: string) {
    super(`Tile ${tile} does not exist: ${reason}.`);
  }
}

/**
 * Reads the three numbers of a tile address.
 * @throws {TileNotFoundError} when one is not a whole number in its range
 */
export function parseTile(zText: string, xText: string, yText: string): Tile {
  const name = `${zText}/${xText}/${yText}`;
  const [z, x, y] = [zText, xText, yText].map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : NaN)) as [
    number,
    number,
    number,
  ];
  if (!(z <= MAX_ZOOM)) throw new TileNotFoundError(name, `z must be a whole number from 0 to ${MAX_ZOOM}`);
  const side = 2 ** z;
  if (!(x < side && y < side)) {
    throw new TileNotFoundError(name, `at z ${z}, x and y must be whole numbers from 0 to ${side - 1}`);
  }
  return { z, x, y };
}

/**
 * Bounds of a tile in WGS 84 degrees, widened on each side.
 * @param buffer share of the side of the tile, at most 1; not beyond the square of the tile matrix set
 */
export function tileBounds({ z, x, y }: Tile, buffer = 0): Bbox {
  const side = 2 ** z;
  const inside = (value: number): number => Math.min(1, Math.max(0, value));
  const west = inside((x - buffer) / side);
  const east = inside((x + 1 + buffer) / side);
  return [
    west * 360 - 180,
    latitudeAt(inside((y + 1 + buffer) / side)),
    east * 360 - 180,
    latitudeAt(inside((y - buffer) / side)),
  ];
}

/** @param y share of the square from its northern edge @returns degrees */
export function latitudeAt(y: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
}

/** Place of a position on the square of the tile matrix set, both coordinates from 0 to 1, from its north-western corner. */
export function squarePosition(longitude: number, latitude: number): readonly [x: number, y: number] {
  const radians = (latitude * Math.PI) / 180;
  return [(longitude + 180) / 360, (1 - Math.asinh(Math.tan(radians)) / Math.PI) / 2];
}
