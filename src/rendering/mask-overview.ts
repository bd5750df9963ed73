import { MaskRuns } from '../vector/mask-runs.ts';

/**
 * The mask at half its size, odd sides rounded up. A pixel is inside where at least half of the two by two pixels that it
 * stands for are (at the right and lower edge: of those that there are). So an area keeps its size, and a line of one
 * pixel, such as a road, does not break up. The work is that of the runs.
 */
export function halvedMask(mask: MaskRuns): MaskRuns {
  const half = new MaskRuns(Math.ceil(mask.widthPx / 2), Math.ceil(mask.heightPx / 2));
  let y = 0;
  let pair: Uint32Array[] = [];
  const pushPair = (): void => {
    const toggles = Uint32Array.from(halvedRow(pair, mask.widthPx));
    half.pushRow({ y, toggles, probabilitySums: new Float64Array(toggles.length / 2).fill(Number.NaN) });
  };
  for (const row of mask.rows()) {
    const below = Math.floor(row.y / 2);
    if (below !== y) {
      if (pair.length > 0) pushPair();
      pair = [];
      y = below;
    }
    pair.push(row.toggles);
    // A last row without a partner counts twice.
    if (row.y === mask.heightPx - 1 && row.y % 2 === 0) pair.push(row.toggles);
  }
  if (pair.length > 0) pushPair();
  return half;
}

/** From this column of the half row on, so many more pixels of each two by two are inside. */
interface Step {
  readonly column: number;
  readonly change: number;
}

/**
 * One row out of two.
 * @param pair toggles of the two rows; a row without a run may be left out
 * @returns toggles of the row at half the width
 */
function halvedRow(pair: readonly Uint32Array[], widthPx: number): number[] {
  const steps = pair.flatMap((toggles) => stepsOf(toggles, widthPx)).sort((a, b) => a.column - b.column);
  const halved: number[] = [];
  let covered = 0;
  let isInside = false;
  for (let i = 0; i < steps.length;) {
    const { column } = steps[i]!;
    for (; steps[i]?.column === column; i++) covered += steps[i]!.change;
    if (covered >= 2 === isInside) continue;
    halved.push(column);
    isInside = !isInside;
  }
  return halved;
}

/** A run adds its even columns to the half row's columns, and its odd ones; both begin and end on their own. */
function stepsOf(toggles: Uint32Array, widthPx: number): Step[] {
  const steps: Step[] = [];
  const add = (column: number, change: number): void => void steps.push({ column: Math.floor(column / 2), change });
  for (let i = 0; i < toggles.length; i += 2) {
    const [start, stop] = [toggles[i]!, toggles[i + 1]!];
    // A last column without a partner counts twice.
    const end = stop === widthPx ? 2 * Math.ceil(widthPx / 2) : stop;
    add(start, 1);
    add(start + 1, 1);
    add(end, -1);
    add(end + 1, -1);
  }
  return steps;
}
