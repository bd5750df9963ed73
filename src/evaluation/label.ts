import sharp from 'sharp';
import { type LabelledSample, SampleError } from './labelled-dataset.ts';

/** A sample's label in the frame of its image. */
export interface Label {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row-major: 1 where the target is. */
  readonly target: Uint8Array;
  /** Row-major: 1 where the pixel counts. */
  readonly counts: Uint8Array;
}

/**
 * Reads the label of a sample.
 * @param widthPx of the image
 * @param heightPx of the image
 * @throws {SampleError} when a mask cannot be read, has more than 8 bits, or another size than the image
 */
export async function readLabel(sample: LabelledSample, widthPx: number, heightPx: number): Promise<Label> {
  const pixels = widthPx * heightPx;
  const target = sample.mask === null ? new Uint8Array(pixels) : await readMask(sample.mask, widthPx, heightPx);
  const unlabelled = sample.unlabelled === null ? null : await readMask(sample.unlabelled, widthPx, heightPx);
  const counts = new Uint8Array(pixels).fill(1);
  if (unlabelled !== null) counts.forEach((_, pixel) => (counts[pixel] = 1 - unlabelled[pixel]!));
  return { widthPx, heightPx, target, counts };
}

/** 1 where any colour channel is not 0; alpha is ignored. */
async function readMask(file: string, widthPx: number, heightPx: number): Promise<Uint8Array> {
  const { data, width, height, channels } = await decode(file);
  if (width !== widthPx || height !== heightPx) {
    throw new SampleError(`${file} is ${width} x ${height} pixels, the image ${widthPx} x ${heightPx}`);
  }
  const mask = new Uint8Array(width * height);
  for (let pixel = 0; pixel < mask.length; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      if (data[pixel * channels + channel] !== 0) mask[pixel] = 1;
    }
  }
  return mask;
}

async function decode(file: string) {
  try {
    const image = sharp(file, { limitInputPixels: false });
    const { depth } = await image.metadata();
    if (depth === 'uchar') {
      const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return { data, width: info.width, height: info.height, channels: info.channels };
    }
    throw new SampleError(`${file} has samples of type ${depth}; a mask has at most 8 bits`);
  } catch (error) {
    if (error instanceof SampleError) throw error;
    throw new SampleError(`${file} cannot be read as an image: ${(error as Error).message}`, { cause: error });
  }
}
