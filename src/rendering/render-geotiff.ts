import { AppError } from '../errors.ts';
import { pixelToMap, type Affine } from '../raster/affine.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';
import { geoKeyFields } from './geotiff-keys.ts';
import { halvedMask } from './mask-overview.ts';
import { compressTiles, LEADER_BYTES, TILE_PX, TRAILER_BYTES } from './mask-tiles.ts';
import { directoryBytes, encodeDirectory, type TiffField } from '../imagery/tiff-directory.ts';

/** Georeference of a raster; both null when unknown. */
export interface Georeference {
  /** As in {@link Scene.crs}. */
  readonly crs: string | null;
  readonly affine: Affine | null;
}

/** The compressed mask exceeds the 4 GiB that a TIFF file can address. */
export class MaskTooLargeForTiffError extends AppError {
  readonly code = 'MASK_TOO_LARGE';
  constructor(bytes: number) {
    super(`The compressed mask has ${bytes} bytes; the limit of a TIFF file is ${MAX_FILE_BYTES}.`);
  }
}

const MAX_FILE_BYTES = 2 ** 32 - 1;

/** One resolution of the mask, with its tiles in file order. */
interface Level {
  readonly mask: MaskRuns;
  readonly blocks: readonly Buffer[];
}

/**
 * Writes the mask as a Cloud Optimized GeoTIFF in the scene's own CRS and geotransform: 8-bit grey, 255 inside and 0
 * outside, deflated tiles of 512 pixels, and overviews (see {@link halvedMask}) down to a single tile. Directories come
 * first, then the tiles from the smallest overview to the full resolution. Memory holds the runs of the mask and the
 * compressed file, which is smaller.
 * @returns chunks of the file, in order
 * @throws {CrsNotWritableError} {@link MaskTooLargeForTiffError}
 * @see TIFF 6.0, sections 2, 3 and 15; OGC 21-026 (Cloud Optimized GeoTIFF 1.0); OGC 19-008r4 (GeoTIFF 1.1), clause 7
 */
export async function renderMaskGeoTiff(mask: MaskRuns, georeference: Georeference): Promise<Buffer[]> {
  const geo = await geoFields(georeference, mask);
  const levels: Level[] = [];
  for (let at: MaskRuns | null = mask; at; at = isOneTile(at) ? null : halvedMask(at)) {
    levels.push({ mask: at, blocks: await compressTiles(at) });
  }
  const fields = levels.map((level, index) => [...imageFields(level, index > 0), ...(index === 0 ? geo : [])]);
  const head = fileHead();
  const sizes = fields.map((own, index) => directoryBytes([...own, ...tileFields(levels[index]!, 0)]));
  const tilesBegin = sizes.reduce((sum, bytes) => sum + bytes, head.length);
  const begins = levelOffsets(levels, tilesBegin);
  let at = head.length;
  const directories = fields.map((own, index) => {
    const next = at + sizes[index]!;
    const all = [...own, ...tileFields(levels[index]!, begins[index]!)].toSorted((a, b) => a.tag - b.tag);
    const directory = encodeDirectory(all, at, index < fields.length - 1 ? next : 0);
    at = next;
    return directory;
  });
  return [head, ...directories, ...levels.toReversed().flatMap(({ blocks }) => blocks)];
}

const isOneTile = ({ widthPx, heightPx }: MaskRuns): boolean => Math.max(widthPx, heightPx) <= TILE_PX;

/** Offset of the first tile of each level; the last level comes first. @throws {MaskTooLargeForTiffError} */
function levelOffsets(levels: readonly Level[], tilesBegin: number): number[] {
  let end = tilesBegin;
  const begins = levels
    .toReversed()
    .map(({ blocks }) => (end += bytesOf(blocks)) - bytesOf(blocks))
    .toReversed();
  if (end > MAX_FILE_BYTES) throw new MaskTooLargeForTiffError(end);
  return begins;
}

const bytesOf = (blocks: readonly Buffer[]): number => blocks.reduce((sum, { length }) => sum + length, 0);

/**
 * The TIFF header and GDAL's ghost area, which tells readers the layout: tiles in row order, each preceded by its length
 * and followed by a repeat of its last bytes.
 * @see https://gdal.org/drivers/raster/cog.html#header-ghost-area
 */
function fileHead(): Buffer {
  const layout = [
    'LAYOUT=IFDS_BEFORE_DATA',
    'BLOCK_ORDER=ROW_MAJOR',
    'BLOCK_LEADER=SIZE_AS_UINT4',
    'BLOCK_TRAILER=LAST_4_BYTES_REPEATED',
    'KNOWN_INCOMPATIBLE_EDITION=NO',
    ' ', // room for YES, in case an editor breaks the layout
  ].join('\n');
  const ghost = `GDAL_STRUCTURAL_METADATA_SIZE=${String(layout.length).padStart(6, '0')} bytes\n${layout}`;
  const head = Buffer.alloc(8 + ghost.length + (ghost.length % 2));
  head.write('II', 'latin1');
  head.writeUInt16LE(42, 2);
  head.writeUInt32LE(head.length, 4);
  head.write(ghost, 8, 'latin1');
  return head;
}

function imageFields({ mask }: Level, isOverview: boolean): TiffField[] {
  return [
    { tag: 254, type: 'LONG', values: [isOverview ? 1 : 0] }, // subfile type: reduced resolution
    { tag: 256, type: 'LONG', values: [mask.widthPx] },
    { tag: 257, type: 'LONG', values: [mask.heightPx] },
    { tag: 258, type: 'SHORT', values: [8] }, // bits per sample
    { tag: 259, type: 'SHORT', values: [8] }, // compression: Adobe deflate
    { tag: 262, type: 'SHORT', values: [1] }, // photometric: black is zero
    { tag: 277, type: 'SHORT', values: [1] }, // samples per pixel
    { tag: 322, type: 'SHORT', values: [TILE_PX] }, // tile width
    { tag: 323, type: 'SHORT', values: [TILE_PX] }, // tile length
  ];
}

/** @param begin offset of the first block of the level */
function tileFields({ blocks }: Level, begin: number): TiffField[] {
  let end = begin;
  const offsets = blocks.map(({ length }) => (end += length) - length + LEADER_BYTES);
  return [
    { tag: 324, type: 'LONG', values: offsets },
    { tag: 325, type: 'LONG', values: blocks.map(({ length }) => length - LEADER_BYTES - TRAILER_BYTES) },
  ];
}

/** GeoTIFF fields: scale and tie point when north-up, otherwise a matrix; empty without a geotransform. */
async function geoFields({ crs, affine }: Georeference, mask: MaskRuns): Promise<TiffField[]> {
  const fields: TiffField[] = [];
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
  return crs === null ? fields : [...fields, ...(await geoKeyFields(crs, affine ? cornersOf(affine, mask) : []))];
}

/** Corners and centre of a raster in its own system. */
function cornersOf(affine: Affine, { widthPx, heightPx }: MaskRuns): [number, number][] {
  const at: [number, number][] = [
    [0, 0],
    [widthPx, 0],
    [0, heightPx],
    [widthPx, heightPx],
    [widthPx / 2, heightPx / 2],
  ];
  return at.map(([column, row]) => pixelToMap(affine, column, row));
}
