import type { ByteSource } from './byte-source.ts';
import { openFileSource } from './byte-source.ts';
import { GeoTiffImage } from './geotiff-image.ts';
import { UnknownFormatError } from './image-errors.ts';
import type { ImageHeader, ImageSource } from './image-source.ts';
import { PictureImage } from './picture-image.ts';
import { readSidecars } from './sidecars.ts';

/**
 * Opens a local image file. The format follows from the first bytes, never from the name. World files beside the image
 * apply when the file itself has no geotransform.
 * @param maxPixels pixel limit, checked against the header before decoding
 * @throws {UnknownFormatError | TooManyPixelsError | CorruptImageError | UnsupportedImageError | ComplexSamplesError}
 * @throws {UnresolvableCrsError | WorldFileError}
 */
export async function openImage(path: string, maxPixels: number): Promise<ImageSource> {
  const bytes = await openFileSource(path);
  const format = await sniff(bytes);
  if (format === 'GeoTIFF') {
    const image = await GeoTiffImage.open(bytes, maxPixels);
    return image.header.affine ? image : withPlace(image, path);
  }
  await bytes.close();
  return withPlace(await PictureImage.open(path, format, maxPixels), path);
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
  if (TIFF.some(startsWith)) return 'GeoTIFF';
  if (startsWith(PNG)) return 'PNG';
  if (startsWith(JPEG)) return 'JPEG';
  const text = Buffer.from(first).toString('latin1');
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'WebP';
  throw new UnknownFormatError();
}

async function withPlace(image: ImageSource, path: string): Promise<ImageSource> {
  try {
    const { affine, crs } = await readSidecars(path, image.header.widthPx, image.header.heightPx);
    if (!affine) return image;
    return {
      header: { ...image.header, affine, crs: image.header.crs ?? crs },
      readRgb: (window, outWidthPx, outHeightPx, show) => image.readRgb(window, outWidthPx, outHeightPx, show),
      sampleBands: (bands, maxPixels) => image.sampleBands(bands, maxPixels),
      close: () => image.close(),
    };
  } catch (error) {
    await image.close();
    throw error;
  }
}
