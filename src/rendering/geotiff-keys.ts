import { AppError } from '../errors.ts';
import { crsOfGeoTiff, gdal, resolveCrs, type Crs } from '../imagery/crs/crs.ts';
import { GdalError } from '../imagery/crs/gdal.ts';
import { readDirectory, type TiffField } from '../imagery/tiff-directory.ts';

/** GeoTIFF keys cannot express the coordinate reference system of a scene. */
export class CrsNotWritableError extends AppError {
  readonly code = 'CRS_NOT_WRITABLE';
  constructor(crs: string, reason: string) {
    super(`A GeoTIFF cannot be written in coordinate reference system ${crs}: ${reason}`);
  }
}

/** The key directory, its numbers and its texts. @see OGC 19-008r4, clause 7.1.1 */
const KEY_TAGS: readonly number[] = [34_735, 34_736, 34_737];

/** Farther from its place than this, in metres, no position of a written file may be. */
const MAX_ERROR_M = 1;
const METRES_PER_DEGREE = 111_320;

/**
 * The three GeoTIFF fields that name a coordinate reference system, as GDAL writes them. What they name is read back and
 * compared at the positions given, so that no file says another place than the scene's.
 * @param crs as in {@link Scene.crs}
 * @param positions of the raster in the system, for example its corners
 * @throws {UnresolvableCrsError} for an unknown system
 * @throws {CrsNotWritableError} for one that GeoTIFF keys cannot express
 */
export async function geoKeyFields(
  crs: string,
  positions: readonly (readonly [number, number])[],
): Promise<TiffField[]> {
  const system = await resolveCrs(crs);
  const written = await writtenIn(crs);
  const named = await crsOfGeoTiff(written, crs);
  if (named === null) throw new CrsNotWritableError(crs, 'its projection has no GeoTIFF keys');
  if (named !== crs) checkSamePlace(crs, system, await resolveCrs(named), positions);
  return readDirectory(written).filter(({ tag }) => KEY_TAGS.includes(tag));
}

async function writtenIn(crs: string): Promise<Uint8Array> {
  const library = await gdal();
  try {
    return library.geoTiffOf(crs);
  } catch (cause) {
    if (!(cause instanceof GdalError)) throw cause;
    throw new CrsNotWritableError(crs, cause.message);
  }
}

function checkSamePlace(crs: string, own: Crs, named: Crs, positions: readonly (readonly [number, number])[]): void {
  for (const position of positions) {
    const [longitude, latitude] = own.toWgs84(position);
    const [namedLongitude, namedLatitude] = named.toWgs84(position);
    const turn = ((namedLongitude - longitude + 540) % 360) - 180;
    const east = turn * Math.cos((latitude * Math.PI) / 180);
    const offM = Math.hypot(east, namedLatitude - latitude) * METRES_PER_DEGREE;
    if (!(offM <= MAX_ERROR_M)) {
      throw new CrsNotWritableError(crs, `its GeoTIFF keys put ${position.join(', ')} ${offM.toFixed(1)} m away`);
    }
  }
}
