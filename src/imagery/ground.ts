import type { MultiPolygon, Polygon } from 'geojson';
import type { Affine } from '../raster/affine.ts';
import { pixelToMap } from '../raster/affine.ts';
import { AppError } from '../errors.ts';
import { polygonToWgs84 } from '../vector/polygon-geojson.ts';
import { crsName, type Crs } from './crs/crs.ts';

/** The geotransform puts a part of the image where its CRS has no longitude and latitude. */
export class OutsideCrsError extends AppError {
  readonly code = 'CRS_OUT_OF_RANGE';
  constructor(
    readonly crs: string,
    readonly position: readonly [number, number],
    reason = `has no longitude and latitude in ${crsName(crs)}`,
  ) {
    super(`Position ${position.join(', ')} of the image ${reason}.`);
  }
}

/** Longitude and latitude of scene positions. @throws {OutsideCrsError} where there is none */
export function groundPosition(affine: Affine, crs: Crs): (column: number, row: number) => [number, number] {
  return (column, row) => {
    const position = pixelToMap(affine, column, row);
    const [longitude, latitude] = crs.toWgs84(position);
    if (!Number.isFinite(longitude) || !(Math.abs(latitude) <= 90 + 1e-9)) {
      throw new OutsideCrsError(crs.definition, position);
    }
    return [longitude, Math.max(-90, Math.min(90, latitude))];
  };
}

/** WGS 84 semi-major axis in metres and squared eccentricity. @see NGA.STND.0036, table 3.1 and 3.5 */
const A = 6378137;
const E2 = 0.00669437999014;

/** Earth-centred position on the WGS 84 ellipsoid, metres. @see EPSG guidance note 7-2, method 9602 */
function earthCentred([longitude, latitude]: readonly [number, number]): [number, number, number] {
  const [lambda, phi] = [(longitude * Math.PI) / 180, (latitude * Math.PI) / 180];
  const normalRadius = A / Math.sqrt(1 - E2 * Math.sin(phi) ** 2);
  const east = normalRadius * Math.cos(phi);
  return [east * Math.cos(lambda), east * Math.sin(lambda), normalRadius * (1 - E2) * Math.sin(phi)];
}

/** Straight line between two positions through the Earth, metres; 1e-6 shorter than the ground at 30 km. */
function chord(from: readonly [number, number], to: readonly [number, number]): [number, number, number] {
  const [a, b] = [earthCentred(from), earthCentred(to)];
  return [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
}

function shortDistanceM(from: readonly [number, number], to: readonly [number, number]): number {
  return Math.hypot(...chord(from, to));
}

/** Pixels to measure over: long enough against rounding in projections, short enough to be straight. */
const GSD_SPAN_PX = 64;
const GSD_SPAN_M = 30_000;

/**
 * Ground size of a pixel at the centre of the image: the side of a square of its area, true on the ellipsoid whatever
 * the projection stretches, also over a pole.
 * @returns metres
 */
export function gsdAtCentre(position: ReturnType<typeof groundPosition>, widthPx: number, heightPx: number): number {
  const [x, y] = [widthPx / 2, heightPx / 2];
  const across = (spanPx: number) => chord(position(x - spanPx / 2, y), position(x + spanPx / 2, y));
  const down = (spanPx: number) => chord(position(x, y - spanPx / 2), position(x, y + spanPx / 2));
  const straight = (pixel: readonly number[], sizePx: number): number =>
    Math.max(1, Math.min(GSD_SPAN_PX, sizePx, Math.floor(GSD_SPAN_M / Math.hypot(...pixel))));
  const [spanX, spanY] = [straight(across(1), widthPx), straight(down(1), heightPx)];
  const [[ax, ay, az], [bx, by, bz]] = [across(spanX), down(spanY)];
  const areaM2 = Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx);
  return Math.sqrt(areaM2 / (spanX * spanY));
}

/** Pieces of an edge of a footprint, before they are halved where they curve. */
const PIECES_PER_EDGE = 16;
const MAX_HALVINGS = 5;
/** Largest distance of an edge from its curve on the ground, as a share of the image's side. */
const MAX_DEVIATION_SHARE = 5e-5;

/**
 * Outline of the image on the ground: edges with intermediate points, exterior counter-clockwise, split at the
 * antimeridian and closed over a pole that it contains (RFC 7946 sections 3.1.6 and 3.1.9).
 */
export function footprintOf(
  position: ReturnType<typeof groundPosition>,
  widthPx: number,
  heightPx: number,
): Polygon | MultiPolygon {
  const allowedM = MAX_DEVIATION_SHARE * gsdAtCentre(position, widthPx, heightPx) * Math.sqrt(widthPx * heightPx);
  const corners: [number, number][] = [
    [0, 0],
    [0, heightPx],
    [widthPx, heightPx],
    [widthPx, 0],
  ];
  const exterior = corners.flatMap((from, corner) => {
    const to = corners[(corner + 1) % 4]!;
    const along = (share: number): [number, number] => [
      from[0] + share * (to[0] - from[0]),
      from[1] + share * (to[1] - from[1]),
    ];
    return Array.from({ length: PIECES_PER_EDGE }, (_, piece) =>
      halved(along(piece / PIECES_PER_EDGE), along((piece + 1) / PIECES_PER_EDGE), position, allowedM, MAX_HALVINGS),
    ).flat(2);
  });
  return polygonToWgs84({ exterior, holes: [] }, position);
}

/** Positions in the image from one to another, the last left out, so that straight edges follow the ground. */
function halved(
  from: [number, number],
  to: [number, number],
  position: ReturnType<typeof groundPosition>,
  allowedM: number,
  halvings: number,
): [number, number][] {
  const middle: [number, number] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const [start, end] = [position(...from), position(...to)];
  const turn = end[0] - start[0] - 360 * Math.round((end[0] - start[0]) / 360);
  const straight: [number, number] = [start[0] + turn / 2, (start[1] + end[1]) / 2];
  if (halvings === 0 || shortDistanceM(straight, position(...middle)) <= allowedM) return [from];
  return [
    ...halved(from, middle, position, allowedM, halvings - 1),
    ...halved(middle, to, position, allowedM, halvings - 1),
  ];
}
