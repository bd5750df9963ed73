import epsgIndex from 'epsg-index/all.json' with { type: 'json' };
import proj4 from 'proj4';
import { AppError } from '../errors.ts';

/** The CRS of a scene cannot be expressed in GeoTIFF keys. */
export class CrsNotWritableError extends AppError {
  readonly code = 'CRS_NOT_WRITABLE';
  constructor(crs: string, reason: string) {
    super(`A GeoTIFF cannot be written in coordinate reference system ${crs}: ${reason}.`);
  }
}

/** A GeoKey and its value: a code, numbers, or a text. */
export interface GeoKey {
  readonly id: number;
  readonly value: { readonly short: number } | { readonly doubles: readonly number[] } | { readonly ascii: string };
}

// Key and code numbers: OGC 19-008r4 (GeoTIFF 1.1), clause 7 and annex; TOWGS84 is GDAL's extension.
const MODEL_TYPE = 1024;
const RASTER_TYPE = 1025;
const CITATION = 1026;
const GEODETIC_CRS = 2048;
const GEODETIC_DATUM = 2050;
const ANGULAR_UNITS = 2054;
const ELLIPSOID = 2056;
const SEMI_MAJOR_AXIS = 2057;
const SEMI_MINOR_AXIS = 2058;
const PRIME_MERIDIAN_LONGITUDE = 2061;
const TOWGS84 = 2062;
const PROJECTED_CRS = 3072;
const PROJECTION = 3074;
const PROJECTION_METHOD = 3075;
const LINEAR_UNITS = 3076;
const LINEAR_UNIT_SIZE = 3077;

const PROJECTED = 1;
const GEOGRAPHIC = 2;
const PIXEL_IS_AREA = 1;
const USER_DEFINED = 32767;
const DEGREE = 9102;
const METRE = 9001;

/** A system as proj4 holds it after parsing: angles in radians, lengths in metres, `lat_ts` folded into `k0`. */
interface ParsedCrs {
  /** Every name of the projection, proj4's and WKT's. */
  readonly names: readonly string[];
  readonly a: number;
  readonly b: number;
  readonly to_meter?: number;
  readonly from_greenwich?: number;
  /** Shift to WGS 84: metres, seconds of arc, parts per million. */
  readonly datum_params?: readonly (number | string)[];
  readonly long0?: number;
  readonly lat0?: number;
  readonly lat1?: number;
  readonly lat2?: number;
  readonly k0?: number;
  readonly x0?: number;
  readonly y0?: number;
}

/** A parameter of a projection: its key, and the parsed value in the key's unit (degrees, ratio, or map units). */
type Parameter = readonly [key: number, value: (crs: ParsedCrs) => number];

interface Method {
  readonly code: number;
  readonly parameters: readonly Parameter[];
}

const degrees = (radians = 0): number => (radians * 180) / Math.PI;
const mapUnits = (metres = 0, unitM = 1): number => metres / unitM;
const falseEasting: Parameter = [3082, (crs) => mapUnits(crs.x0, crs.to_meter)];
const falseNorthing: Parameter = [3083, (crs) => mapUnits(crs.y0, crs.to_meter)];
const originLongitude: Parameter = [3080, (crs) => degrees(crs.long0)];
const originLatitude: Parameter = [3081, (crs) => degrees(crs.lat0)];
const centreLongitude: Parameter = [3088, (crs) => degrees(crs.long0)];
const centreLatitude: Parameter = [3089, (crs) => degrees(crs.lat0)];
const poleLongitude: Parameter = [3095, (crs) => degrees(crs.long0)];
const scale: Parameter = [3092, (crs) => crs.k0 ?? 1];
const parallel1: Parameter = [3078, (crs) => degrees(crs.lat1)];
const parallel2: Parameter = [3079, (crs) => degrees(crs.lat2 ?? crs.lat1)];

const TRANSVERSE_MERCATOR: Method = {
  code: 1,
  parameters: [originLongitude, originLatitude, falseEasting, falseNorthing, scale],
};
const LAMBERT_ONE_PARALLEL: Method = { ...TRANSVERSE_MERCATOR, code: 9 };
const LAMBERT_TWO_PARALLELS: Method = {
  code: 8,
  parameters: [
    parallel1,
    parallel2,
    [3084, (crs) => degrees(crs.long0)],
    [3085, (crs) => degrees(crs.lat0)],
    [3086, (crs) => mapUnits(crs.x0, crs.to_meter)],
    [3087, (crs) => mapUnits(crs.y0, crs.to_meter)],
  ],
};
const POLAR_STEREOGRAPHIC: Method = {
  code: 15,
  parameters: [originLatitude, falseEasting, falseNorthing, scale, poleLongitude],
};

/** GeoTIFF's projection methods by proj4 name; undefined for a variant that has no code. */
const METHODS: Readonly<Record<string, (crs: ParsedCrs) => Method | undefined>> = {
  utm: () => TRANSVERSE_MERCATOR,
  tmerc: () => TRANSVERSE_MERCATOR,
  merc: () => ({ ...TRANSVERSE_MERCATOR, code: 7 }),
  lcc: (crs) => ((crs.k0 ?? 1) === 1 ? LAMBERT_TWO_PARALLELS : LAMBERT_ONE_PARALLEL),
  laea: () => ({ code: 10, parameters: [falseEasting, falseNorthing, centreLongitude, centreLatitude] }),
  aea: () => ({
    code: 11,
    parameters: [parallel1, parallel2, originLongitude, originLatitude, falseEasting, falseNorthing],
  }),
  stere: (crs) => (Math.abs(degrees(crs.lat0)) > 89.999 ? POLAR_STEREOGRAPHIC : undefined),
  cass: () => ({ code: 18, parameters: [originLongitude, originLatitude, falseEasting, falseNorthing] }),
  poly: () => ({ code: 22, parameters: [originLongitude, originLatitude, falseEasting, falseNorthing] }),
  sinu: () => ({ code: 24, parameters: [falseEasting, falseNorthing, centreLongitude] }),
};

/**
 * GeoKeys of a coordinate reference system, ascending as the directory wants them.
 * @param crs as in {@link Scene.crs}
 * @throws {CrsNotWritableError} for an unknown code, and for a definition whose projection has no GeoTIFF code
 */
export function geoKeysOf(crs: string): GeoKey[] {
  const epsg = /^EPSG:(\d+)$/i.exec(crs)?.[1];
  if (epsg !== undefined) return epsgKeys(crs, Number(epsg));
  return definitionKeys(crs);
}

function epsgKeys(crs: string, code: number): GeoKey[] {
  const entries: Readonly<Record<string, { readonly kind: string } | undefined>> = epsgIndex;
  const kind = entries[code]?.kind;
  if (kind === undefined) throw new CrsNotWritableError(crs, 'the code is not in the EPSG registry');
  const geographic = kind.startsWith('CRS-GEOG');
  return [
    { id: MODEL_TYPE, value: { short: geographic ? GEOGRAPHIC : PROJECTED } },
    { id: RASTER_TYPE, value: { short: PIXEL_IS_AREA } },
    { id: geographic ? GEODETIC_CRS : PROJECTED_CRS, value: { short: code } },
  ];
}

function definitionKeys(definition: string): GeoKey[] {
  const crs = parse(definition);
  const shift = (crs.datum_params ?? []).map(Number);
  const geographic = crs.names.includes('longlat');
  const datum: GeoKey[] = [
    { id: MODEL_TYPE, value: { short: geographic ? GEOGRAPHIC : PROJECTED } },
    { id: RASTER_TYPE, value: { short: PIXEL_IS_AREA } },
    { id: CITATION, value: { ascii: definition.replaceAll('|', '/') } },
    { id: GEODETIC_CRS, value: { short: USER_DEFINED } },
    { id: GEODETIC_DATUM, value: { short: USER_DEFINED } },
    { id: ANGULAR_UNITS, value: { short: DEGREE } },
    { id: ELLIPSOID, value: { short: USER_DEFINED } },
    { id: SEMI_MAJOR_AXIS, value: { doubles: [crs.a] } },
    { id: SEMI_MINOR_AXIS, value: { doubles: [crs.b] } },
    { id: PRIME_MERIDIAN_LONGITUDE, value: { doubles: [degrees(crs.from_greenwich)] } },
    ...(shift.length > 0 ? [{ id: TOWGS84, value: { doubles: shift } }] : []),
  ];
  return geographic ? datum : [...datum, ...projectionKeys(definition, crs)];
}

function projectionKeys(definition: string, crs: ParsedCrs): GeoKey[] {
  const name = Object.keys(METHODS).find((known) => crs.names.includes(known));
  const method = name === undefined ? undefined : METHODS[name]!(crs);
  if (!method) throw new CrsNotWritableError(definition, `projection ${crs.names[0]} has no supported GeoTIFF code`);
  const unitM = crs.to_meter ?? 1;
  const unit: GeoKey[] =
    unitM === 1
      ? [{ id: LINEAR_UNITS, value: { short: METRE } }]
      : [
          { id: LINEAR_UNITS, value: { short: USER_DEFINED } },
          { id: LINEAR_UNIT_SIZE, value: { doubles: [unitM] } },
        ];
  const parameters = method.parameters.map(([id, value]) => ({ id, value: { doubles: [value(crs)] } }));
  return [
    { id: PROJECTED_CRS, value: { short: USER_DEFINED } },
    { id: PROJECTION, value: { short: USER_DEFINED } },
    { id: PROJECTION_METHOD, value: { short: method.code } },
    ...unit,
    ...parameters.toSorted((a, b) => a.id - b.id),
  ];
}

function parse(definition: string): ParsedCrs {
  try {
    return proj4.Proj(definition);
  } catch (cause) {
    throw new CrsNotWritableError(definition, cause instanceof Error ? cause.message : String(cause));
  }
}
