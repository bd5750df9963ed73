import { AppError } from '../errors.ts';
import type { PixelWindow } from '../raster/window.ts';

/** The file is not an image, or not in a supported format. */
export class UnknownFormatError extends AppError {
  readonly code = 'IMAGE_FORMAT_UNKNOWN';
  constructor() {
    super('The file is not a GeoTIFF, PNG, JPEG or WebP image.');
  }
}

/** Samples are complex numbers (radar before detection), which cannot be shown as grey or colour. */
export class ComplexSamplesError extends AppError {
  readonly code = 'IMAGE_COMPLEX_SAMPLES';
  constructor(readonly dtype: string) {
    super(`Samples are complex numbers (${dtype}). Register an amplitude or intensity image instead.`);
  }
}

/** The image exceeds the pixel limit; known from the header, before decoding. */
export class TooManyPixelsError extends AppError {
  readonly code = 'IMAGE_TOO_MANY_PIXELS';
  constructor(
    readonly widthPx: number,
    readonly heightPx: number,
    readonly maxPixels: number,
  ) {
    super(`The image has ${widthPx} x ${heightPx} = ${widthPx * heightPx} pixels; the limit is ${maxPixels}.`, {
      details: { value: widthPx * heightPx, limit: maxPixels },
    });
  }
}

/** Decoding needs more memory than the server allows. */
export class DecoderMemoryError extends AppError {
  readonly code = 'IMAGE_MEMORY_EXCEEDED';
  /** @param neededBytes null when the decoder was stopped at the limit */
  constructor(
    readonly what: string,
    readonly neededBytes: number | null,
    readonly maxBytes: number,
  ) {
    const needed = neededBytes === null ? 'more memory than the server allows' : `${inMib(neededBytes)} MiB of memory`;
    super(`Decoding ${what} needs ${needed}; the limit is ${inMib(maxBytes)} MiB (TERRAQL_DECODER_MEMORY_MB).`);
  }
}

function inMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}

/** Decoding takes longer than the server allows. */
export class DecoderTimeError extends AppError {
  readonly code = 'IMAGE_TIME_EXCEEDED';
  constructor(readonly maxS: number) {
    super(`Decoding the image exceeded the limit of ${maxS} s (TERRAQL_DECODER_TIMEOUT_S).`);
  }
}

/** The process that decoded the image ended unexpectedly. */
export class DecoderEndedError extends AppError {
  readonly code = 'IMAGE_DECODER_ENDED';
  constructor(readonly how: string) {
    super(`The decoder process ended unexpectedly (${how}).`);
  }
}

/** The requested band does not exist. */
export class BandNotFoundError extends AppError {
  readonly code = 'BAND_NOT_FOUND';
  constructor(
    readonly band: number,
    readonly bands: number,
  ) {
    super(`Band ${band} does not exist; the image has bands 1 to ${bands}.`);
  }
}

/** The window is empty or extends beyond the image. */
export class WindowOutsideImageError extends AppError {
  readonly code = 'WINDOW_OUTSIDE_IMAGE';
  constructor(
    readonly window: PixelWindow,
    readonly widthPx: number,
    readonly heightPx: number,
  ) {
    const { x, y, width, height } = window;
    super(`Window x ${x}, y ${y}, ${width} x ${height} is not inside the image of ${widthPx} x ${heightPx} pixels.`);
  }
}

/** Longest side of an image, pixels, whatever the limit of all pixels: no mask and no column holds a longer one. */
const MAX_SIDE_PX = 2 ** 26;

/** A side of the image is longer than any that can be worked on. */
class SideTooLongError extends AppError {
  readonly code = 'IMAGE_TOO_MANY_PIXELS';
  constructor(widthPx: number, heightPx: number) {
    super(`The image has ${widthPx} x ${heightPx} pixels; the limit of a side is ${MAX_SIDE_PX}.`);
  }
}

/** @throws {TooManyPixelsError | SideTooLongError} when the image is larger than the limits */
export function checkPixels(widthPx: number, heightPx: number, maxPixels: number): void {
  if (Math.max(widthPx, heightPx) > MAX_SIDE_PX) throw new SideTooLongError(widthPx, heightPx);
  if (widthPx * heightPx > maxPixels) throw new TooManyPixelsError(widthPx, heightPx, maxPixels);
}

/** @throws {WindowOutsideImageError} when the window is empty, fractional, or extends beyond the image */
export function checkWindow(window: PixelWindow, widthPx: number, heightPx: number): void {
  const { x, y, width, height } = window;
  const whole = [x, y, width, height].every(Number.isInteger);
  if (!whole || x < 0 || y < 0 || width < 1 || height < 1 || x + width > widthPx || y + height > heightPx) {
    throw new WindowOutsideImageError(window, widthPx, heightPx);
  }
}

/** @throws {BandNotFoundError} for the first band that is not between 1 and `bands` */
export function checkBands(asked: readonly number[], bands: number): void {
  for (const band of asked) {
    if (!Number.isInteger(band) || band < 1 || band > bands) throw new BandNotFoundError(band, bands);
  }
}
