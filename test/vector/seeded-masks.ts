import { seededRandom } from '../seeded.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';

/** A small mask as bytes, row-major, 1 inside. */
export interface ByteMask {
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bytes: Uint8Array;
}

export function byteMask(
  name: string,
  widthPx: number,
  heightPx: number,
  inside: (c: number, r: number) => boolean,
): ByteMask {
  const bytes = Uint8Array.from({ length: widthPx * heightPx }, (_, i) =>
    inside(i % widthPx, Math.floor(i / widthPx)) ? 1 : 0,
  );
  return { name, widthPx, heightPx, bytes };
}

/** From a drawing: one string a row, `#` inside. */
export function drawnMask(name: string, rows: readonly string[]): ByteMask {
  return byteMask(name, rows[0]!.length, rows.length, (c, r) => rows[r]![c] === '#');
}

/** Every pixel inside with the given probability, independently. */
export function noiseMask(seed: number, widthPx: number, heightPx: number, density: number): ByteMask {
  const random = seededRandom(seed);
  return byteMask(`noise ${density} seed ${seed}`, widthPx, heightPx, () => random() < density);
}

/** Masks of every kind that outlines and labels find hard: all densities, full, empty, checkerboard, nested rings. */
export function hardMasks(): ByteMask[] {
  const densities = [0.05, 0.2, 0.35, 0.5, 0.6, 0.7, 0.85, 0.95];
  return [
    ...densities.flatMap((density, i) => [1, 2, 3].map((n) => noiseMask(100 * i + n, 11 + 7 * n, 29 - 5 * n, density))),
    byteMask('full', 5, 4, () => true),
    byteMask('empty', 5, 4, () => false),
    byteMask('single pixel', 1, 1, () => true),
    byteMask('one row', 9, 1, (c) => c % 3 !== 1),
    byteMask('one column', 1, 9, (_c, r) => r % 3 !== 1),
    byteMask('checkerboard', 12, 12, (c, r) => (c + r) % 2 === 0),
    byteMask('framed checkerboard', 13, 13, (c, r) => c % 12 === 0 || r % 12 === 0 || (c + r) % 2 === 0),
    byteMask('nested squares', 21, 21, (c, r) => Math.max(Math.abs(c - 10), Math.abs(r - 10)) % 2 === 0),
    byteMask('nested diamonds', 21, 21, (c, r) => (Math.abs(c - 10) + Math.abs(r - 10)) % 4 < 2),
    drawnMask('ring closed at a corner', ['####.', '#..#.', '#.#..', '#..#.', '####.']),
    drawnMask('ring pinched at a corner', ['.###', '#..#', '#..#', '####']),
    drawnMask('holes that touch at corners', ['######', '#.##.#', '##..##', '##..##', '#.##.#', '######']),
    drawnMask('hole that touches the exterior', ['#####.', '#...##', '#.#.##', '#...#.', '####.#']),
    drawnMask('island in a hole at a corner', ['######', '#....#', '#.##.#', '#.##.#', '#...##', '######']),
  ];
}

/** Half-filled by smooth blobs of about `scalePx`, like a real segmentation: value noise above its mean. */
export function blobMask(seed: number, widthPx: number, heightPx: number, scalePx: number): ByteMask {
  const random = seededRandom(seed);
  const gridWidth = Math.ceil(widthPx / scalePx) + 2;
  const gridHeight = Math.ceil(heightPx / scalePx) + 2;
  const grid = Float64Array.from({ length: gridWidth * gridHeight }, random);
  const valueAt = (c: number, r: number): number => {
    const [x, y] = [Math.floor(c / scalePx), Math.floor(r / scalePx)];
    const [u, v] = [c / scalePx - x, r / scalePx - y];
    const at = (dx: number, dy: number): number => grid[(y + dy) * gridWidth + x + dx]!;
    return (1 - v) * ((1 - u) * at(0, 0) + u * at(1, 0)) + v * ((1 - u) * at(0, 1) + u * at(1, 1));
  };
  const speckle = seededRandom(seed + 1);
  return byteMask(
    `blobs ${scalePx} seed ${seed}`,
    widthPx,
    heightPx,
    (c, r) => valueAt(c, r) + 0.1 * (speckle() - 0.5) > 0.5,
  );
}

/** The same mask as runs, pushed row by row; pixels inside have the probability 0.75. */
export function maskOf({ widthPx, heightPx, bytes }: ByteMask): MaskRuns {
  const mask = new MaskRuns(widthPx, heightPx);
  for (let y = 0; y < heightPx; y++) {
    const row = Float32Array.from(bytes.subarray(y * widthPx, (y + 1) * widthPx), (inside) => 0.75 * inside);
    mask.pushRow(rowFromProbability(y, row, 0.5));
  }
  return mask;
}
