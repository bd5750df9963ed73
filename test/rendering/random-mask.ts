import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { seededRandom } from '../seeded.ts';

/** A mask of random pixels, about a third of them inside, and the same as bytes (0 or 1, row-major). */
export function randomMask(widthPx: number, heightPx: number, seed: number): { mask: MaskRuns; bytes: Uint8Array } {
  const random = seededRandom(seed);
  return maskWhere(widthPx, heightPx, () => random() < 1 / 3);
}

/** The mask of the pixels that `inside` accepts, and the same as bytes (0 or 1, row-major). */
export function maskWhere(
  widthPx: number,
  heightPx: number,
  inside: (column: number, row: number) => boolean,
): { mask: MaskRuns; bytes: Uint8Array } {
  const mask = new MaskRuns(widthPx, heightPx);
  const bytes = new Uint8Array(widthPx * heightPx);
  for (let y = 0; y < heightPx; y++) {
    const row = Float32Array.from({ length: widthPx }, (_, x) => (inside(x, y) ? 0.9 : 0.1));
    bytes.set(
      row.map((probability) => (probability > 0.5 ? 1 : 0)),
      y * widthPx,
    );
    mask.pushRow(rowFromProbability(y, row, 0.5));
  }
  return { mask, bytes };
}
