import { GeoTIFF } from 'geotiff';
import type { GeoTIFFImage } from 'geotiff';
import { AppError } from '../errors.ts';
import type { DecoderMemory } from './decoder-memory.ts';
import type { ByteSource } from './byte-source.ts';
import type { Palette } from './colour.ts';
import { affineOfTags, crsOfTags } from './geotiff-georeference.ts';
import { CorruptImageError, UnsupportedImageError } from './codec/codec-errors.ts';
import type { ImageHeader, Photometric } from './image-source.ts';
import type { TiffContext } from './tiff-level.ts';
import { TiffLevel } from './tiff-level.ts';

/** A TIFF whose directories have been read. */
export interface TiffFile {
  readonly header: ImageHeader;
  /** Full resolution first, then overviews from large to small, each with the mask of its size. */
  readonly levels: readonly { readonly level: TiffLevel; readonly mask: TiffLevel | null }[];
  readonly palette: Palette | null;
}

/** Directories read at most; a longer chain is a loop. */
const MAX_DIRECTORIES = 256;
/** geotiff.js reads this much while it does not know a length; only such a read may extend past the end of the file. */
const GUESSED_READ_BYTES = 4048;

const REDUCED = 1;
const MASK = 4;
const OLD_REDUCED = 2;

/**
 * Reads all directories of a TIFF and checks that its samples can be read.
 * @param memory limits the size of blocks and caches them
 * @throws {CorruptImageError | UnsupportedImageError | ComplexSamplesError | UnresolvableCrsError}
 */
export async function openTiff(bytes: ByteSource, memory: DecoderMemory): Promise<TiffFile> {
  try {
    const directories = await readDirectories(bytes);
    const kinds = directories.map(kindOf);
    const main = directories[0]!;
    const { cache, maxBytes } = memory;
    const key = cache.newOwner();
    const shared = { bytes, cache, key, maxBlockBytes: maxBytes / 2 };
    const open = (index: number): Promise<TiffLevel> => {
      const nodata = kinds[index] === 'MASK' ? null : main.getGDALNoData();
      return TiffLevel.open(directories[index]!, index, { ...shared, nodata } satisfies TiffContext);
    };
    const indices = [0, ...kinds.flatMap((kind, i) => (i > 0 && kind === 'REDUCED' ? [i] : []))];
    indices.sort((a, b) => directories[b]!.getWidth() - directories[a]!.getWidth());
    const levels = [];
    for (const index of indices) {
      const { width, height } = sizeOf(directories[index]!);
      const mask = directories.findIndex(
        (other, i) => kinds[i] === 'MASK' && other.getWidth() === width && other.getHeight() === height,
      );
      levels.push({ level: await open(index), mask: mask === -1 ? null : await open(mask) });
    }
    const header = await headerOf(main, levels);
    return { header, levels, palette: await paletteOf(main) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new CorruptImageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function readDirectories(bytes: ByteSource): Promise<GeoTIFFImage[]> {
  const tiff = await GeoTIFF.fromSource(new TiffSource(bytes));
  tiff.parser.eager = true; // geotiff.js reads deferred arrays as little-endian whatever the file is
  const directories: GeoTIFFImage[] = [];
  for (let next = -1; next !== 0 && directories.length < MAX_DIRECTORIES;) {
    const directory = await tiff.requestIFD(directories.length);
    directories.push(await tiff.getImage(directories.length));
    next = directory.nextIFDByteOffset;
  }
  return directories;
}

/** Adapts a byte source to geotiff.js, which does not notice truncation by itself. */
class TiffSource {
  constructor(private readonly bytes: ByteSource) {}

  get fileSize(): number {
    return this.bytes.sizeBytes;
  }

  async fetchSlice({ offset, length }: { offset: number; length: number }) {
    const { sizeBytes } = this.bytes;
    if (offset >= sizeBytes || (offset + length > sizeBytes && length > GUESSED_READ_BYTES)) {
      throw new CorruptImageError(`it refers to bytes ${offset} to ${offset + length}, but ends at ${sizeBytes}`);
    }
    const read = await this.bytes.read(offset, length);
    return { data: read.buffer, offset, length: read.length };
  }

  fetch(slices: { offset: number; length: number }[]): Promise<ArrayBufferLike[]> {
    return Promise.all(slices.map(async (slice) => (await this.fetchSlice(slice)).data));
  }

  async close(): Promise<void> {}
}

function kindOf(image: GeoTIFFImage): 'IMAGE' | 'REDUCED' | 'MASK' {
  const type = image.fileDirectory.getValue('NewSubfileType') ?? 0;
  if (type & MASK) return 'MASK';
  return type & REDUCED || image.fileDirectory.getValue('SubfileType') === OLD_REDUCED ? 'REDUCED' : 'IMAGE';
}

function sizeOf(image: GeoTIFFImage): { width: number; height: number } {
  const width = image.getWidth();
  const height = image.getHeight();
  if (!(width > 0 && height > 0)) throw new CorruptImageError(`its size is ${width} x ${height} pixels`);
  return { width, height };
}

const PHOTOMETRICS: Readonly<Record<number, Photometric>> = {
  0: 'WHITE_IS_ZERO',
  1: 'BLACK_IS_ZERO',
  2: 'RGB',
  3: 'PALETTE',
  5: 'CMYK',
  6: 'YCBCR',
};
const COLOUR_BANDS: Readonly<Record<Photometric, number>> = {
  WHITE_IS_ZERO: 1,
  BLACK_IS_ZERO: 1,
  RGB: 3,
  PALETTE: 1,
  CMYK: 4,
  YCBCR: 3,
};
const JPEG = 7;

function photometricOf(image: GeoTIFFImage): Photometric {
  const value: number = image.fileDirectory.getValue('PhotometricInterpretation') ?? 1;
  const photometric = PHOTOMETRICS[value];
  if (photometric === undefined) throw new UnsupportedImageError(`TIFF PhotometricInterpretation ${value}`);
  if (photometric === 'YCBCR' && image.fileDirectory.getValue('Compression') !== JPEG) {
    throw new UnsupportedImageError('YCbCr colours without JPEG compression');
  }
  return photometric;
}

async function headerOf(image: GeoTIFFImage, levels: TiffFile['levels']): Promise<ImageHeader> {
  const bands = image.getSamplesPerPixel();
  const photometric = photometricOf(image);
  const meanings = await bandMeanings(image, bands);
  const alpha = alphaBandOf(image, photometric, meanings);
  const nodata = image.getGDALNoData();
  return {
    format: 'GeoTIFF',
    widthPx: image.getWidth(),
    heightPx: image.getHeight(),
    bands,
    dtype: levels[0]!.level.dtype,
    bitsPerSample: image.getBitsPerSample(),
    photometric,
    alphaBand: alpha,
    hasMask: levels[0]!.mask !== null,
    nodata: nodata === null || Number.isNaN(nodata) ? null : nodata,
    crs: await crsOfTags(image),
    affine: affineOfTags(image),
    rgbBands: defaultBands(bands, photometric, alpha, meanings),
    overviews: levels.slice(1).map(({ level }) => ({ widthPx: level.widthPx, heightPx: level.heightPx })),
    acquiredAt: null,
    warnings: [],
  };
}

/** GDAL's colour interpretation of each band (`Red`, `NIR`, `Alpha`, …) where the file records it. */
async function bandMeanings(image: GeoTIFFImage, bands: number): Promise<(string | undefined)[]> {
  const meanings: (string | undefined)[] = [];
  for (let sample = 0; sample < bands; sample++) {
    const item = (await image.getGDALMetadata(sample))?.['COLORINTERP'];
    meanings.push(typeof item === 'string' ? item.toLowerCase() : undefined);
  }
  return meanings;
}

const ASSOCIATED_ALPHA = 1;
const UNASSOCIATED_ALPHA = 2;

function alphaBandOf(image: GeoTIFFImage, photometric: Photometric, meanings: readonly (string | undefined)[]) {
  const named = meanings.indexOf('alpha');
  if (named !== -1) return named + 1;
  const extra = Array.from((image.fileDirectory.getValue('ExtraSamples') ?? []) as ArrayLike<number>);
  const alpha = extra.findIndex((kind) => kind === ASSOCIATED_ALPHA || kind === UNASSOCIATED_ALPHA);
  const band = COLOUR_BANDS[photometric] + alpha + 1;
  const renamed = meanings[band - 1] !== undefined; // GDAL's interpretation takes precedence over TIFF's
  return alpha === -1 || renamed || band > image.getSamplesPerPixel() ? null : band;
}

function defaultBands(
  bands: number,
  photometric: Photometric,
  alphaBand: number | null,
  meanings: readonly (string | undefined)[],
): number[] {
  const named = ['red', 'green', 'blue'].map((colour) => meanings.indexOf(colour) + 1);
  if (named.every((band) => band > 0)) return named;
  if (photometric === 'PALETTE') return [1];
  const colours = Array.from({ length: bands }, (_, i) => i + 1).filter((band) => band !== alphaBand);
  return colours.length >= 3 ? colours.slice(0, 3) : colours.slice(0, 1);
}

/** TIFF stores palettes as all reds, greens, then blues, 16 bits each. */
async function paletteOf(image: GeoTIFFImage): Promise<Palette | null> {
  const map = (await image.fileDirectory.loadValue('ColorMap')) as ArrayLike<number> | undefined;
  if (!map) return null;
  const colours = map.length / 3;
  return Uint8Array.from({ length: map.length }, (_, i) => map[(i % 3) * colours + Math.floor(i / 3)]! >> 8);
}
