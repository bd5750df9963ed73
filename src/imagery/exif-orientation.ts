import type { Affine } from '../raster/affine.ts';

/** EXIF orientation tag: how the stored raster must be turned for display; 1 is upright. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** In the stored raster: column and row gained by a step to the right and by a step downwards in the upright image. */
const STEPS: Readonly<Record<Orientation, readonly [number, number, number, number]>> = {
  1: [1, 0, 0, 1],
  2: [-1, 0, 0, 1],
  3: [-1, 0, 0, -1],
  4: [1, 0, 0, -1],
  5: [0, 1, 1, 0],
  6: [0, -1, 1, 0],
  7: [0, -1, -1, 0],
  8: [0, 1, -1, 0],
};

/**
 * Geotransform of the upright image, given that of the raster as stored: a world file refers to the stored raster.
 * @param widthPx of the stored raster
 * @param heightPx of the stored raster
 * @see CIPA DC-008 (EXIF 2.32), tag 0x0112
 */
export function turnedAffine(affine: Affine, orientation: Orientation, widthPx: number, heightPx: number): Affine {
  const [x0, dxColumn, dxRow, y0, dyColumn, dyRow] = affine;
  const [rightColumns, rightRows, downColumns, downRows] = STEPS[orientation];
  const startColumn = rightColumns + downColumns < 0 ? widthPx : 0;
  const startRow = rightRows + downRows < 0 ? heightPx : 0;
  const x = (columns: number, rows: number): number => columns * dxColumn + rows * dxRow + 0; // + 0: no negative zero
  const y = (columns: number, rows: number): number => columns * dyColumn + rows * dyRow + 0;
  return [
    x0 + x(startColumn, startRow),
    x(rightColumns, rightRows),
    x(downColumns, downRows),
    y0 + y(startColumn, startRow),
    y(rightColumns, rightRows),
    y(downColumns, downRows),
  ];
}
