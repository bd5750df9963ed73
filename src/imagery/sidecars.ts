import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Affine } from '../raster/affine.ts';
import { pixelToMap } from '../raster/affine.ts';
import type { ImageHeader } from './image-source.ts';
import { readPam } from './pam-file.ts';

/** A world file beside an image that does not hold six numbers. */
export class WorldFileError extends AppError {
  readonly code = 'WORLD_FILE_INVALID';
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(`World file ${file}: ${reason}.`);
  }
}

/** What the small files beside an image say about its georeference; geotransforms are for the raster as stored. */
export interface Sidecars {
  /** The world file with the CRS of the `.prj`, else of `.aux.xml`, else WGS 84 where it seems to be in degrees. */
  readonly world: { readonly affine: Affine; readonly crs: string | null } | null;
  /** GDAL's `.aux.xml`; CRS as WKT. */
  readonly pam: { readonly affine: Affine | null; readonly crs: string | null };
  readonly warnings: readonly string[];
}

/** A world file, projection file or `.aux.xml` is far smaller. */
const MAX_SIDECAR_BYTES = 2 ** 20;
/** A world file in degrees has smaller pixels; 0.1 degree is about 11 km. */
const MAX_DEGREES_PER_PIXEL = 0.1;
/** Spellings of world files by format, besides those made of the extension of the image. */
const WORLD_FILES: Readonly<Record<ImageHeader['format'], readonly string[]>> = {
  GeoTIFF: ['tfw', 'tifw', 'tiffw'],
  PNG: ['pgw', 'pngw'],
  JPEG: ['jgw', 'jpgw', 'jpegw'],
  WebP: ['wpw', 'webpw'],
};

/**
 * Reads the world file (`.pgw`, `.jgw`, `.tfw`, `.wld`, …), projection file (`.prj`) and GDAL's `.aux.xml` beside an
 * image, whatever the letter case of their names. A world file has no CRS of its own: without `.prj` and `.aux.xml` it
 * counts as WGS 84 degrees when all corners of the image are possible longitudes and latitudes and pixels are smaller
 * than 0.1 degree, else its CRS is unknown. Masks (`.msk`) and overviews (`.ovr`) are not read; a warning names them.
 * Links are not followed.
 * @param widthPx of the raster as stored
 * @param heightPx of the raster as stored
 * @throws {WorldFileError} when a world file exists but is unreadable
 * @see https://gdal.org/drivers/raster/wld.html
 */
export async function readSidecars(
  path: string,
  format: ImageHeader['format'],
  widthPx: number,
  heightPx: number,
): Promise<Sidecars> {
  const beside = await filesBeside(path);
  const warnings = beside.unread();
  const pamText = await beside.read([`${beside.name}.aux.xml`, `${beside.stem}.aux.xml`]);
  const pam = pamText ? readPam(pamText.text) : NO_PAM;
  if (pam.hasNodata) warnings.push(`The nodata value in ${pamText!.file} is ignored; store it inside the image.`);
  const world = await beside.read(worldFileNames(beside.stem, path, format));
  if (!world) return { world: null, pam, warnings };
  const affine = affineOfWorldFile(world.file, world.text);
  const projection = await beside.read([`${beside.stem}.prj`]);
  const guess = looksLikeDegrees(affine, widthPx, heightPx) ? 'EPSG:4326' : null;
  return { world: { affine, crs: projection?.text.trim() ?? pam.crs ?? guess }, pam, warnings };
}

const NO_PAM = { affine: null, crs: null, hasNodata: false };

function worldFileNames(stem: string, path: string, format: ImageHeader['format']): string[] {
  const extension = extname(path).slice(1).toLowerCase();
  const short = extension.length > 1 ? [`${extension[0]}${extension.at(-1)}w`, `${extension}w`] : [];
  return [...short, ...WORLD_FILES[format], 'wld'].map((ending) => `${stem}.${ending}`);
}

/** The files in the folder of an image, found by name without letter case; the exact spelling goes first. */
async function filesBeside(path: string) {
  const folder = dirname(path);
  const name = basename(path);
  const stem = name.slice(0, name.length - extname(name).length);
  const names = new Map<string, string[]>();
  for (const file of await readdir(folder)) {
    const key = file.toLowerCase();
    names.set(key, [...(names.get(key) ?? []), file]);
  }
  const find = (wanted: string): string[] => (names.get(wanted.toLowerCase()) ?? []).toSorted();
  return {
    name,
    stem,
    unread(): string[] {
      const masks = find(`${name}.msk`).map((file) => `The mask ${file} is ignored; store it inside the image.`);
      const copies = find(`${name}.ovr`).map((file) => `The overviews in ${file} are ignored.`);
      return [...masks, ...copies];
    },
    async read(wanted: readonly string[]): Promise<{ file: string; text: string } | null> {
      for (const file of wanted.flatMap((one) => [one, ...find(one)])) {
        const text = await smallFile(join(folder, file));
        if (text !== null) return { file, text };
      }
      return null;
    },
  };
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
  return readFile(path, 'utf8');
}
