import type { LabelledMask } from '../../src/vector/labelled-mask.ts';

/** The labels of all pixels, row-major, 0 outside. */
export function labelRaster({ mask, labels }: LabelledMask): Uint32Array {
  const raster = new Uint32Array(mask.widthPx * mask.heightPx);
  let first = 0;
  for (const { y, toggles, probabilitySums } of mask.rows()) {
    for (let run = 0; run < probabilitySums.length; run++) {
      raster.fill(labels[first + run]!, y * mask.widthPx + toggles[2 * run]!, y * mask.widthPx + toggles[2 * run + 1]!);
    }
    first += probabilitySums.length;
  }
  return raster;
}
