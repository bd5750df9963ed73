import { type BandStretch, stretchToBytes } from '../raster/stretch.ts';
import type { Photometric } from './image-source.ts';
import type { BandShow } from './band-show.ts';

/** Colour table of up to 256 entries, interleaved RGB bytes. */
export type Palette = Uint8Array;

/**
 * Converts bands to RGB bytes: applies the stretch, looks up the palette, repeats grey, converts CMYK and inverts
 * white-is-zero.
 * @param bands values of the displayed bands (all four for CMYK), equal in length
 * @param show one or three bands; one for a palette image
 * @returns HWC uint8
 */
export function toRgb(
  bands: readonly ArrayLike<number>[],
  show: BandShow,
  photometric: Photometric,
  palette: Palette | null,
): Uint8Array {
  const pixels = bands[0]!.length;
  const rgb = new Uint8Array(pixels * 3);
  if (photometric === 'PALETTE' && palette) return lookUp(bands[0]!, palette, rgb);
  const bytes = bands.map((band, i) => asBytes(band, show.stretch?.[i]));
  const invert = photometric === 'WHITE_IS_ZERO' ? 255 : 0;
  const black = photometric === 'CMYK' ? bytes[3] : undefined;
  for (let channel = 0; channel < 3; channel++) {
    const band = bytes.length === 1 ? bytes[0]! : bytes[channel]!;
    if (black) for (let i = 0; i < pixels; i++) rgb[i * 3 + channel] = ((255 - band[i]!) * (255 - black[i]!)) / 255;
    else for (let i = 0; i < pixels; i++) rgb[i * 3 + channel] = band[i]! ^ invert;
  }
  return rgb;
}

function asBytes(band: ArrayLike<number>, stretch: BandStretch | undefined): ArrayLike<number> {
  return stretch ? stretchToBytes(band, stretch) : band;
}

function lookUp(indices: ArrayLike<number>, palette: Palette, rgb: Uint8Array): Uint8Array {
  for (let i = 0; i < indices.length; i++) {
    const colour = indices[i]! * 3;
    for (let channel = 0; channel < 3; channel++) rgb[i * 3 + channel] = palette[colour + channel] ?? 0;
  }
  return rgb;
}

/**
 * Valid pixels: not NaN or nodata in every band, not fully transparent, not masked out.
 * @param nodata compared at the precision of the band
 * @param opacity alpha bands and masks; 0 is transparent
 * @returns 1 or 0 per pixel
 */
export function validity(
  bands: readonly ArrayLike<number>[],
  nodata: number | null,
  opacity: readonly ArrayLike<number>[],
): Uint8Array {
  const pixels = bands[0]!.length;
  const valid = new Uint8Array(pixels);
  for (const band of bands) {
    if (nodata === null && band instanceof Uint8Array) valid.fill(1);
    else markData(valid, band, nodata !== null && band instanceof Float32Array ? Math.fround(nodata) : nodata);
  }
  for (const alpha of opacity) for (let i = 0; i < pixels; i++) if (!(alpha[i]! > 0)) valid[i] = 0;
  return valid;
}

/** Marks pixels in which the band is neither NaN nor nodata. */
function markData(valid: Uint8Array, band: ArrayLike<number>, empty: number | null): void {
  for (let i = 0; i < valid.length; i++) if (!Number.isNaN(band[i]!) && band[i] !== empty) valid[i] = 1;
}
