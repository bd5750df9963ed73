import { growingUint32 } from './growing-array.ts';
import { NONE, eachBoundary } from './line-boundaries.ts';
import type { RunLines } from './mask-runs.ts';

/**
 * Transposes runs: rows become columns and columns rows.
 *
 * A transposed run starts or ends exactly where a pixel differs from the one in the previous line, so only the intervals
 * in which adjacent lines differ are needed. Time grows with the number of runs read and written.
 * @param acrossPx pixels per line of `runs`
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

/** Calls `visit` in order with every interval `[from, to)` in which a line differs from the previous one. */
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
      if (aboveColumn === belowColumn) continue; // both change, so the difference is the same before and after
      if (open === NONE) open = column;
      else {
        visit(line, open, column);
        open = NONE;
      }
    }
  });
}
