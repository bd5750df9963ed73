import type { MultiPolygon, Polygon, Position } from 'geojson';
import type { Affine } from '../raster/affine.ts';
import { pixelToMap } from '../raster/affine.ts';
import { AppError } from '../errors.ts';
import { crsName, type Crs } from './crs/crs.ts';

/** The geotransform puts a part of the image where its CRS has no longitude and latitude. */
export class OutsideCrsError extends AppError {
  readonly code = 'CRS_OUT_OF_RANGE';
  constructor(
    readonly crs: string,
    readonly position: readonly [number, number],
    reason = `has no longitude and latitude in ${crsName(crs)}`,
  ) {
    super(`position ${position.join(', ')} of the image ${reason}`);
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

/**
 * Length on the ground between two positions, from the chord; the relative error is below 1e-6 up to 30 km, also across
 * a pole or the antimeridian.
 * @returns metres
 */
function shortDistanceM(from: readonly [number, number], to: readonly [number, number]): number {
  const [a, b] = [earthCentred(from), earthCentred(to)];
  const chordM = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  return 2 * A * Math.asin(Math.min(1, chordM / (2 * A)));
}

/** Pixels to measure over: long enough against rounding in projections, short enough to be straight. */
const GSD_SPAN_PX = 64;
const GSD_SPAN_M = 30_000;

/**
 * Ground size of a pixel at the centre of the image: geometric mean of its two sides, true on the ellipsoid whatever
 * the projection stretches.
 * @returns metres
 */
export function gsdAtCentre(position: ReturnType<typeof groundPosition>, widthPx: number, heightPx: number): number {
  const [x, y] = [widthPx / 2, heightPx / 2];
  const columnM = (spanPx: number): number =>
    shortDistanceM(position(x - spanPx / 2, y), position(x + spanPx / 2, y)) / spanPx;
  const rowM = (spanPx: number): number =>
    shortDistanceM(position(x, y - spanPx / 2), position(x, y + spanPx / 2)) / spanPx;
  const straight = (pixelM: number, sizePx: number): number =>
    Math.max(1, Math.min(GSD_SPAN_PX, sizePx, Math.floor(GSD_SPAN_M / pixelM)));
  return Math.sqrt(columnM(straight(columnM(1), widthPx)) * rowM(straight(rowM(1), heightPx)));
}

/** Points on each edge of a footprint: edges straight on the map are curves in longitude and latitude. */
const POINTS_PER_EDGE = 16;

/**
 * Outline of the image on the ground: edges with intermediate points, exterior counter-clockwise, split at the
 * antimeridian and closed over a pole that it contains (RFC 7946 sections 3.1.6 and 3.1.9).
 */
export function footprintOf(
  position: ReturnType<typeof groundPosition>,
  widthPx: number,
  heightPx: number,
): Polygon | MultiPolygon {
  const corners: [number, number][] = [
    [0, 0],
    [0, heightPx],
    [widthPx, heightPx],
    [widthPx, 0],
  ];
  const ring: Position[] = [];
  corners.forEach(([column, row], corner) => {
    const [nextColumn, nextRow] = corners[(corner + 1) % 4]!;
    for (let i = 0; i < POINTS_PER_EDGE; i++) {
      const along = i / POINTS_PER_EDGE;
      ring.push(position(column + (nextColumn - column) * along, row + (nextRow - row) * along));
    }
  });
  const unrolled = unroll(ring);
  const exterior = signedArea(unrolled) < 0 ? unrolled.toReversed() : unrolled;
  const parts = [-360, 0, 360].flatMap((shift) => {
    const shifted: Position[] = exterior.map(([longitude, latitude]) => [longitude! - shift, latitude!]);
    const part = withoutRepeats(clipLongitudes(shifted));
    return part.length >= 3 && Math.abs(signedArea(part)) > 0 ? [[[...part, part[0]!]]] : [];
  });
  return parts.length === 1
    ? { type: 'Polygon', coordinates: parts[0]! }
    : { type: 'MultiPolygon', coordinates: parts };
}

/** Makes longitudes continue past 180 instead of jumping; a ring around a pole is closed over the pole. */
function unroll(ring: readonly Position[]): Position[] {
  const unrolled: Position[] = [];
  let turns = 0;
  ring.forEach(([longitude, latitude], i) => {
    turns -= 360 * jump(ring[i - 1], longitude!);
    unrolled.push([longitude! + turns, latitude!]);
  });
  const around = turns - 360 * jump(ring.at(-1), ring[0]![0]!);
  return around === 0 ? unrolled : overPole(ring, Math.sign(around));
}

/** How many times 360 degrees a longitude is ahead of the position before it. */
function jump(before: Position | undefined, longitude: number): number {
  return before === undefined ? 0 : Math.round((longitude - before[0]!) / 360);
}

/**
 * A ring around a pole, cut at the antimeridian and led along it to the pole, so that its parts share no edge.
 * @param east 1 when the ring goes eastward, -1 westward
 */
function overPole(ring: readonly Position[], east: number): Position[] {
  const cut = ring.findIndex(([longitude], i) => jump(ring.at(i - 1), longitude!) !== 0);
  const [before, after] = [ring.at(cut - 1)!, ring[cut]!];
  const share = (180 - Math.abs(before[0]!)) / (360 - Math.abs(before[0]! - after[0]!));
  const latitude = before[1]! + (Number.isFinite(share) ? share : 0) * (after[1]! - before[1]!);
  const pole = latitude > 0 ? 90 : -90;
  const fromCut = [...ring.slice(cut), ...ring.slice(0, cut)];
  return [[-180 * east, latitude], ...fromCut, [180 * east, latitude], [180 * east, pole], [-180 * east, pole]];
}

/** Twice the area inside, positive when counter-clockwise; first point not repeated. */
function signedArea(ring: readonly Position[]): number {
  return ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length]!;
    return sum + x! * nextY! - nextX! * y!;
  }, 0);
}

function withoutRepeats(ring: readonly Position[]): Position[] {
  return ring.filter(([x, y], i) => x !== ring.at(i - 1)![0] || y !== ring.at(i - 1)![1]);
}

/** The part of a ring between longitudes -180 and 180 (Sutherland and Hodgman 1974). */
function clipLongitudes(ring: readonly Position[]): Position[] {
  return [180, -180].reduce<readonly Position[]>((points, limit) => {
    const inside = (longitude: number): boolean => (limit > 0 ? longitude <= limit : longitude >= limit);
    return points.flatMap(([x, y], i) => {
      const [fromX, fromY] = points.at(i - 1)!;
      const crosses = inside(x!) !== inside(fromX!);
      const meeting: Position = [limit, fromY! + ((limit - fromX!) / (x! - fromX!)) * (y! - fromY!)];
      return [...(crosses ? [meeting] : []), ...(inside(x!) ? [[x!, y!]] : [])];
    });
  }, ring) as Position[];
}
