import epsgIndex from 'epsg-index/all.json' with { type: 'json' };
import geokeysToProj4 from 'geotiff-geokeys-to-proj4';
import type { GeoKeys } from 'geotiff-geokeys-to-proj4';
import proj4 from 'proj4';
import type { Converter } from 'proj4';
import { AppError } from '../errors.ts';
import datumShifts from './datum-shifts.json' with { type: 'json' };

/** The coordinate reference system of an image names no CRS that positions can be computed in. */
export class UnresolvableCrsError extends AppError {
  readonly code = 'CRS_UNRESOLVABLE';
  constructor(
    readonly crs: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`coordinate reference system ${crs} cannot be used: ${reason}`, options);
  }
}

/** A horizontal coordinate reference system. Positions are `[x, y]`, or `[longitude, latitude]` in its own degrees. */
export interface Crs {
  /** `EPSG:26914`, or the proj4 or WKT definition; {@link resolveCrs} of it gives the same system again. */
  readonly definition: string;
  /** @returns `[longitude, latitude]` in degrees, longitude from -180 to 180; NaN outside the projection's domain */
  toWgs84(position: readonly [number, number]): [number, number];
  /** Inverse of {@link Crs.toWgs84}. @returns NaN outside the projection's domain */
  fromWgs84(lonLat: readonly [number, number]): [number, number];
}

/**
 * Shifts to WGS 84 by EPSG code of the geographic system, in the order and sign of proj4's `+towgs84`, where
 * `epsg-index` has none, a wrong one, or a grid file (which are not shipped; a shift is exact to 1 to 10 m). From the
 * EPSG registry: the transformation that PROJ prefers of those without a grid.
 */
const shifts: Readonly<Record<string, readonly number[] | undefined>> = datumShifts;

interface EpsgEntry {
  readonly kind: string;
  readonly name: string;
  readonly proj4: string | null;
  readonly wkt: string | null;
  readonly unit?: string | null;
}

/** Cassini grids of old Austria: their axes point south and west, which their proj4 definitions do not say. */
const SOUTH_WEST_GRIDS = [8044, 8045];

const epsgEntries: Readonly<Record<string, EpsgEntry | undefined>> = epsgIndex;
const resolved = new Map<string, Crs>();

/**
 * The system that a definition names: `EPSG:code`, a proj4 string, or WKT 1.
 * @throws {UnresolvableCrsError} when the code is unknown, not horizontal, or its projection is not implemented
 */
export function resolveCrs(definition: string): Crs {
  const known = resolved.get(definition);
  if (known) return known;
  const epsg = /^EPSG:(\d+)$/i.exec(definition)?.[1];
  const crs = converter(definition, epsg === undefined ? definition : epsgProj4(Number(epsg)));
  resolved.set(definition, crs);
  return crs;
}

function epsgProj4(code: number): string {
  const name = `EPSG:${code}`;
  const entry = epsgEntries[code];
  if (!entry) return proj4FromKeys(name, { ProjectedCSTypeGeoKey: code });
  if (['CRS-VERTCRS', 'CRS-ENGCRS', 'CRS-GCENCRS'].includes(entry.kind)) {
    throw new UnresolvableCrsError(name, `${entry.name} has no horizontal coordinates on the Earth`);
  }
  if (entry.unit === 'grad') throw new UnresolvableCrsError(name, `${entry.name} counts in grads`);
  if (SOUTH_WEST_GRIDS.includes(code))
    throw new UnresolvableCrsError(name, `the axes of ${entry.name} point south and west`);
  if (entry.proj4) return withShift(name, entry.proj4, geographicCode(entry) ?? code);
  return proj4FromKeys(name, { ProjectedCSTypeGeoKey: code });
}

/**
 * EPSG code of the geographic system beneath: the authority of the GEOGCS itself, which follows its angular unit; where
 * the registry has no WKT, the system whose name stands before the slash (`NTF (Paris) / Lambert zone II`).
 */
function geographicCode({ wkt, name }: EpsgEntry): number | null {
  const unit = String.raw`UNIT\["[^"]+",[^,\]]+(?:,AUTHORITY\[[^\]]+\])?\]`;
  const authority = new RegExp(String.raw`GEOGCS\[.*?${unit}(?:,AXIS\[[^\]]+\])*,AUTHORITY\["EPSG","?(\d+)"?\]`);
  const code = wkt ? authority.exec(wkt)?.[1] : geographicCodes().get(name.split(' / ')[0]!);
  return code === undefined ? null : Number(code);
}

let codesByName: Map<string, string> | null = null;

function geographicCodes(): Map<string, string> {
  codesByName ??= new Map(
    Object.entries(epsgEntries).flatMap(([code, entry]) =>
      entry?.kind === 'CRS-GEOGCRS' ? [[entry.name, code] as const] : [],
    ),
  );
  return codesByName;
}

function withShift(name: string, definition: string, geographic: number): string {
  const shift = shifts[geographic];
  const grid = /\+nadgrids=("[^"]*"|\S+)/.exec(definition)?.[1];
  if (shift) {
    const bare = definition.replace(/\+(?:nadgrids|towgs84)=(?:"[^"]*"|\S+) */, '');
    return `${bare} +towgs84=${shift.join(',')}`;
  }
  if (grid === undefined || grid === '@null') return definition;
  throw new UnresolvableCrsError(name, `its shift to WGS 84 needs the grid file ${grid}, which is not supported`);
}

/**
 * Definition of the system that GeoTIFF keys describe: a code where they have one, else a proj4 string of the
 * user-defined system, else the WKT of an ESRI citation.
 * @returns null when the keys name no system at all
 * @throws {UnresolvableCrsError} when they name one that cannot be expressed
 * @see OGC 19-008r4, clause 7.4 and annex E
 */
export function crsOfGeoKeys(keys: Partial<Record<string, unknown>>): string | null {
  const model = number(keys['GTModelTypeGeoKey']);
  const citations = ['PCSCitationGeoKey', 'GTCitationGeoKey', 'GeogCitationGeoKey'].flatMap((key) => {
    const text = keys[key];
    return typeof text === 'string' ? [text.replace(/[|\0]+$/, '')] : [];
  });
  const name = `"${citations[0] ?? 'user-defined'}"`;
  if (model === undefined || model === 0) {
    if (keys['ProjLinearUnitsGeoKey'] === undefined && keys['GeogAngularUnitsGeoKey'] === undefined) return null;
    throw new UnresolvableCrsError(name, 'it has units but no projection or datum');
  }
  const code = number(keys[model === 2 ? 'GeographicTypeGeoKey' : 'ProjectedCSTypeGeoKey']);
  if (code !== undefined && code > 0 && code !== USER_DEFINED && (model === 1 || model === 2)) return `EPSG:${code}`;
  const esri = citations.map((text) => /^ESRI PE String = (.+)$/s.exec(text)?.[1]).find((wkt) => wkt !== undefined);
  if (esri !== undefined) return esri;
  if (model !== 1 && model !== 2) {
    throw new UnresolvableCrsError(name, `GeoTIFF model type ${model} is neither projected (1) nor geographic (2)`);
  }
  return proj4FromKeys(name, keys);
}

const USER_DEFINED = 32767;

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** GeoKeys as one proj4 string with units folded in; vertical keys are ignored, an image has no height axis. */
function proj4FromKeys(name: string, keys: Partial<Record<string, unknown>>): string {
  const horizontal = Object.fromEntries(Object.entries(keys).filter(([key]) => !key.startsWith('Vertical')));
  const result = geokeysToProj4.toProj4(horizontal as unknown as GeoKeys);
  const problems = Object.entries(result.errors).filter(([problem]) => problem !== 'bothGCSAndPCSAreSet');
  if (problems.length > 0) {
    throw new UnresolvableCrsError(name, problems.map(([problem, value]) => `${problem} ${value}`).join(', '));
  }
  const unit = result.coordinatesConversionParameters.x;
  if (result.isGCS && unit !== 1) throw new UnresolvableCrsError(name, `its angular unit is ${unit} degree`);
  const metric = unit === 1 ? '' : ` +to_meter=${unit}`;
  return result.proj4.replace(/\+axis=\S+ ?/, '').trim() + metric + shiftOfBase(keys, result.proj4);
}

/** The shift of the geographic system that a user-defined projection is based on. */
function shiftOfBase(keys: Partial<Record<string, unknown>>, definition: string): string {
  const code = number(keys['GeographicTypeGeoKey']);
  if (code === undefined || code === USER_DEFINED || definition.includes('+towgs84')) return '';
  const shift = /\+towgs84=\S+/.exec(epsgProj4(code))?.[0];
  return shift ? ` ${shift}` : '';
}

function converter(definition: string, projection: string): Crs {
  let both: Converter;
  try {
    both = proj4('WGS84', projection);
  } catch (cause) {
    throw new UnresolvableCrsError(definition, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return {
    definition,
    toWgs84([x, y]) {
      const [longitude, latitude] = both.inverse([x, y], true) as [number, number];
      return [Math.abs(longitude) <= 180 ? longitude : longitude - 360 * Math.round(longitude / 360), latitude];
    },
    fromWgs84([longitude, latitude]) {
      return both.forward([longitude, latitude], true);
    },
  };
}
