import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { AppError } from '../errors.ts';
import type { Affine } from '../raster/affine.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';
import { geoKeysOf, type GeoKey } from './geotiff-keys.ts';
import { maskBand } from './render-mask-png.ts';

/** Where the pixels of a raster lie; both null when unknown. */
export interface Georeference {
  /** As in {@link Scene.crs}. */
  readonly crs: string | null;
  readonly affine: Affine | null;
}

/** A mask is so ragged that even its compressed pixels pass what a TIFF file can address. */
export class MaskTooLargeForTiffError extends AppError {
  readonly code = 'MASK_TOO_LARGE';
  constructor(bytes: number) {
    super(`the mask takes ${bytes} bytes compressed; a TIFF file holds at most ${MAX_FILE_BYTES}`);
  }
}

const MAX_FILE_BYTES = 2 ** 32 - 1;
/** Pixels of a strip at most; one strip is held uncompressed at a time. */
const STRIP_PIXELS = 2 ** 20;
const compress = promisify(deflate);

type FieldType = 'SHORT' | 'LONG' | 'DOUBLE' | 'ASCII';
const TYPE_CODES: Readonly<Record<FieldType, number>> = { ASCII: 2, SHORT: 3, LONG: 4, DOUBLE: 12 };
const TYPE_BYTES: Readonly<Record<FieldType, number>> = { ASCII: 1, SHORT: 2, LONG: 4, DOUBLE: 8 };

/** A field of the image file directory. */
interface Field {
  readonly tag: number;
  readonly type: FieldType;
  readonly values: readonly number[];
}

/**
 * The mask as an 8-bit grey GeoTIFF in the scene's own CRS and geotransform, 255 inside and 0 outside, deflated in
 * strips. Memory holds the compressed file and one strip.
 * @returns pieces of the file, in order
 * @throws {CrsNotWritableError} {@link MaskTooLargeForTiffError}
 * @see TIFF 6.0, sections 2 and 3; OGC 19-008r4 (GeoTIFF 1.1), clause 7
 */
export async function renderMaskGeoTiff(mask: MaskRuns, georeference: Georeference): Promise<Buffer[]> {
  const rowsPerStrip = Math.max(1, Math.floor(STRIP_PIXELS / mask.widthPx));
  const geo = geoFields(georeference);
  const strips = await compressStrips(mask, rowsPerStrip);
  const layout = (offsets: readonly number[]): Buffer =>
    encodeHead([
      { tag: 256, type: 'LONG', values: [mask.widthPx] },
      { tag: 257, type: 'LONG', values: [mask.heightPx] },
      { tag: 258, type: 'SHORT', values: [8] }, // bits per sample
      { tag: 259, type: 'SHORT', values: [8] }, // compression: Adobe deflate
      { tag: 262, type: 'SHORT', values: [1] }, // photometric: black is zero
      { tag: 273, type: 'LONG', values: offsets },
      { tag: 277, type: 'SHORT', values: [1] }, // samples per pixel
      { tag: 278, type: 'LONG', values: [rowsPerStrip] },
      { tag: 279, type: 'LONG', values: strips.map((strip) => strip.length) },
      ...geo,
    ]);
  let end = layout(strips.map(() => 0)).length;
  const offsets = strips.map((strip) => (end += strip.length) - strip.length);
  if (end > MAX_FILE_BYTES) throw new MaskTooLargeForTiffError(end);
  return [layout(offsets), ...strips];
}

/** Most of a large mask is empty: empty strips are compressed once and take no pixels. */
async function compressStrips(mask: MaskRuns, rowsPerStrip: number): Promise<Buffer[]> {
  const occupied = new Set(Array.from(mask.lines, (y) => Math.floor(y / rowsPerStrip)));
  const empty = new Map<number, Promise<Buffer>>();
  const strips: Buffer[] = [];
  for (let y = 0; y < mask.heightPx; y += rowsPerStrip) {
    const rows = Math.min(rowsPerStrip, mask.heightPx - y);
    if (!occupied.has(y / rowsPerStrip) && !empty.has(rows)) empty.set(rows, compress(maskBand(mask, y, rows)));
    strips.push(await (occupied.has(y / rowsPerStrip) ? compress(maskBand(mask, y, rows)) : empty.get(rows)!));
  }
  return strips;
}

/** Fields of GeoTIFF: scale and tie point for a north-up raster, a matrix for any other; none without a geotransform. */
function geoFields({ crs, affine }: Georeference): Field[] {
  const fields: Field[] = [];
  if (affine) {
    const [x0, dxColumn, dxRow, y0, dyColumn, dyRow] = affine;
    if (dxRow === 0 && dyColumn === 0 && dxColumn > 0 && dyRow < 0) {
      fields.push({ tag: 33550, type: 'DOUBLE', values: [dxColumn, -dyRow, 0] });
      fields.push({ tag: 33922, type: 'DOUBLE', values: [0, 0, 0, x0, y0, 0] });
    } else {
      const matrix = [dxColumn, dxRow, 0, x0, dyColumn, dyRow, 0, y0, 0, 0, 0, 0, 0, 0, 0, 1];
      fields.push({ tag: 34264, type: 'DOUBLE', values: matrix });
    }
  }
  return crs === null ? fields : [...fields, ...keyFields(geoKeysOf(crs))];
}

/** The key directory (tag 34735) with its numbers (34736) and texts (34737). */
function keyFields(keys: readonly GeoKey[]): Field[] {
  const directory = [1, 1, 0, keys.length];
  const doubles: number[] = [];
  let text = '';
  for (const { id, value } of keys) {
    if ('short' in value) directory.push(id, 0, 1, value.short);
    else if ('doubles' in value) {
      directory.push(id, 34736, value.doubles.length, doubles.length);
      doubles.push(...value.doubles);
    } else {
      directory.push(id, 34737, value.ascii.length + 1, text.length);
      text += `${value.ascii}|`;
    }
  }
  const fields: Field[] = [{ tag: 34735, type: 'SHORT', values: directory }];
  if (doubles.length > 0) fields.push({ tag: 34736, type: 'DOUBLE', values: doubles });
  if (text !== '') fields.push({ tag: 34737, type: 'ASCII', values: [...Buffer.from(`${text}\0`, 'latin1')] });
  return fields;
}

/** Header, directory and the values that do not fit into it, little-endian; the strips follow at once. */
function encodeHead(fields: readonly Field[]): Buffer {
  const directoryBytes = 2 + 12 * fields.length + 4;
  const outside = fields.map((field) => even(bytesOf(field) > 4 ? bytesOf(field) : 0));
  const head = Buffer.alloc(8 + directoryBytes + outside.reduce((sum, bytes) => sum + bytes, 0));
  head.write('II', 'latin1');
  head.writeUInt16LE(42, 2);
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(fields.length, 8);
  let free = 8 + directoryBytes;
  fields.forEach((field, index) => {
    const entry = 10 + 12 * index;
    head.writeUInt16LE(field.tag, entry);
    head.writeUInt16LE(TYPE_CODES[field.type], entry + 2);
    head.writeUInt32LE(field.values.length, entry + 4);
    const inside = outside[index] === 0;
    if (!inside) head.writeUInt32LE(free, entry + 8);
    writeValues(head, inside ? entry + 8 : free, field);
    free += outside[index]!;
  });
  return head;
}

const bytesOf = ({ type, values }: Field): number => TYPE_BYTES[type] * values.length;
const even = (bytes: number): number => bytes + (bytes % 2);

function writeValues(head: Buffer, at: number, { type, values }: Field): void {
  values.forEach((value, index) => {
    const position = at + index * TYPE_BYTES[type];
    if (type === 'DOUBLE') head.writeDoubleLE(value, position);
    else if (type === 'LONG') head.writeUInt32LE(value, position);
    else if (type === 'SHORT') head.writeUInt16LE(value, position);
    else head.writeUInt8(value, position);
  });
}
