import { pixelToMap, type Affine } from '../raster/affine.ts';
import { crsName, type Crs } from './crs/crs.ts';
import { OutsideCrsError } from './ground.ts';

/** Positions that are looked at on each axis of an image, its edges included. */
const SAMPLES_A_SIDE = 9;
/** Share of the coordinates by which a position may come back changed: far more than a shift of datum can differ. */
const MAX_RETURN_SHARE = 1e-3;
/** How far beyond its area of use a system still serves, degrees: images overlap zones, none lies in another continent. */
const BEYOND_AREA_DEG = 20;

/**
 * Refuses an image outside the domain of its projection: where a position has no longitude and latitude, where these
 * belong to another position, or where the whole image lies more than 20 degrees beyond the area of use.
 * @throws {OutsideCrsError}
 */
export function checkDomain(affine: Affine, crs: Crs, widthPx: number, heightPx: number): void {
  const shares = Array.from({ length: SAMPLES_A_SIDE }, (_, index) => index / (SAMPLES_A_SIDE - 1));
  const positions = shares.flatMap((across) =>
    shares.map((down) => pixelToMap(affine, across * widthPx, down * heightPx)),
  );
  const grounds = positions.map((position) => {
    const lonLat = crs.toWgs84(position);
    if (!Number.isFinite(lonLat[0]) || !(Math.abs(lonLat[1]) <= 90 + 1e-9))
      throw new OutsideCrsError(crs.definition, position);
    return lonLat;
  });
  positions.forEach((position, index) => checkReturn(crs, position, grounds[index]!));
  const middle = Math.floor(positions.length / 2);
  if (crs.areaOfUse && !grounds.some((lonLat) => isNear(crs.areaOfUse!, lonLat))) {
    const [longitude, latitude] = grounds[middle]!.map((degrees) => degrees.toFixed(1));
    const area = crs.areaOfUse.map((degrees) => degrees.toFixed(1)).join(', ');
    throw new OutsideCrsError(
      crs.definition,
      positions[middle]!,
      `would lie at longitude ${longitude}, latitude ${latitude}, far outside the area of use of ${crsName(crs.definition)} (${area})`,
    );
  }
}

/** A position outside the projection often gets the longitude and latitude of one inside. */
function checkReturn(crs: Crs, position: readonly [number, number], lonLat: readonly [number, number]): void {
  const [x, y] = crs.fromWgs84(lonLat);
  const allowed = MAX_RETURN_SHARE * Math.max(1, Math.abs(position[0]), Math.abs(position[1]));
  if (Math.abs(lonLat[1]) >= 90 - 1e-9) return; // a pole is every longitude
  if (Math.abs(x - position[0]) <= allowed && Math.abs(y - position[1]) <= allowed) return;
  if (Math.abs(y - position[1]) <= allowed && repeatsAt(crs, position, x)) return;
  throw new OutsideCrsError(crs.definition, position, `lies outside the domain of ${crsName(crs.definition)}`);
}

/** Whether the map continues past its seam, so that longitudes from 180 to 360 are as valid as those from -180 to 0. */
function repeatsAt(crs: Crs, [x, y]: readonly [number, number], other: number): boolean {
  const longitudes = [0, 0.25, 0.5, 0.75, 1].map((share) => crs.toWgs84([other + share * (x - other), y])[0]);
  return longitudes.slice(1).every((longitude, index) => {
    const quarter = (((longitude - longitudes[index]!) % 360) + 360) % 360;
    return Math.abs(quarter - 90) < 1e-6 || Math.abs(quarter - 270) < 1e-6;
  });
}

/** @param area west, south, east, north; west > east crosses the antimeridian */
function isNear(
  [west, south, east, north]: NonNullable<Crs['areaOfUse']>,
  [longitude, latitude]: readonly [number, number],
): boolean {
  if (latitude < south - BEYOND_AREA_DEG || latitude > north + BEYOND_AREA_DEG) return false;
  const width = (((east - west) % 360) + 360) % 360 || 360;
  const fromWest = (((longitude - west + BEYOND_AREA_DEG) % 360) + 360) % 360;
  return fromWest <= width + 2 * BEYOND_AREA_DEG;
}
