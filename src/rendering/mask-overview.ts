import { MaskRuns } from '../vector/mask-runs.ts';

/**
 * Halves a mask; odd sides are rounded up. A pixel is set when at least half of the pixels it represents are: four, or
 * fewer at the right and bottom edges. Areas keep their size, and lines one pixel wide, such as roads, stay connected.
 * Time grows with the number of runs.
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
    // A last odd row counts twice.
    if (row.y === mask.heightPx - 1 && row.y % 2 === 0) pair.push(row.toggles);
  }
  if (pair.length > 0) pushPair();
  return half;
}

/** From this column of the half row on, the number of set pixels in each group of four changes by this much. */
interface Step {
  readonly column: number;
  readonly change: number;
}

/**
 * Merges two rows into one.
 * @param pair toggles of the two rows; a row without runs may be omitted
 * @returns toggles of the merged row at half the width
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

/** Adds the even and the odd columns of a run to the half row; each begins and ends independently. */
function stepsOf(toggles: Uint32Array, widthPx: number): Step[] {
  const steps: Step[] = [];
  const add = (column: number, change: number): void => void steps.push({ column: Math.floor(column / 2), change });
  for (let i = 0; i < toggles.length; i += 2) {
    const [start, stop] = [toggles[i]!, toggles[i + 1]!];
    // A last odd column counts twice.
    const end = stop === widthPx ? 2 * Math.ceil(widthPx / 2) : stop;
    add(start, 1);
    add(start + 1, 1);
    add(end, -1);
    add(end + 1, -1);
  }
  return steps;
}
