import { growingUint32 } from './growing-array.ts';
import { NONE, eachBoundary } from './line-boundaries.ts';
import type { RunLines } from './mask-runs.ts';

/**
 * The same pixels as runs along the other axis: rows become columns and columns rows.
 *
 * A pixel begins or ends a run across the lines exactly where it differs from the pixel of the line before, so the
 * intervals in which two neighbouring lines differ are all that is needed; the work is that of the runs read and written.
 * @param acrossPx how many pixels a line of `runs` has
 */
export function transposeRuns(runs: RunLines, acrossPx: number): RunLines {
  const cursors = new Uint32Array(acrossPx + 1);
  eachDifference(runs, (_line, from, to) => {
    cursors[from]! += 1;
    cursors[to]! -= 1; // wraps below zero and back: sums are exact modulo 2^32
  });
  const lines = growingUint32();
  const offsets = growingUint32();
  offsets.push(0);
  let total = 0;
  let here = 0;
  for (let position = 0; position < acrossPx; position++) {
    here = (here + cursors[position]!) >>> 0;
    cursors[position] = total;
    total += here;
    if (here === 0) continue;
    lines.push(position);
    offsets.push(total / 2);
  }
  const toggles = new Uint32Array(total);
  eachDifference(runs, (line, from, to) => {
    for (let position = from; position < to; position++) toggles[cursors[position]!++] = line;
  });
  return { lines: lines.toArray(), offsets: offsets.toArray(), toggles };
}

/** Calls `visit` with every interval `[from, to)` in which a line differs from the line before it, in order. */
function eachDifference(runs: RunLines, visit: (line: number, from: number, to: number) => void): void {
  const { toggles } = runs;
  eachBoundary(runs, (line, aboveFrom, aboveTo, belowTo) => {
    let above = aboveFrom;
    let below = aboveTo;
    let open = NONE;
    while (above < aboveTo || below < belowTo) {
      const aboveColumn = above < aboveTo ? toggles[above]! : NONE;
      const belowColumn = below < belowTo ? toggles[below]! : NONE;
      const column = Math.min(aboveColumn, belowColumn);
      if (aboveColumn === column) above++;
      if (belowColumn === column) below++;
      if (aboveColumn === belowColumn) continue; // both change, so they differ after it just as before it
      if (open === NONE) open = column;
      else {
        visit(line, open, column);
        open = NONE;
      }
    }
  });
}
