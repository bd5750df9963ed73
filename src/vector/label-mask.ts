import { AppError } from '../errors.ts';
import { LabelledMask } from './labelled-mask.ts';
import { eachBoundary } from './line-boundaries.ts';
import { MaskRuns } from './mask-runs.ts';

/** Minimum part size, in pixels, or in ground area where the pixel size varies by row. */
export type Sieve =
  | { readonly minPixelCount: number }
  | {
      readonly minAreaM2: number;
      /** Ground area in square metres of one pixel of a row of the scene frame. */
      readonly pixelAreaM2: (row: number) => number;
    };

/** The limit or a pixel area of a sieve is not a number from 0. */
export class InvalidSieveError extends AppError {
  readonly code = 'INVALID_SIEVE';
}

/**
 * Labels the 4-connected components of a mask: pixels that share an edge are connected, pixels that touch at a corner are
 * not. One pass over the runs with union-find; labels follow the first run of each component in scan order.
 * @param sieve removes parts below its limit; a part exactly at the limit is kept
 * @throws {InvalidSieveError}
 */
export function labelMask(mask: MaskRuns, sieve: Sieve = { minPixelCount: 0 }): LabelledMask {
  const roots = connectRuns(mask);
  const labels = new Uint32Array(mask.runCount);
  const [minimum, sizes] = partSizes(mask, roots, sieve);
  let labelCount = 0;
  let keptRuns = 0;
  for (let run = 0; run < labels.length; run++) {
    const root = roots[run]!;
    if (sizes[root]! < minimum) continue;
    labels[run] = root === run ? ++labelCount : labels[root]!;
    keptRuns++;
  }
  if (keptRuns === labels.length) return new LabelledMask(mask, labels, labelCount);
  return new LabelledMask(
    withoutUnlabelled(mask, labels),
    labels.filter((label) => label > 0),
    labelCount,
  );
}

/** For each run, the first run of its part in scan order. */
function connectRuns(mask: MaskRuns): Uint32Array {
  const { toggles, runCount } = mask;
  const parents = new Uint32Array(runCount);
  for (let run = 0; run < runCount; run++) parents[run] = run;
  eachBoundary(mask, (_line, aboveFrom, aboveTo, belowTo) => {
    let above = aboveFrom;
    let below = aboveTo;
    while (above < aboveTo && below < belowTo) {
      const aboveEnd = toggles[above + 1]!;
      const belowEnd = toggles[below + 1]!;
      if (toggles[above]! < belowEnd && toggles[below]! < aboveEnd) unite(parents, above >>> 1, below >>> 1);
      if (aboveEnd <= belowEnd) above += 2;
      if (belowEnd <= aboveEnd) below += 2;
    }
  });
  for (let run = 0; run < runCount; run++) parents[run] = parents[parents[run]!]!;
  return parents;
}

/** The smaller run becomes the root, so a parent never follows its child. */
function unite(parents: Uint32Array, a: number, b: number): void {
  const [rootA, rootB] = [rootOf(parents, a), rootOf(parents, b)];
  if (rootA < rootB) parents[rootB] = rootA;
  else parents[rootA] = rootB;
}

function rootOf(parents: Uint32Array, run: number): number {
  let here = run;
  while (parents[here] !== here) {
    const grandparent = parents[parents[here]!]!;
    parents[here] = grandparent;
    here = grandparent;
  }
  return here;
}

/** The minimum size that the sieve keeps, and the size of each part at the index of its root. */
function partSizes(
  { lines, offsets, toggles, runCount }: MaskRuns,
  roots: Uint32Array,
  sieve: Sieve,
): [minimum: number, sizes: Float64Array] {
  const [minimum, sizeOfPixel] =
    'minPixelCount' in sieve ? [sieve.minPixelCount, () => 1] : [sieve.minAreaM2, sieve.pixelAreaM2];
  if (!(minimum >= 0)) throw new InvalidSieveError(`The minimum part size is ${minimum}; it must be at least 0.`);
  const sizes = new Float64Array(runCount);
  for (let k = 0; k < lines.length; k++) {
    const size = sizeOfPixel(lines[k]!);
    if (!(size >= 0))
      throw new InvalidSieveError(`A pixel of row ${lines[k]} covers ${size} m²; the area must be at least 0.`);
    for (let run = offsets[k]!; run < offsets[k + 1]!; run++) {
      sizes[roots[run]!]! += size * (toggles[2 * run + 1]! - toggles[2 * run]!);
    }
  }
  return [minimum, sizes];
}

function withoutUnlabelled(mask: MaskRuns, labels: Uint32Array): MaskRuns {
  const kept = new MaskRuns(mask.widthPx, mask.heightPx);
  let first = 0;
  for (const { y, toggles, probabilitySums, probabilityMaxima } of mask.rows()) {
    const isKept = (run: number): boolean => labels[first + run]! > 0;
    kept.pushRow({
      y,
      toggles: toggles.filter((_, toggle) => isKept(toggle >>> 1)),
      probabilitySums: probabilitySums.filter((_, run) => isKept(run)),
      ...(probabilityMaxima && { probabilityMaxima: probabilityMaxima.filter((_, run) => isKept(run)) }),
    });
    first += probabilitySums.length;
  }
  return kept;
}
