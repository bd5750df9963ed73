import { AppError } from '../errors.ts';
import type { PixelWindow } from '../raster/window.ts';

/** Bytes that are no image, or of no format that is read here. */
export class UnknownFormatError extends AppError {
  readonly code = 'IMAGE_FORMAT_UNKNOWN';
  constructor(readonly firstBytes: Uint8Array) {
    super(`the file begins with bytes ${Buffer.from(firstBytes).toString('hex')}: not GeoTIFF, PNG, JPEG or WebP`);
  }
}

/** The file is what it says it is, but its bytes end early or contradict each other. */
export class CorruptImageError extends AppError {
  readonly code = 'IMAGE_CORRUPT';
  constructor(
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(`the image file is damaged: ${what}`, options);
  }
}

/** The file is sound, but uses something that is not read here. */
export class UnsupportedImageError extends AppError {
  readonly code = 'IMAGE_UNSUPPORTED';
  constructor(readonly what: string) {
    super(`the image uses ${what}, which is not supported`);
  }
}

/** Samples are complex numbers (radar before detection): there is no picture to show. */
export class ComplexSamplesError extends AppError {
  readonly code = 'IMAGE_COMPLEX_SAMPLES';
  constructor(readonly dtype: string) {
    super(`samples are complex numbers (${dtype}); register an amplitude or intensity image instead`);
  }
}

/** More pixels than the server is set to take; known from the header, before anything is decoded. */
export class TooManyPixelsError extends AppError {
  readonly code = 'IMAGE_TOO_MANY_PIXELS';
  constructor(
    readonly widthPx: number,
    readonly heightPx: number,
    readonly maxPixels: number,
  ) {
    super(`the image has ${widthPx} x ${heightPx} = ${widthPx * heightPx} pixels; the most is ${maxPixels}`);
  }
}

/** A band number that the image does not have. */
export class BandNotFoundError extends AppError {
  readonly code = 'BAND_NOT_FOUND';
  constructor(
    readonly band: number,
    readonly bands: number,
  ) {
    super(`band ${band} was asked for; the image has bands 1 to ${bands}`);
  }
}

/** A window that leaves the image, or is empty. */
export class WindowOutsideImageError extends AppError {
  readonly code = 'WINDOW_OUTSIDE_IMAGE';
  constructor(
    readonly window: PixelWindow,
    readonly widthPx: number,
    readonly heightPx: number,
  ) {
    const { x, y, width, height } = window;
    super(`window x ${x}, y ${y}, ${width} x ${height} is not inside the image of ${widthPx} x ${heightPx} pixels`);
  }
}

/** @throws {TooManyPixelsError} when the image is larger than the limit */
export function checkPixels(widthPx: number, heightPx: number, maxPixels: number): void {
  if (widthPx * heightPx > maxPixels) throw new TooManyPixelsError(widthPx, heightPx, maxPixels);
}

/** @throws {WindowOutsideImageError} when the window is empty, not of whole pixels, or leaves the image */
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
