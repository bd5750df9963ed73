import { type BandStretch, percentileStretch } from '../raster/stretch.ts';
import type { Collar } from './collar.ts';
import type { ImageReader } from './image-source.ts';

/** Maximum number of pixels decoded per band to find the stretch of an image. */
const STRETCH_SAMPLE_PIXELS = 2 ** 20;

/** Implements {@link ImageSource.stretch} by sampling. */
export async function stretchOf(
  image: ImageReader,
  rgbBands: readonly number[],
  collar: Collar | null = null,
): Promise<BandStretch[] | null> {
  const { dtype, bitsPerSample, photometric } = image.header;
  if (photometric === 'PALETTE' || (dtype === 'uint8' && bitsPerSample === 8)) return null;
  if (bitsPerSample < 8) return rgbBands.map(() => ({ min: 0, max: 2 ** bitsPerSample - 1 }));
  const samples = await image.sampleBands(rgbBands, STRETCH_SAMPLE_PIXELS, collar);
  return samples.map((values) => percentileStretch(values) ?? { min: 0, max: 0 }); // no valid pixel: nothing to show
}
