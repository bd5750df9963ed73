import type { BandStretch } from '../raster/stretch.ts';
import type { Collar } from './collar.ts';

/** How the bands of a scene are displayed. */
export interface BandShow {
  /** 1-based band numbers: one for grey or palette, three for red, green, blue. */
  readonly rgbBands: readonly number[];
  /** One stretch per band in `rgbBands`; null when values are bytes that need none. */
  readonly stretch: readonly BandStretch[] | null;
  /** Fill around the picture, which is no data; absent or null: none. */
  readonly collar?: Collar | null;
}
