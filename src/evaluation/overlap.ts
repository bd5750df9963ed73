import { letterboxGeometry } from '../raster/window-plan.ts';
import { fromCocoCounts } from '../vector/coco-counts.ts';
import type { Label } from './label.ts';

/** Pixels of an answer and its label. */
export interface Overlap {
  readonly intersection: number;
  readonly union: number;
  readonly predicted: number;
}

/**
 * Intersection over union as the published evaluation computes it; 1 where answer and label are both empty.
 * @see https://github.com/earth-insights/SegEarth-R1
 */
export function iouOf({ intersection, union }: Overlap): number {
  return union === 0 ? 1 : intersection / (union + 1e-5);
}

/**
 * A mask from uncompressed COCO run-length counts.
 * @param counts alternating runs of 0 and 1, column by column, as in the API
 * @returns row-major, 1 inside
 */
export function maskFromCounts(counts: readonly number[], widthPx: number, heightPx: number): Uint8Array {
  return fromCocoCounts(counts, widthPx, heightPx).toBytes(0, heightPx);
}

/** Compares at the image's own size. @param answer row-major, 1 inside */
export function overlapInScene(answer: Uint8Array, { target, counts }: Label): Overlap {
  let [intersection, predicted, targets] = [0, 0, 0];
  for (let pixel = 0; pixel < answer.length; pixel++) {
    if (counts[pixel] === 0) continue;
    predicted += answer[pixel]!;
    targets += target[pixel]!;
    intersection += answer[pixel]! & target[pixel]!;
  }
  return { intersection, predicted, union: predicted + targets - intersection };
}

/**
 * Compares in the model's window: answer and label are letterboxed by nearest neighbour as the published evaluation does
 * with labels. The service's mask ends at the image, so nothing is predicted in the bars.
 * @param answer row-major in the frame of the image, 1 inside
 * @param windowPx side of the model's window
 */
export function overlapInWindow(answer: Uint8Array, label: Label, windowPx: number): Overlap {
  const { shownWidthPx, shownHeightPx } = letterboxGeometry(label.widthPx, label.heightPx, windowPx);
  const columns = nearestPlaces(label.widthPx, shownWidthPx);
  const rows = nearestPlaces(label.heightPx, shownHeightPx);
  const shown = (values: Uint8Array): Uint8Array => {
    const window = new Uint8Array(shownWidthPx * shownHeightPx);
    rows.forEach((row, y) =>
      columns.forEach((column, x) => (window[y * shownWidthPx + x] = values[row * label.widthPx + column]!)),
    );
    return window;
  };
  const windowLabel = { ...label, target: shown(label.target), counts: shown(label.counts) };
  return overlapInScene(shown(answer), windowLabel);
}

/** Source pixel of each target pixel, as OpenCV's INTER_NEAREST finds it: the reciprocal is taken in double. */
export function nearestPlaces(source: number, target: number): Int32Array {
  const scale = 1 / (target / source);
  return Int32Array.from({ length: target }, (_, i) => Math.min(Math.floor(i * scale), source - 1));
}
