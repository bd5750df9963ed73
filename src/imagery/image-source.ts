import type { Affine } from '../raster/affine.ts';
import type { PixelWindow } from '../raster/window.ts';
import type { BandShow } from './band-show.ts';

/** How the samples of a pixel are meant: TIFF's PhotometricInterpretation, and the same words for other formats. */
export type Photometric = 'WHITE_IS_ZERO' | 'BLACK_IS_ZERO' | 'RGB' | 'PALETTE' | 'CMYK' | 'YCBCR';

/** What a file says about itself before any pixel is decoded. */
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
  /** 1-based number of the band that holds opacity; null when there is none. */
  readonly alphaBand: number | null;
  /** Whether the file has a mask of valid pixels beside its bands. */
  readonly hasMask: boolean;
  readonly nodata: number | null;
  /** As in {@link Scene.crs}. */
  readonly crs: string | null;
  readonly affine: Affine | null;
  /** Bands to show unless the caller picks others: by colour interpretation, else the first three, else the first. */
  readonly rgbBands: readonly number[];
  /** Sizes of the reduced copies inside the file, largest first. */
  readonly overviews: readonly { readonly widthPx: number; readonly heightPx: number }[];
  readonly acquiredAt: Date | null;
}

/** A picture of a scene window. */
export interface RgbWindow {
  /** HWC uint8, 3 channels, row-major. */
  readonly rgb: Uint8Array;
  /** HW, row-major: 1 where the image has data, 0 where alpha, mask or nodata says it has none. */
  readonly valid: Uint8Array;
}

/** An open image: the port behind which file formats live. Closing releases its file handles. */
export interface ImageSource {
  readonly header: ImageHeader;
  /**
   * Picture of a window of the scene, resampled to `outWidthPx` x `outHeightPx`. Reads no more of the file than the
   * window needs, and a reduced copy where one has enough pixels for the asked size.
   * @param window scene frame; must lie inside the scene
   * @param show bands and stretch, usually those recorded on the scene
   * @throws {CorruptImageError} when the bytes of the window cannot be decoded
   * @throws {WindowOutsideImageError} when the window leaves the image
   */
  readRgb(window: PixelWindow, outWidthPx: number, outHeightPx: number, show: BandShow): Promise<RgbWindow>;
  /**
   * Values of valid pixels spread over the whole image, for statistics: from the smallest reduced copy that has enough,
   * else from a bounded sample of the full resolution.
   * @param bands 1-based
   * @param maxPixels most pixels to decode in a band
   * @returns for each asked band its values in no particular order; empty when no pixel is valid
   */
  sampleBands(bands: readonly number[], maxPixels: number): Promise<Float64Array[]>;
  close(): Promise<void>;
}
