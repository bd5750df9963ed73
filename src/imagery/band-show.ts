import type { BandStretch } from '../raster/stretch.ts';

/** How a scene's bands become a picture. */
export interface BandShow {
  /** One 1-based band number for grey, three for red, green, blue. A palette image has its one band. */
  readonly rgbBands: readonly number[];
  /** One stretch for each of `rgbBands`; null when the values are bytes to be shown as they are. */
  readonly stretch: readonly BandStretch[] | null;
}
