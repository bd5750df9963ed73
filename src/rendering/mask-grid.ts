import type { PixelWindow } from '../raster/window.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';

/** A part of a mask on cells of a pixel or more. */
export interface MaskGrid {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Share of each cell that lies in the mask, 0 to 1, row-major. */
  readonly coverage: Float32Array;
  /** Mean probability of the pixels of each cell that lie in the mask; 0 where none does. */
  readonly probability: Float32Array;
}

/**
 * Draws a window of a mask on a grid of its own size or smaller. Time grows with the runs of the window and its cells.
 * @param probabilities of each label, label 1 at index 1
 * @param widthPx of the grid, at most that of the window; so with the height
 */
export function maskGrid(
  { mask, labels }: LabelledMask,
  probabilities: ArrayLike<number>,
  window: PixelWindow,
  widthPx: number,
  heightPx: number,
): MaskGrid {
  const coverage = new Float32Array(widthPx * heightPx);
  const probability = new Float32Array(widthPx * heightPx);
  const { lines, offsets, toggles } = mask;
  const pixelsPerCell = window.width / widthPx;
  const add = (origin: number, from: number, to: number, certainty: number): void => {
    const last = Math.min(widthPx - 1, Math.ceil(to / pixelsPerCell) - 1);
    for (let column = Math.floor(from / pixelsPerCell); column <= last; column++) {
      const length = Math.min(to, (column + 1) * pixelsPerCell) - Math.max(from, column * pixelsPerCell);
      coverage[origin + column]! += length;
      probability[origin + column]! += length * certainty;
    }
  };
  const cellRow = (row: number): number => Math.floor((row * heightPx) / window.height);
  const end = window.y + window.height;
  for (let k = firstAtLeast(lines, window.y); k < lines.length && lines[k]! < end; k++) {
    const origin = cellRow(lines[k]! - window.y) * widthPx;
    for (let run = offsets[k]!; run < offsets[k + 1]!; run++) {
      const from = Math.max(0, toggles[2 * run]! - window.x);
      const to = Math.min(window.width, toggles[2 * run + 1]! - window.x);
      if (from < to) add(origin, from, to, probabilities[labels[run]!] ?? 0);
    }
  }
  const rowsInCell = new Uint32Array(heightPx);
  for (let row = 0; row < window.height; row++) rowsInCell[cellRow(row)]!++;
  for (let cell = 0; cell < coverage.length; cell++) {
    if (coverage[cell] === 0) continue;
    probability[cell]! /= coverage[cell]!;
    coverage[cell] = Math.min(1, coverage[cell]! / (pixelsPerCell * rowsInCell[Math.floor(cell / widthPx)]!));
  }
  return { widthPx, heightPx, coverage, probability };
}

/** Index of the first of the ascending values that is at least `minimum`. */
function firstAtLeast(ascending: Uint32Array, minimum: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < minimum) low = middle + 1;
    else high = middle;
  }
  return low;
}
