import { lstat, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { AppError } from '../errors.ts';
import type { Affine } from '../raster/affine.ts';
import { pixelToMap } from '../raster/affine.ts';

/** A world file beside an image that does not hold six numbers. */
export class WorldFileError extends AppError {
  readonly code = 'WORLD_FILE_INVALID';
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(`world file ${file}: ${reason}`);
  }
}

/** What the small files beside an image say about its place. */
export interface Sidecars {
  readonly affine: Affine | null;
  /** For `resolveCrs`: the WKT of a `.prj`, or WGS 84 for a world file in degrees. */
  readonly crs: string | null;
}

/** Far more than a world file or a projection file has. */
const MAX_SIDECAR_BYTES = 64 * 1024;
/** A world file in degrees has pixels smaller than this; 0.1 degree is about 11 km. */
const MAX_DEGREES_PER_PIXEL = 0.1;

/**
 * Reads the world file (`.pgw`, `.jgw`, `.tfw`, `.wld`, …) and the projection file (`.prj`) beside an image. A world file
 * has no CRS of its own: without a `.prj` it counts as WGS 84 degrees when all corners of the image are possible
 * longitudes and latitudes and pixels are smaller than 0.1 degree, else its CRS is unknown. Links are not followed.
 * @throws {WorldFileError} when a world file is there but unreadable
 * @see https://gdal.org/drivers/raster/wld.html
 */
export async function readSidecars(path: string, widthPx: number, heightPx: number): Promise<Sidecars> {
  const stem = path.slice(0, path.length - extname(path).length);
  const affine = await readWorldFile(stem, extname(path).slice(1));
  if (!affine) return { affine: null, crs: null };
  const projection = (await smallFile(`${stem}.prj`)) ?? (await smallFile(`${stem}.PRJ`));
  if (projection !== null) return { affine, crs: projection.trim() };
  return { affine, crs: looksLikeDegrees(affine, widthPx, heightPx) ? 'EPSG:4326' : null };
}

async function readWorldFile(stem: string, extension: string): Promise<Affine | null> {
  const short = extension.length > 1 ? `${extension[0]}${extension.at(-1)}w` : '';
  const names = [short, `${extension}w`, 'wld'].flatMap((name) => [name, name.toUpperCase()]);
  for (const name of names) {
    const file = `${stem}.${name}`;
    const text = await smallFile(file);
    if (text !== null) return affineOfWorldFile(file, text);
  }
  return null;
}

/** Six lines: dx/column, dy/column, dx/row, dy/row, then x and y of the centre of the top-left pixel. */
function affineOfWorldFile(file: string, text: string): Affine {
  const lines = text.trim().split(/\s+/);
  const numbers = lines.map((line) => Number(line.replace(',', '.')));
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (numbers.length !== 6) throw new WorldFileError(file, `it has ${numbers.length} values instead of 6`);
  if (wrong !== -1) throw new WorldFileError(file, `value ${wrong + 1} is not a number`);
  const [dxColumn, dyColumn, dxRow, dyRow, x, y] = numbers as [number, number, number, number, number, number];
  return [x - (dxColumn + dxRow) / 2, dxColumn, dxRow, y - (dyColumn + dyRow) / 2, dyColumn, dyRow];
}

function looksLikeDegrees(affine: Affine, widthPx: number, heightPx: number): boolean {
  const [, dxColumn, dxRow, , dyColumn, dyRow] = affine;
  const small = [dxColumn, dxRow, dyColumn, dyRow].every((step) => Math.abs(step) < MAX_DEGREES_PER_PIXEL);
  const corners = [0, widthPx].flatMap((column) => [0, heightPx].map((row) => pixelToMap(affine, column, row)));
  return small && corners.every(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90);
}

async function smallFile(path: string): Promise<string | null> {
  const entry = await lstat(path).catch(() => null);
  if (!entry?.isFile() || entry.size > MAX_SIDECAR_BYTES) return null;
  return readFile(path, 'latin1');
}
