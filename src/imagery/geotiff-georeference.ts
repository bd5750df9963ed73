import type { GeoTIFFImage } from 'geotiff';
import type { Affine } from '../raster/affine.ts';
import { crsOfGeoTiff, UnresolvableCrsError } from './crs/crs.ts';
import { directoryBytes, encodeDirectory, type TiffField } from './tiff-directory.ts';

/** GTRasterTypeGeoKey value: positions belong to pixel centres. */
const PIXEL_IS_POINT = 2;

/**
 * Geotransform of a GeoTIFF as GDAL gives it: from PixelScale and one Tiepoint, else from ModelTransformation; moved by
 * half a pixel where the file says that positions are pixel centres.
 * @returns null when the file has neither; ground control points alone do not make a geotransform
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

/** Keys that make up a coordinate reference system; a raster type alone names none. */
const SYSTEM_KEYS = /^(?:GTModelType|Geo|Geog|PCS|Proj|ProjectedCS)[A-Za-z]*GeoKey$/;
/** Codes of GeoKeys that mean "none" and "by other keys". */
const NO_CODES: readonly number[] = [0, 32_767];

/**
 * Name of the CRS that the file's GeoKeys give, as GDAL reads them, for `resolveCrs`; null when they name none.
 * @throws {UnresolvableCrsError} when they name one that cannot be expressed
 * @see OGC 19-008r4, clause 7.4 and annex E
 */
export async function crsOfTags(image: GeoTIFFImage): Promise<string | null> {
  const keys: Readonly<Record<string, unknown>> | null = image.getGeoKeys();
  if (!keys || !Object.keys(keys).some((key) => SYSTEM_KEYS.test(key))) return null;
  const model = keys['GTModelTypeGeoKey'] ?? 0;
  const name = citation(keys);
  if (model === 0) {
    if (keys['ProjLinearUnitsGeoKey'] === undefined && keys['GeogAngularUnitsGeoKey'] === undefined) return null;
    throw new UnresolvableCrsError(name, 'it has units but no projection or datum');
  }
  if (isWgs84(keys)) return 'EPSG:4326';
  return crsOfGeoTiff(onePixel(image), name);
}

/** A geographic system that is nothing but the code of WGS 84, which needs no library. */
function isWgs84(keys: Readonly<Record<string, unknown>>): boolean {
  const own = Object.keys(keys).filter((key) => SYSTEM_KEYS.test(key) && !key.includes('Citation'));
  const degrees = [undefined, 9102].includes(keys['GeogAngularUnitsGeoKey'] as number | undefined);
  const plain = new Set([
    'GTModelTypeGeoKey',
    'GeographicTypeGeoKey',
    'GeogAngularUnitsGeoKey',
    'GeogSemiMajorAxisGeoKey',
    'GeogInvFlatteningGeoKey',
  ]);
  return (
    keys['GTModelTypeGeoKey'] === 2 &&
    keys['GeographicTypeGeoKey'] === 4326 &&
    degrees &&
    own.every((key) => plain.has(key))
  );
}

function citation(keys: Readonly<Record<string, unknown>>): string {
  const codes = ['ProjectedCSTypeGeoKey', 'GeographicTypeGeoKey'].map((key) => keys[key]);
  const texts = ['PCSCitationGeoKey', 'GTCitationGeoKey', 'GeogCitationGeoKey'].map((key) => keys[key]);
  const text = texts.find((value) => typeof value === 'string');
  if (text !== undefined) return `"${text.replace(/[|\0]+$/, '')}"`;
  const code = codes.find((value): value is number => typeof value === 'number' && !NO_CODES.includes(value));
  return code === undefined ? '"user-defined"' : `EPSG:${code}`;
}

/** A TIFF of one pixel with the image's GeoKeys, which GDAL reads in place of the whole file. */
function onePixel(image: GeoTIFFImage): Uint8Array {
  const tags = image.fileDirectory;
  const ascii = tags.getValue('GeoAsciiParams');
  const fields: TiffField[] = [
    { tag: 256, type: 'SHORT', values: [1] }, // width
    { tag: 257, type: 'SHORT', values: [1] }, // height
    { tag: 258, type: 'SHORT', values: [8] }, // bits per sample
    { tag: 259, type: 'SHORT', values: [1] }, // no compression
    { tag: 262, type: 'SHORT', values: [1] }, // black is zero
    { tag: 273, type: 'LONG', values: [PIXEL_AT] },
    { tag: 278, type: 'SHORT', values: [1] }, // rows per strip
    { tag: 279, type: 'LONG', values: [1] }, // bytes of the strip
    { tag: 33_550, type: 'DOUBLE', values: [1, 1, 0] },
    { tag: 33_922, type: 'DOUBLE', values: [0, 0, 0, 0, 0, 0] },
    { tag: 34_735, type: 'SHORT', values: horizontalKeys(Array.from(tags.getValue('GeoKeyDirectory') ?? [])) },
    { tag: 34_736, type: 'DOUBLE', values: Array.from(tags.getValue('GeoDoubleParams') ?? []) },
    { tag: 34_737, type: 'ASCII', values: ascii === undefined ? [] : [...Buffer.from(`${ascii}\0`, 'latin1')] },
  ];
  const present = fields.filter(({ values }) => values.length > 0);
  const bytes = Buffer.alloc(FIRST_DIRECTORY_AT + directoryBytes(present));
  bytes.write('II', 'latin1');
  bytes.writeUInt16LE(42, 2);
  bytes.writeUInt32LE(FIRST_DIRECTORY_AT, 4);
  encodeDirectory(present, FIRST_DIRECTORY_AT, 0).copy(bytes, FIRST_DIRECTORY_AT);
  return bytes;
}

const PIXEL_AT = 8;
const FIRST_DIRECTORY_AT = 10;

/** The key directory without vertical keys: an image has no height axis. @see OGC 19-008r4, clause 7.5.4 */
function horizontalKeys([version = 1, revision = 1, minor = 0, , ...entries]: readonly number[]): number[] {
  const keys = Array.from({ length: Math.floor(entries.length / 4) }, (_, index) =>
    entries.slice(4 * index, 4 * index + 4),
  ).filter(([id]) => id! < FIRST_VERTICAL_KEY || id! > LAST_VERTICAL_KEY);
  return [version, revision, minor, keys.length, ...keys.flat()];
}

const FIRST_VERTICAL_KEY = 4096;
const LAST_VERTICAL_KEY = 4099;
