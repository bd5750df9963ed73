import { AppError } from '../errors.ts';
import type { Affine } from '../raster/affine.ts';
import type { TileAddress } from './tile-template.ts';
import { TileSourceError } from './tile-template.ts';

/** An area has more tiles than one image may be made of. */
export class TooManyTilesError extends AppError {
  readonly code = 'TOO_MANY_TILES';
  constructor(
    readonly tiles: number,
    readonly maxTiles: number,
    zoom: number,
  ) {
    super(
      `The bounds cover ${tiles} tiles at zoom ${zoom}; the limit is ${maxTiles} (TERRAQL_MAX_TILES). Choose smaller bounds or a lower zoom.`,
    );
  }
}

/** Whole tiles of one zoom, which cover asked bounds. */
export interface TileArea {
  readonly zoom: number;
  /** Of the north-western tile. */
  readonly firstX: number;
  readonly firstY: number;
  readonly columns: number;
  readonly rows: number;
}

const MAX_ZOOM = 24;
/** Northern edge of the square that Web Mercator makes of the world, degrees. */
const MAX_LATITUDE = 85.0511287798066;
/** Half the side of that square, metres at the equator. @see EPSG:3857 */
const HALF_WORLD_M = Math.PI * 6378137;
/** Share of a tile by which bounds may reach into one without asking for it: they are rounded. */
const ROUNDING = 1e-6;

/**
 * The tiles that cover bounds; edges are moved outwards to whole tiles.
 * @param bounds west, south, east and north, WGS 84 degrees
 * @throws {TileSourceError | TooManyTilesError}
 */
export function tileArea(bounds: readonly number[], zoom: number, maxTiles: number): TileArea {
  if (!Number.isInteger(zoom) || zoom < 0 || zoom > MAX_ZOOM) {
    throw new TileSourceError(`zoom is ${zoom}; it must be a whole number from 0 to ${MAX_ZOOM}.`);
  }
  const [west, south, east, north] = bounds as [number, number, number, number];
  const isBox = bounds.length === 4 && west >= -180 && west < east && east <= 180 && south < north;
  if (!isBox || !(south >= -90 && north <= 90)) {
    throw new TileSourceError(
      `bounds is [${bounds.join(', ')}]; give west, south, east and north in degrees with west < east and south < north. For an area across the antimeridian, register two images.`,
    );
  }
  if (south >= MAX_LATITUDE || north <= -MAX_LATITUDE) {
    throw new TileSourceError(`bounds lie beyond ${MAX_LATITUDE.toFixed(2)} degrees of latitude, where no tiles are.`);
  }
  const side = 2 ** zoom;
  const across = indices(((west + 180) / 360) * side, ((east + 180) / 360) * side, side);
  const down = indices(rowAt(north) * side, rowAt(south) * side, side);
  const tiles = across.count * down.count;
  if (tiles > maxTiles) throw new TooManyTilesError(tiles, maxTiles, zoom);
  return { zoom, firstX: across.first, firstY: down.first, columns: across.count, rows: down.count };
}

function indices(from: number, to: number, side: number): { first: number; count: number } {
  const first = Math.min(side - 1, Math.max(0, Math.floor(from + ROUNDING)));
  const end = Math.min(side, Math.max(first + 1, Math.ceil(to - ROUNDING)));
  return { first, count: end - first };
}

/** Place of a latitude on the square, from 0 in the north to 1. */
function rowAt(latitude: number): number {
  const inside = Math.min(MAX_LATITUDE, Math.max(-MAX_LATITUDE, latitude));
  return (1 - Math.asinh(Math.tan((inside * Math.PI) / 180)) / Math.PI) / 2;
}

/** Tiles of an area, row by row from the north. */
export function* tilesOf({ zoom, firstX, firstY, columns, rows }: TileArea): Generator<TileAddress> {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) yield { z: zoom, x: firstX + column, y: firstY + row };
  }
}

/** Geotransform of an area in EPSG:3857. @param tilePx side of a tile, pixels */
export function affineOfArea({ zoom, firstX, firstY }: TileArea, tilePx: number): Affine {
  const tileM = (2 * HALF_WORLD_M) / 2 ** zoom;
  const pixelM = tileM / tilePx;
  return [firstX * tileM - HALF_WORLD_M, pixelM, 0, HALF_WORLD_M - firstY * tileM, 0, -pixelM];
}
