import type { Affine } from '../raster/affine.ts';
import type { BandStretch } from '../raster/stretch.ts';
import type { PixelWindow } from '../raster/window.ts';
import type { BandShow } from './band-show.ts';
import type { Collar, ReducedBands } from './collar.ts';

/** Colour model of the samples, named after TIFF's PhotometricInterpretation for every format. */
export type Photometric = 'WHITE_IS_ZERO' | 'BLACK_IS_ZERO' | 'RGB' | 'PALETTE' | 'CMYK' | 'YCBCR';

/** Image metadata, known without decoding any pixel. */
export interface ImageHeader {
  readonly format: 'GeoTIFF' | 'PNG' | 'JPEG' | 'WebP';
  /** Size in the scene frame, after EXIF orientation. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bands: number;
  /** `uint8`, `int16`, `float32`, … */
  readonly dtype: string;
  readonly bitsPerSample: number;
  readonly photometric: Photometric;
  /** 1-based number of the alpha band; null when there is none. */
  readonly alphaBand: number | null;
  /** Whether a mask of valid pixels accompanies the bands. */
  readonly hasMask: boolean;
  readonly nodata: number | null;
  /** As in {@link Scene.crs}. */
  readonly crs: string | null;
  readonly affine: Affine | null;
  /** Bands displayed by default: by colour interpretation, else the first three, else the first. */
  readonly rgbBands: readonly number[];
  /** Sizes of the overviews, largest first. */
  readonly overviews: readonly { readonly widthPx: number; readonly heightPx: number }[];
  readonly acquiredAt: Date | null;
  /** What was found beside the image and not used, one sentence each. */
  readonly warnings: readonly string[];
}

/** The RGB pixels of a scene window. */
export interface RgbWindow {
  /** HWC uint8, 3 channels, row-major. */
  readonly rgb: Uint8Array;
  /** HW, row-major: 1 where the image has data, 0 where alpha, mask or nodata exclude it. */
  readonly valid: Uint8Array;
}

/** An open image of any format. Closing it releases its file handles. */
export interface ImageSource {
  readonly header: ImageHeader;
  /**
   * Reads a window of the scene, resampled to `outWidthPx` x `outHeightPx`. Reads only the blocks that the window needs,
   * from an overview where one has enough pixels for the requested size.
   * @param window scene frame; must lie inside the scene
   * @param show bands and stretch, usually those recorded on the scene
   * @throws {CorruptImageError} when the bytes of the window cannot be decoded
   * @throws {WindowOutsideImageError} when the window extends beyond the image
   */
  readRgb(window: PixelWindow, outWidthPx: number, outHeightPx: number, show: BandShow): Promise<RgbWindow>;
  /**
   * How the samples of these bands become bytes: bytes are shown unchanged, fewer bits over their whole range, more bits
   * between percentiles of a sample of the image.
   * @param rgbBands 1-based bands to show
   * @param collar of these bands, which does not count
   * @returns one stretch per band; null for bytes and palettes
   */
  stretch(rgbBands: readonly number[], collar?: Collar | null): Promise<BandStretch[] | null>;
  /**
   * Fill around the picture of an image without nodata, mask or alpha; null where there is none, or where the image is too large
   * to look for it.
   * @param rgbBands 1-based bands to show
   */
  collar(rgbBands: readonly number[]): Promise<Collar | null>;
  close(): Promise<void>;
}

/** Reader of one file format. */
export interface ImageReader extends Omit<ImageSource, 'stretch' | 'collar'> {
  /**
   * Samples valid pixels across the whole image, for statistics: from the smallest overview that has enough, else from
   * a bounded sample at full resolution.
   * @param bands 1-based
   * @param maxPixels maximum number of pixels to decode per band
   * @param collar of these bands, which does not count
   * @returns unordered values per requested band; empty when no pixel is valid
   */
  sampleBands(bands: readonly number[], maxPixels: number, collar?: Collar | null): Promise<Float64Array[]>;
  /**
   * Values of pixels at even distances over the whole image, none of them a mean of others but for overviews.
   * @param bands 1-based
   * @param maxSidePx of the result
   * @returns null for an image that takes too long to read whole
   */
  reduced(bands: readonly number[], maxSidePx: number): Promise<ReducedBands | null>;
}
