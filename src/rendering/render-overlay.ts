import sharp from 'sharp';
import type { ImageSource } from '../imagery/image-source.ts';
import type { BandShow } from '../imagery/band-show.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';

/** Maximum long side of the overlay, pixels; smaller scenes keep their size. */
const MAX_SIDE_PX = 1600;
type Colour = readonly [red: number, green: number, blue: number];
/** Colours that stand out from vegetation, soil, water and roofs; repeated when there are more masks. */
const COLOURS: readonly Colour[] = [
  [255, 0, 170],
  [255, 225, 0],
  [0, 229, 255],
  [255, 115, 0],
];
const FILL_OPACITY = 0.3;

/**
 * Draws masks over the scene as an RGBA PNG of at most 1600 pixels on its long side. Each mask has a colour of its own,
 * with a translucent fill and a solid outline. The PNG is transparent where the scene has no data.
 * @param masks of the whole scene, later ones on top
 * @throws what reading the scene throws
 */
export async function renderOverlayPng(
  source: ImageSource,
  show: BandShow,
  masks: readonly MaskRuns[],
): Promise<Buffer> {
  const { widthPx, heightPx } = source.header;
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(widthPx, heightPx));
  const width = Math.max(1, Math.round(widthPx * scale));
  const height = Math.max(1, Math.round(heightPx * scale));
  const { rgb, valid } = await source.readRgb({ x: 0, y: 0, width: widthPx, height: heightPx }, width, height, show);
  const pixels = opaqueWhereValid(rgb, valid);
  masks.forEach((mask, index) => {
    const coverage = maskCoverage(mask, width, height);
    paint(pixels, coverage, coverageRange(coverage, width, height), COLOURS[index % COLOURS.length]!);
  });
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/**
 * Fraction of each pixel of a reduced image that the mask covers, 0 to 1, row-major.
 * @param width of the reduced image, at most the mask's
 * @param height of the reduced image, at most the mask's
 */
export function maskCoverage(mask: MaskRuns, width: number, height: number): Float32Array {
  const coverage = new Float32Array(width * height);
  const [scaleX, scaleY] = [width / mask.widthPx, height / mask.heightPx];
  for (const { y, toggles } of mask.rows()) {
    const [top, bottom] = [y * scaleY, (y + 1) * scaleY];
    for (let row = Math.floor(top); row < Math.min(height, Math.ceil(bottom)); row++) {
      const share = Math.min(bottom, row + 1) - Math.max(top, row);
      const line = coverage.subarray(row * width, (row + 1) * width);
      for (let i = 0; i < toggles.length; i += 2) addRun(line, toggles[i]! * scaleX, toggles[i + 1]! * scaleX, share);
    }
  }
  return coverage;
}

/** Adds `share` times the covered fraction of each pixel in the interval `[from, to)`. */
function addRun(line: Float32Array, from: number, to: number, share: number): void {
  const last = Math.min(line.length, Math.ceil(to));
  for (let column = Math.floor(from); column < last; column++) {
    line[column]! += share * (Math.min(to, column + 1) - Math.max(from, column));
  }
}

/**
 * Morphological gradient: the range of coverage in the 3 x 3 neighbourhood. It is 1 in a band two pixels wide along
 * sharp edges of the mask and 0 elsewhere.
 */
function coverageRange(coverage: Float32Array, width: number, height: number): Float32Array {
  const highest = spread(coverage, width, height, Math.max);
  const lowest = spread(coverage, width, height, Math.min);
  return highest.map((value, i) => value - lowest[i]!);
}

/** Extreme value in the 3 x 3 neighbourhood of each pixel; edge pixels are repeated outwards. */
function spread(
  values: Float32Array,
  width: number,
  height: number,
  extreme: (a: number, b: number) => number,
): Float32Array {
  const across = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const column = i % width;
    const left = values[column > 0 ? i - 1 : i]!;
    const right = values[column < width - 1 ? i + 1 : i]!;
    across[i] = extreme(extreme(left, right), values[i]!);
  }
  return across.map((value, i) => {
    const above = across[i >= width ? i - width : i]!;
    const below = across[i < (height - 1) * width ? i + width : i]!;
    return extreme(extreme(above, below), value);
  });
}

/** HWC uint8 RGBA, transparent where the scene has no data. */
function opaqueWhereValid(rgb: Uint8Array, valid: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(valid.length * 4);
  for (let i = 0; i < valid.length; i++) {
    pixels.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    pixels[4 * i + 3] = valid[i] === 1 ? 255 : 0;
  }
  return pixels;
}

/** Blends fill and outline of one mask over the RGBA pixels. */
function paint(pixels: Uint8Array, coverage: Float32Array, edges: Float32Array, colour: Colour): void {
  for (let i = 0; i < coverage.length; i++) {
    // Doubled, so that narrow features such as a road at reduced size still get a full outline.
    const opacity = Math.max(FILL_OPACITY * coverage[i]!, Math.min(1, 2 * edges[i]!));
    if (opacity === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      const shown = pixels[4 * i + channel]!;
      pixels[4 * i + channel] = Math.round(shown + opacity * (colour[channel]! - shown));
    }
    pixels[4 * i + 3] = Math.max(pixels[4 * i + 3]!, Math.round(255 * opacity));
  }
}
