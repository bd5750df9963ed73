import sharp from 'sharp';
import { AppError } from '../errors.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';

const MAX_PNG_PIXELS = 100_000_000;

/** The mask exceeds the pixel limit of PNG output. */
export class MaskTooLargeForPngError extends AppError {
  readonly code = 'MASK_TOO_LARGE';
  constructor(widthPx: number, heightPx: number) {
    super(
      `The mask has ${widthPx} x ${heightPx} pixels; the limit of mask.png is ${MAX_PNG_PIXELS / 1e6} million. ` +
        'Use mask.tif or overlay.png, which have no such limit.',
    );
  }
}

/**
 * Writes the mask at full resolution as an 8-bit grey PNG: 255 inside, 0 outside.
 * @throws {MaskTooLargeForPngError} above 100 million pixels, which are held in memory during compression
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
function maskBand(mask: MaskRuns, y: number, rowCount: number): Uint8Array {
  const pixels = mask.toBytes(y, rowCount);
  for (let i = 0; i < pixels.length; i++) if (pixels[i] === 1) pixels[i] = 255;
  return pixels;
}
