import { AppError } from '../errors.ts';

/**
 * GDAL geotransform `[x0, dx/column, dx/row, y0, dy/column, dy/row]`: scene frame to map coordinates, in the units of
 * the scene's own CRS. `(0, 0)` of the scene frame is the outer corner of the top-left pixel.
 * @see https://gdal.org/tutorials/geotransforms_tut.html
 */
export type Affine = readonly [number, number, number, number, number, number];

/** The geotransform collapses pixels to a line or a point and has no inverse. */
export class SingularAffineError extends AppError {
  readonly code = 'SINGULAR_GEOTRANSFORM';
  constructor(readonly affine: Affine) {
    super(`Geotransform [${affine.join(', ')}] has pixels of zero area.`);
  }
}

/** Signed area of one pixel in squared CRS units; negative for the usual north-up image. */
function determinant([, dxColumn, dxRow, , dyColumn, dyRow]: Affine): number {
  return dxColumn * dyRow - dxRow * dyColumn;
}

/**
 * Map position of a scene position; inverse of {@link mapToPixel}.
 * @returns `[x, y]` in the scene's own CRS
 */
export function pixelToMap(affine: Affine, column: number, row: number): [number, number] {
  const [x0, dxColumn, dxRow, y0, dyColumn, dyRow] = affine;
  return [x0 + column * dxColumn + row * dxRow, y0 + column * dyColumn + row * dyRow];
}

/**
 * Scene position of a map position; inverse of {@link pixelToMap}.
 * @param x easting or longitude in the scene's own CRS, not reprojected
 * @returns `[column, row]` from the top-left edge; `0.5` is the first pixel's centre
 * @throws {SingularAffineError} when pixels have zero area
 */
export function mapToPixel(affine: Affine, x: number, y: number): [number, number] {
  const [x0, dxColumn, dxRow, y0, dyColumn, dyRow] = affine;
  const area = determinant(affine);
  if (!Number.isFinite(area) || area === 0) throw new SingularAffineError(affine);
  return [((x - x0) * dyRow - (y - y0) * dxRow) / area, ((y - y0) * dxColumn - (x - x0) * dyColumn) / area];
}
