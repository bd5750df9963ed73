import sharp from 'sharp';

export const PICTURE_FORMATS = ['webp', 'png', 'jpg'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/**
 * Encodes a square picture. JPEG has no transparency: it is white there, as paper.
 * @param pixels HWC uint8, four channels, `sidePx` on a side
 * @param isFlat few colours with sharp edges, which are kept as they are
 */
export function encodePicture(
  pixels: Uint8ClampedArray,
  sidePx: number,
  format: PictureFormat,
  isFlat = false,
): Promise<Buffer> {
  const drawn = sharp(pixels, { raw: { width: sidePx, height: sidePx, channels: 4 } });
  const image = isOpaque(pixels) ? drawn.removeAlpha() : drawn;
  if (format === 'png') return image.png({ compressionLevel: 6 }).toBuffer();
  if (format === 'jpg') return image.flatten({ background: '#ffffff' }).jpeg({ quality: 85 }).toBuffer();
  return image.webp(isFlat ? { lossless: true, effort: 1 } : { quality: 80, effort: 2 }).toBuffer();
}

/** Whether there is nothing transparent: the picture needs three channels only. */
function isOpaque(pixels: Uint8ClampedArray): boolean {
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 255) return false;
  return true;
}
