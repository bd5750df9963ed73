import type { GeoTIFFImage } from 'geotiff';
import type { Affine } from '../raster/affine.ts';
import { crsOfGeoKeys } from './crs.ts';

/** GTRasterTypeGeoKey value: positions belong to pixel centres. */
const PIXEL_IS_POINT = 2;

/**
 * Geotransform of a GeoTIFF as GDAL gives it: from PixelScale and one Tiepoint, else from ModelTransformation; moved by
 * half a pixel where the file says that positions are pixel centres.
 * @returns null when the file has neither; ground control points alone are no geotransform
 * @see OGC 19-008r4, clauses 7.1.2 and B.6
 */
export function affineOfTags(image: GeoTIFFImage): Affine | null {
  const tags = image.fileDirectory;
  const affine =
    fromScale(tags.getValue('ModelPixelScale'), tags.getValue('ModelTiepoint')) ??
    fromMatrix(tags.getValue('ModelTransformation'));
  if (affine === null || image.getGeoKeys()?.GTRasterTypeGeoKey !== PIXEL_IS_POINT) return affine;
  const [x0, dxColumn, dxRow, y0, dyColumn, dyRow] = affine;
  return [x0 - (dxColumn + dxRow) / 2, dxColumn, dxRow, y0 - (dyColumn + dyRow) / 2, dyColumn, dyRow];
}

function fromScale(scale: ArrayLike<number> | undefined, tiepoint: ArrayLike<number> | undefined): Affine | null {
  if (!scale || !tiepoint || tiepoint.length < 6) return null;
  const dx = scale[0]!;
  const dy = -Math.abs(scale[1]!);
  return [tiepoint[3]! - tiepoint[0]! * dx, dx, 0, tiepoint[4]! - tiepoint[1]! * dy, 0, dy];
}

function fromMatrix(matrix: ArrayLike<number> | undefined): Affine | null {
  if (!matrix || matrix.length < 8) return null;
  return [matrix[3]!, matrix[0]!, matrix[1]!, matrix[7]!, matrix[4]!, matrix[5]!];
}

/**
 * Definition of the CRS that the file's GeoKeys name, for `resolveCrs`; null when they name none.
 * @throws {UnresolvableCrsError} when they name one that cannot be expressed
 */
export function crsOfTags(image: GeoTIFFImage): string | null {
  const keys = image.getGeoKeys();
  return keys ? crsOfGeoKeys(keys) : null;
}
