import { LRUCache } from 'lru-cache';
import { AppError } from '../../errors.ts';
import { Gdal, GdalError } from './gdal.ts';
import { areaOfUse, horizontalWkt, isNorthFirst, namedByAxes, rootIdentifier, rootKeyword } from './wkt.ts';

/** The coordinate reference system of an image names no CRS in which positions can be computed. */
export class UnresolvableCrsError extends AppError {
  readonly code = 'CRS_UNRESOLVABLE';
  constructor(
    readonly crs: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Coordinate reference system ${crsName(crs)} cannot be used: ${reason}`, options);
  }
}

/** A horizontal coordinate reference system. Positions are `[x, y]`, or `[longitude, latitude]` in its own units. */
export interface Crs {
  /** `EPSG:26914`, or the WKT, PROJ string or PROJJSON; {@link resolveCrs} of it gives the same system again. */
  readonly definition: string;
  /** `[west, south, east, north]` in degrees where the system is meant to be used; null when unknown. */
  readonly areaOfUse: readonly [number, number, number, number] | null;
  /** @returns `[longitude, latitude]` in degrees, longitude from -180 to 180; NaN outside the projection's domain */
  toWgs84(position: readonly [number, number]): [number, number];
  /** Inverse of {@link Crs.toWgs84}. @returns NaN outside the projection's domain */
  fromWgs84(lonLat: readonly [number, number]): [number, number];
}

/** Longer than any definition in the registries: the longest is about 20 kB of PROJJSON. */
const MAX_DEFINITION_LENGTH = 65_536;
const MAX_RESOLVED = 200;

/** Roots of WKT 2 whose coordinates are horizontal. @see OGC 18-010r11, clauses 8 to 10 and 17 */
const HORIZONTAL_ROOTS: ReadonlySet<string> = new Set(['GEOGCRS', 'GEODCRS', 'PROJCRS', 'DERIVEDPROJCRS', 'BOUNDCRS']);

const resolved = new LRUCache<string, Crs>({ max: MAX_RESOLVED });
let loading: Promise<Gdal> | null = null;

/**
 * GDAL, loaded at the first call (about 0.6 s and 100 MB) and again after a trap.
 * @throws when the package is damaged
 */
export async function gdal(): Promise<Gdal> {
  loading ??= Gdal.load();
  const loaded = await loading;
  if (loaded.isUsable) return loaded;
  loading = null;
  resolved.clear();
  return gdal();
}

/**
 * The system that a definition names: `EPSG:code` or the code of another registry, WKT 1 or 2, ESRI's WKT, a PROJ string
 * or PROJJSON. x is east and y is north whatever the definition says about the order of axes, as in every image format.
 * @throws {UnresolvableCrsError} when the definition is not understood, not horizontal, or not on the Earth
 */
export async function resolveCrs(definition: string): Promise<Crs> {
  const closed = CLOSED_FORMS.get(definition);
  if (closed) return closed;
  const library = await gdal();
  const known = resolved.get(definition);
  if (known) return known;
  const crs = systemOf(library, definition);
  resolved.set(definition, crs);
  return crs;
}

/**
 * Whether the registry gives positions of a system with north or latitude first.
 * @param definition of a system that {@link resolveCrs} knows
 */
export async function beginsWithNorth(definition: string): Promise<boolean> {
  if (CLOSED_FORMS.has(definition)) return definition === 'EPSG:4326';
  return isNorthFirst(horizontalWkt((await gdal()).wktOf(definition)));
}

/**
 * PROJJSON of a system.
 * @param definition of a system that {@link resolveCrs} knows
 * @see https://proj.org/en/stable/specifications/projjson.html
 */
export async function projJsonOf(definition: string): Promise<object> {
  return (await gdal()).projJsonOf(definition);
}

function systemOf(library: Gdal, definition: string): Crs {
  if (definition.trim() === '') throw new UnresolvableCrsError('""', 'the definition is empty');
  if (definition.length > MAX_DEFINITION_LENGTH) {
    throw new UnresolvableCrsError(
      definition,
      `the definition has ${definition.length} characters; the limit is ${MAX_DEFINITION_LENGTH}`,
    );
  }
  try {
    const wkt = namedByAxes(horizontalWkt(library.wktOf(definition)));
    const root = rootKeyword(wkt);
    if (!HORIZONTAL_ROOTS.has(root) || isGeocentric(wkt)) {
      throw new UnresolvableCrsError(definition, `a system of kind ${root} has no horizontal coordinates on the Earth`);
    }
    const { toWgs84, fromWgs84 } = library.transforms(wkt);
    return {
      definition,
      areaOfUse: areaOfUse(wkt),
      toWgs84([x, y]) {
        const [longitude, latitude] = toWgs84(x, y);
        return [withinHalfTurn(longitude), latitude];
      },
      fromWgs84: ([longitude, latitude]) => fromWgs84(longitude, latitude),
    };
  } catch (cause) {
    if (!(cause instanceof GdalError)) throw cause;
    throw new UnresolvableCrsError(definition, reasonOf(cause), { cause });
  }
}

let codes: readonly number[] | null = null;

/** Codes of EPSG that PROJ knows as systems of two coordinates, in order. */
export async function epsgCodes(): Promise<readonly number[]> {
  return (codes ??= (await gdal()).epsgCodes());
}

/** PROJ's reason; of another body only what matters. */
function reasonOf({ message }: GdalError): string {
  const body = /do not belong to the same celestial body \((.+) vs Earth\)/.exec(message)?.[1];
  return body === undefined ? message : `it belongs to a celestial body other than the Earth (${body})`;
}

/** Earth-centred x, y and z, which WKT 2 also calls geodetic. */
const isGeocentric = (wkt: string): boolean => wkt.startsWith('GEODCRS[') && /,CS\[Cartesian,3\]/.test(wkt);

/**
 * Name of the system that a GeoTIFF of one pixel with an image's geographic tags names, for {@link resolveCrs}: a code
 * where it equals the registry's definition, else WKT 2.
 * @returns null when the tags name no system
 * @throws {UnresolvableCrsError} when they name one that GDAL cannot express
 */
export async function crsOfGeoTiff(bytes: Uint8Array, name: string): Promise<string | null> {
  const library = await gdal();
  try {
    const wkt = library.wktOfGeoTiff(bytes);
    if (wkt === null) return null;
    const horizontal = horizontalWkt(wkt);
    return rootIdentifier(horizontal) ?? horizontal;
  } catch (cause) {
    if (!(cause instanceof GdalError)) throw cause;
    throw new UnresolvableCrsError(name, cause.message, { cause });
  }
}

const withinHalfTurn = (longitude: number): number =>
  Math.abs(longitude) <= 180 ? longitude : longitude - 360 * Math.round(longitude / 360);

/** WGS 84 semi-major axis in metres. @see NGA.STND.0036, table 3.1 */
const A = 6_378_137;
const DEGREE = Math.PI / 180;

/**
 * Systems of which positions need no library: longitude and latitude themselves, and the spherical Mercator of web maps.
 * @see EPSG guidance note 7-2, method 1024
 */
const CLOSED_FORMS: ReadonlyMap<string, Crs> = new Map<string, Crs>([
  [
    'EPSG:4326',
    {
      definition: 'EPSG:4326',
      areaOfUse: null,
      toWgs84: ([longitude, latitude]) => [withinHalfTurn(longitude), latitude],
      fromWgs84: ([longitude, latitude]) => [longitude, latitude],
    },
  ],
  [
    'EPSG:3857',
    {
      definition: 'EPSG:3857',
      areaOfUse: null,
      toWgs84: ([x, y]) => [withinHalfTurn(x / A / DEGREE), Math.atan(Math.sinh(y / A)) / DEGREE],
      fromWgs84: ([longitude, latitude]) => [
        A * longitude * DEGREE,
        Math.abs(latitude) < 90 ? A * Math.asinh(Math.tan(latitude * DEGREE)) : Number.NaN,
      ],
    },
  ],
]);

/** How an error names a definition: a code or PROJ string as it is, WKT by its name, and nothing of any other text. */
export function crsName(definition: string): string {
  if (/^(?:[A-Z]+:\w+|\+[ -~]{1,200}|"[^"]*")$/i.test(definition)) return definition;
  const named = /^\s*([A-Z]\w+)\s*\[\s*"([^"]{1,80})"/i.exec(definition);
  return named ? `${named[1]} "${named[2]}"` : `of ${definition.length} characters`;
}
