import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../fixtures/imagery');

/** What GDAL prints of an image; made by make-odd.sh beside the images. */
export interface Expected {
  readonly size: [number, number];
  readonly geoTransform: number[] | null;
  readonly epsg: number | null;
  /** Upper left, lower left, lower right, upper right, `[longitude, latitude]` to 7 decimals. */
  readonly wgs84Extent: [number, number][] | null;
  readonly types: string[];
  readonly noData: number | string | null;
  readonly colors: string[];
  readonly overviews: [number, number][];
  readonly pixels: { readonly x: number; readonly y: number; readonly values: number[] | null }[];
}

export const expected = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Record<string, Expected>;

/** Path of a test image; the large ones lie in TERRAQL_IMAGERY_DIR, where that is set. */
export function imagePath(name: string): string {
  const path = join(FIXTURES, name);
  const folder = process.env['TERRAQL_IMAGERY_DIR'];
  return folder !== undefined && !existsSync(path) ? join(folder, name) : path;
}

export const MAX_PIXELS = 4e9;
