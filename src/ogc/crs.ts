import type { Geometry } from 'geojson';
import { boxGeometry } from '../geojson-box.ts';
import { beginsWithNorth, type Crs, epsgCodes, resolveCrs, UnresolvableCrsError } from '../imagery/crs/crs.ts';
import { InvalidOgcParameterError } from './errors.ts';

/** A coordinate reference system of a request, with its axes in the order of the registry. */
export interface RequestedCrs {
  readonly uri: string;
  /** Whether positions are WGS 84, longitude first, as they are stored. */
  readonly isStored: boolean;
  /** @returns longitude and latitude; NaN outside the system's domain */
  readonly toWgs84: (position: Position) => Position;
  readonly fromWgs84: (position: Position) => Position;
}

type Position = readonly [number, number];

export const CRS84_URI = 'http://www.opengis.net/def/crs/OGC/1.3/CRS84';
const epsgUri = (code: number | string): string => `http://www.opengis.net/def/crs/EPSG/0/${code}`;

/** The systems that clients ask for most, before all others. */
const USUAL_CODES: readonly number[] = [4326, 3857, 4258, 3035];
/** Stands in the list of a collection for the list of all collections. */
const GLOBAL_LIST = '#/crs';

/**
 * The list of a collection: what clients that do not follow the reference can choose from, and the reference.
 * @see OGC 18-058, 6.2.2
 */
export const COLLECTION_CRS: readonly string[] = [CRS84_URI, ...USUAL_CODES.map(epsgUri), GLOBAL_LIST];

/** The list of all collections: every system of two coordinates that PROJ knows by a code of EPSG. */
export async function globalCrs(): Promise<readonly string[]> {
  const others = (await epsgCodes()).filter((code) => !USUAL_CODES.includes(code));
  return [CRS84_URI, ...USUAL_CODES.map(epsgUri), ...others.map(epsgUri)];
}

const identity = (position: Position): Position => position;
const CRS84: RequestedCrs = { uri: CRS84_URI, isStored: true, toWgs84: identity, fromWgs84: identity };

/** A URI or URN of OGC, a safe CURIE, or `EPSG:code`. */
const EPSG =
  /^(?:https?:\/\/www\.opengis\.net\/def\/crs\/EPSG\/[\d.]+\/|urn:ogc:def:crs:EPSG:[\d.]*:|\[?EPSG:)(\d{1,6})\]?$/i;
const OGC_CRS84 =
  /^(?:https?:\/\/www\.opengis\.net\/def\/crs\/OGC\/[\d.]+\/CRS84|urn:ogc:def:crs:OGC:[\d.]*:CRS84|\[?OGC:CRS84\]?)$/i;

/**
 * The system that a parameter names; CRS84 without one.
 * @throws {InvalidOgcParameterError} for another text, and for a code that PROJ does not know
 * @see OGC 18-058, requirements /req/crs/fc-crs-valid-value and /req/crs/fc-bbox-crs-valid-value
 */
export async function readCrs(parameter: string, text: string | undefined): Promise<RequestedCrs> {
  if (text === undefined || OGC_CRS84.test(text)) return CRS84;
  const code = EPSG.exec(text)?.[1];
  if (code === undefined) {
    throw new InvalidOgcParameterError(
      `${parameter} is ${JSON.stringify(text)}; it must be ${CRS84_URI} or ${epsgUri('{code}')} with an EPSG code.`,
    );
  }
  try {
    const definition = `EPSG:${Number(code)}`;
    return inRegistryOrder(epsgUri(Number(code)), await resolveCrs(definition), await beginsWithNorth(definition));
  } catch (cause) {
    if (!(cause instanceof UnresolvableCrsError)) throw cause;
    throw new InvalidOgcParameterError(`${parameter} is ${JSON.stringify(text)}: ${cause.message}`, { cause });
  }
}

function inRegistryOrder(uri: string, crs: Crs, northFirst: boolean): RequestedCrs {
  const order = ([x, y]: Position): Position => (northFirst ? [y, x] : [x, y]);
  return {
    uri,
    isStored: false,
    toWgs84: (position) => crs.toWgs84(order(position) as [number, number]),
    fromWgs84: (position) => order(crs.fromWgs84(position as [number, number])),
  };
}

/** Points on each side of a box, so that sides which are straight in its system stay so to a hundredth of their length. */
const SIDE_POINTS = 16;

export type Wgs84Box = readonly [number, number, number, number];

/**
 * A box of a request in WGS 84: a box where its sides run along meridians and parallels, else an area.
 * @param numbers four, or six with heights, which are left out
 * @throws {InvalidOgcParameterError} for a box that lies outside the domain of its system
 */
export function boxToWgs84(numbers: readonly number[], crs: RequestedCrs): Geometry | Wgs84Box {
  const [minX, minY, maxX, maxY] = (numbers.length === 6 ? [0, 1, 3, 4] : [0, 1, 2, 3]).map((at) => numbers[at]!) as [
    number,
    number,
    number,
    number,
  ];
  if (crs.isStored) return [minX, minY, maxX, maxY];
  if (crs.uri === epsgUri(4326)) return [minY, minX, maxY, maxX];
  const corners = [crs.toWgs84([minX, minY]), crs.toWgs84([maxX, maxY])];
  if (crs.uri === epsgUri(3857)) return corners.flat() as unknown as Wgs84Box;
  const side = (from: Position, to: Position): Position[] =>
    Array.from({ length: SIDE_POINTS }, (_, step) => {
      const part = step / SIDE_POINTS;
      return crs.toWgs84([from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part]);
    });
  const ring = [
    ...side([minX, minY], [maxX, minY]),
    ...side([maxX, minY], [maxX, maxY]),
    ...side([maxX, maxY], [minX, maxY]),
    ...side([minX, maxY], [minX, minY]),
  ];
  if (!ring.flat().every(Number.isFinite)) {
    throw new InvalidOgcParameterError(`The box [${numbers.join(', ')}] lies outside the domain of ${crs.uri}.`);
  }
  return { type: 'Polygon', coordinates: [[...ring, ring[0]!].map(([x, y]) => [x, y])] };
}

/** A value with every position in it, whatever holds them, moved. */
function mapPositions(value: unknown, move: (position: Position) => Position): unknown {
  if (!Array.isArray(value)) return value;
  const [x, y] = value as readonly unknown[];
  if (typeof x === 'number' && typeof y === 'number') return [...move([x, y])];
  return value.map((member) => mapPositions(member, move));
}

/** A geometry with its positions moved. Whether they are positions at all is not checked. */
export function moveGeometry(geometry: Geometry, move: (position: Position) => Position): Geometry {
  if (geometry.type === 'GeometryCollection') {
    return { ...geometry, geometries: geometry.geometries.map((member) => moveGeometry(member, move)) };
  }
  return { ...geometry, coordinates: mapPositions(geometry.coordinates, move) } as Geometry;
}

/** A geometry of a filter in WGS 84. */
export function toWgs84(crs: RequestedCrs): (geometry: Geometry | readonly number[]) => Geometry | Wgs84Box {
  return (geometry) =>
    'type' in geometry ? (crs.isStored ? geometry : moveGeometry(geometry, crs.toWgs84)) : boxToWgs84(geometry, crs);
}

export const asGeometry = (place: Geometry | Wgs84Box): Geometry => ('type' in place ? place : boxGeometry(place));
