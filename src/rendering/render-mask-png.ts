import sharp from 'sharp';
import { AppError } from '../errors.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';

const MAX_PNG_PIXELS = 100_000_000;

/** A mask has more pixels than a PNG of it is drawn for. */
export class MaskTooLargeForPngError extends AppError {
  readonly code = 'MASK_TOO_LARGE';
  constructor(widthPx: number, heightPx: number) {
    super(
      `a mask of ${widthPx} x ${heightPx} pixels is not drawn as PNG: the most is ${MAX_PNG_PIXELS / 1e6} million pixels; ` +
        'mask.tif and overlay.png have no such limit',
    );
  }
}

/**
 * The mask at full size as an 8-bit grey PNG: 255 inside, 0 outside.
 * @throws {MaskTooLargeForPngError} above 100 million pixels, which are held in memory once while they are compressed
 */
export async function renderMaskPng(mask: MaskRuns): Promise<Buffer> {
  const { widthPx, heightPx } = mask;
  if (widthPx * heightPx > MAX_PNG_PIXELS) throw new MaskTooLargeForPngError(widthPx, heightPx);
  const pixels = maskBand(mask, 0, heightPx);
  return sharp(pixels, { raw: { width: widthPx, height: heightPx, channels: 1 }, limitInputPixels: MAX_PNG_PIXELS })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** Rows `y` to `y + rowCount` of the mask as pixels: 255 inside, 0 outside, row-major. */
export function maskBand(mask: MaskRuns, y: number, rowCount: number): Uint8Array {
  const pixels = mask.toBytes(y, rowCount);
  for (let i = 0; i < pixels.length; i++) if (pixels[i] === 1) pixels[i] = 255;
  return pixels;
}
