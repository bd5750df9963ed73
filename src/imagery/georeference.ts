import type { Affine } from '../raster/affine.ts';
import { mapToPixel, SingularAffineError } from '../raster/affine.ts';
import { AppError } from '../errors.ts';
import { crsName, resolveCrs } from './crs/crs.ts';
import { checkDomain } from './domain.ts';
import { footprintOf, groundPosition, gsdAtCentre } from './ground.ts';
import type { ImageHeader } from './image-source.ts';
import type { MultiPolygon, Polygon } from 'geojson';

/** Corner bounds that do not form a rectangle on the globe, or that contradict the file. */
export class InvalidBoundsError extends AppError {
  readonly code = 'BOUNDS_INVALID';
  constructor(
    readonly bounds: readonly number[],
    reason: string,
  ) {
    super(`bounds [${bounds.join(', ')}] cannot be used: ${reason}.`);
  }
}

/** Where an image lies on the ground, as far as it is known. */
export interface Georeference {
  /** `EPSG:26914`, or a definition in WKT where the file has no code; null when unknown. */
  readonly crs: string | null;
  /** Null when unknown. Known without a `crs` for a world file in unknown coordinates. */
  readonly affine: Affine | null;
  /** True ground size of a pixel at the scene's centre, metres; null without CRS and geotransform. */
  readonly gsdM: number | null;
  /** Ground outline, WGS 84, RFC 7946 (split at the antimeridian); null without CRS and geotransform. */
  readonly footprint: Polygon | MultiPolygon | null;
}

/**
 * Place of an image on the ground: what the file says, else the bounds that the client gives, else none.
 * @param bounds corners `[west, south, east, north]` in WGS 84 degrees; west > east crosses the antimeridian
 * @throws {InvalidBoundsError} also when the file has a georeference of its own
 * @throws {SingularAffineError | UnresolvableCrsError | OutsideCrsError}
 */
export async function georeference(header: ImageHeader, bounds: readonly number[] | null): Promise<Georeference> {
  const { widthPx, heightPx } = header;
  if (header.affine) mapToPixel(header.affine, 0, 0); // refuses pixels without area
  if (bounds && header.affine && header.crs !== null) {
    throw new InvalidBoundsError(bounds, `the file is already georeferenced (${crsName(header.crs)})`);
  }
  const affine = bounds ? affineOfBounds(bounds, widthPx, heightPx) : header.affine;
  const definition = bounds ? 'EPSG:4326' : header.crs;
  if (definition === null) return { crs: null, affine, gsdM: null, footprint: null };
  const crs = await resolveCrs(definition);
  if (!affine) return { crs: definition, affine: null, gsdM: null, footprint: null };
  checkDomain(affine, crs, widthPx, heightPx);
  const position = groundPosition(affine, crs);
  const gsdM = gsdAtCentre(position, widthPx, heightPx);
  if (!(gsdM > 0)) {
    throw bounds ? new InvalidBoundsError(bounds, 'pixels would have no area') : new SingularAffineError(affine);
  }
  return {
    crs: definition,
    affine,
    gsdM,
    footprint: footprintOf(position, widthPx, heightPx),
  };
}

function affineOfBounds(bounds: readonly number[], widthPx: number, heightPx: number): Affine {
  const [west, south, east, north] = bounds;
  if (bounds.length !== 4 || !bounds.every(Number.isFinite)) {
    throw new InvalidBoundsError(bounds, 'they must be four numbers [west, south, east, north]');
  }
  if (Math.abs(west!) > 180 || Math.abs(east!) > 180) {
    throw new InvalidBoundsError(bounds, 'longitudes must be within -180 to 180');
  }
  if (south! < -90 || north! > 90 || south! >= north!) {
    throw new InvalidBoundsError(bounds, 'latitudes must be within -90 to 90, and south must be less than north');
  }
  const width = east! >= west! ? east! - west! : east! - west! + 360;
  if (width === 0) throw new InvalidBoundsError(bounds, 'west and east are equal');
  return [west!, width / widthPx, 0, north!, 0, (south! - north!) / heightPx];
}
