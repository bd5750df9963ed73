import type { RunLines } from './mask-runs.ts';

/** Sentinel beyond every column and run index. */
export const NONE = 0xffffffff;

/**
 * Calls `visit` in order for every boundary between two lines of which at least one has runs. The toggles of the line
 * above are those from `aboveFrom` to `aboveTo`; those of the line below follow up to `belowTo`.
 * @param visit `line` is the index of the line below the boundary
 */
export function eachBoundary(
  { lines, offsets }: RunLines,
  visit: (line: number, aboveFrom: number, aboveTo: number, belowTo: number) => void,
): void {
  for (let k = 0; k < lines.length; k++) {
    const line = lines[k]!;
    const [from, to] = [2 * offsets[k]!, 2 * offsets[k + 1]!];
    const followsRun = k > 0 && lines[k - 1] === line - 1;
    visit(line, followsRun ? 2 * offsets[k - 1]! : from, from, to);
    if (lines[k + 1] !== line + 1) visit(line + 1, from, to, to);
  }
}
