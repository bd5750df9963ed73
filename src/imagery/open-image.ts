import type { ByteSource } from './byte-source.ts';
import { openFileSource } from './byte-source.ts';
import { decoderMemory, type DecoderMemory } from './decoder-memory.ts';
import { turnedAffine } from './exif-orientation.ts';
import { type Collar, collarOf } from './collar.ts';
import { GeoTiffImage } from './geotiff-image.ts';
import { UnknownFormatError } from './image-errors.ts';
import type { ImageHeader, ImageReader, ImageSource } from './image-source.ts';
import { PictureImage } from './picture-image.ts';
import { readSidecars } from './sidecars.ts';
import { stretchOf } from './stretch-of.ts';

/**
 * Opens an image of which only ranges are at hand, which must be a TIFF. Nothing lies beside it.
 * @throws as {@link openImage}
 */
export async function openRanges(
  bytes: ByteSource,
  maxPixels: number,
  memory: DecoderMemory = decoderMemory(),
): Promise<ImageSource & ImageReader> {
  const image = await GeoTiffImage.open(bytes, maxPixels, memory);
  return withHeader(image, image.header);
}

/** Whether a file that begins with these bytes is a TIFF or a BigTIFF. */
export function isTiff(first: Uint8Array): boolean {
  return TIFF.some((magic) => magic.every((byte, i) => first[i] === byte));
}

/**
 * Opens a local image file in this process. The format follows from the first bytes, never from the name. Files beside
 * the image give its georeference as GDAL reads it: `.aux.xml` first for GeoTIFF, world files where there is none inside.
 * @param maxPixels pixel limit, checked against the header before decoding
 * @param memory limit of what decoding may hold, also checked against the header where the format tells
 * @throws {UnknownFormatError | TooManyPixelsError | DecoderMemoryError | CorruptImageError}
 * @throws {UnsupportedImageError | ComplexSamplesError | UnresolvableCrsError | WorldFileError}
 */
export async function openImage(
  path: string,
  maxPixels: number,
  memory: DecoderMemory = decoderMemory(),
): Promise<ImageSource & ImageReader> {
  const bytes = await openFileSource(path);
  const format = await sniff(bytes);
  if (format === 'GeoTIFF') {
    const image = await GeoTiffImage.open(bytes, maxPixels, memory);
    return closedOnError(image, async () => withHeader(image, await headerOfTiff(image.header, path)));
  }
  await bytes.close();
  const image = await PictureImage.open(path, format, maxPixels, memory);
  return closedOnError(image, async () => withHeader(image, await headerOfPicture(image, path)));
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];
/** Byte order, then 42 or 43 for BigTIFF. */
const TIFF = ['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].map((text) => [...Buffer.from(text, 'latin1')]);

async function sniff(bytes: ByteSource): Promise<ImageHeader['format']> {
  try {
    return formatOf(await bytes.read(0, 12));
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

function formatOf(first: Uint8Array): ImageHeader['format'] {
  const startsWith = (magic: readonly number[]): boolean => magic.every((byte, i) => first[i] === byte);
  if (isTiff(first)) return 'GeoTIFF';
  if (startsWith(PNG)) return 'PNG';
  if (startsWith(JPEG)) return 'JPEG';
  const text = Buffer.from(first).toString('latin1');
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'WebP';
  throw new UnknownFormatError();
}

/** `.aux.xml` goes before the tags, and they before a world file: the default of `GDAL_GEOREF_SOURCES`. */
async function headerOfTiff(header: ImageHeader, path: string): Promise<ImageHeader> {
  const { world, pam, warnings } = await readSidecars(path, 'GeoTIFF', header.widthPx, header.heightPx);
  const own = { affine: pam.affine ?? header.affine, crs: pam.crs ?? header.crs };
  if (own.affine) return { ...header, ...own, warnings };
  return { ...header, affine: world?.affine ?? null, crs: own.crs ?? world?.crs ?? null, warnings };
}

/** A world file goes before `.aux.xml`, as in GDAL's drivers of these formats. */
async function headerOfPicture({ header, stored }: PictureImage, path: string): Promise<ImageHeader> {
  const { widthPx, heightPx, orientation } = stored;
  const { world, pam, warnings } = await readSidecars(path, header.format, widthPx, heightPx);
  const { affine, crs } = world ?? pam;
  return { ...header, affine: affine && turnedAffine(affine, orientation, widthPx, heightPx), crs, warnings };
}

function withHeader(image: ImageReader, header: ImageHeader): ImageSource & ImageReader {
  return {
    header,
    readRgb: (window, outWidthPx, outHeightPx, show) => image.readRgb(window, outWidthPx, outHeightPx, show),
    stretch: (rgbBands, collar) => stretchOf(image, rgbBands, collar),
    collar: (rgbBands) => findCollar(image, rgbBands),
    sampleBands: (bands, maxPixels, collar) => image.sampleBands(bands, maxPixels, collar),
    reduced: (bands, maxSidePx) => image.reduced(bands, maxSidePx),
    close: () => image.close(),
  };
}

async function closedOnError<T>(image: ImageReader, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await image.close();
    throw error;
  }
}

/** Side of the reduced image in which a collar is looked for, pixels. */
const REDUCED_PX = 1024;
/** Noise of lossy compression in an even fill, and how far it reaches from the picture, pixels: the side of a block. */
const LOSSY_TOLERANCE = 8;
const LOSSY_BLOCK_PX = 8;
/** What programs fill with, by the type of samples; other types: as `float32`. */
const FILLS: Readonly<Record<string, readonly number[]>> = {
  uint8: [0, 255],
  uint16: [0, 65_535],
  int16: [0, -32_768, -9999],
  float32: [0, -9999],
};

/** Implements {@link ImageSource.collar}: only images that say nothing of data themselves have one. */
async function findCollar(image: ImageReader, rgbBands: readonly number[]): Promise<Collar | null> {
  const { format, widthPx, heightPx, dtype, bitsPerSample, photometric, alphaBand, hasMask, nodata } = image.header;
  if (nodata !== null || alphaBand !== null || hasMask) return null;
  if (photometric === 'PALETTE' || photometric === 'CMYK' || bitsPerSample < 8) return null;
  const isLossy = format === 'JPEG' || format === 'WebP';
  const sidePx = isLossy ? Math.ceil(Math.max(widthPx, heightPx) / LOSSY_BLOCK_PX) : REDUCED_PX;
  const reduced = await image.reduced(rgbBands, Math.min(REDUCED_PX, sidePx));
  const tolerance = isLossy ? LOSSY_TOLERANCE : 0;
  return reduced && collarOf(reduced, FILLS[dtype] ?? FILLS['float32']!, tolerance, image.header);
}
