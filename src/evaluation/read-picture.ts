import { openImage } from '../imagery/open-image.ts';

/** An image, reduced if it is too large. */
export interface Picture {
  /** HWC uint8, 3 channels. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Size of the image itself. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * Reads an image file as the service shows it.
 * @param longSidePx largest long side of the result
 * @param maxPixels largest number of pixels of the file
 * @throws what `openImage` throws of a file that is not an image or is too large
 */
export async function readPicture(file: string, longSidePx: number, maxPixels: number): Promise<Picture> {
  const image = await openImage(file, maxPixels);
  try {
    const { widthPx, heightPx, rgbBands } = image.header;
    const scale = Math.min(1, longSidePx / Math.max(widthPx, heightPx));
    const width = Math.max(1, Math.round(widthPx * scale));
    const height = Math.max(1, Math.round(heightPx * scale));
    const show = { rgbBands, stretch: await image.stretch(rgbBands) };
    const { rgb } = await image.readRgb({ x: 0, y: 0, width: widthPx, height: heightPx }, width, height, show);
    return { rgb, width, height, widthPx, heightPx };
  } finally {
    await image.close();
  }
}
