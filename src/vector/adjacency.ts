import { AppError } from '../errors.ts';
import { BorderCollector, type AdjacentPair } from './border-collector.ts';
import type { LabelledMask } from './labelled-mask.ts';
import { NONE, eachBoundary } from './line-boundaries.ts';
import { RowSweep } from './row-sweep.ts';

/** Two masks of one scene differ in size. */
export class MaskSizeMismatchError extends AppError {
  readonly code = 'MASK_SIZE_MISMATCH';
  constructor(a: LabelledMask, b: LabelledMask) {
    super(`Masks of ${sizeOf(a)} and ${sizeOf(b)} pixels do not belong to one scene.`);
  }
}

const sizeOf = ({ mask }: LabelledMask): string => `${mask.widthPx} x ${mask.heightPx}`;

/**
 * Finds the adjacent labels of two masks of one scene, ordered by label.
 *
 * Label i of `a` and label j of `b` share a pixel edge when i contains the pixel on one side and j the pixel on the
 * other, unless both sides belong to both masks. For labels side by side this is their common border; where they
 * overlap, it is the part of each outline inside the other. Labels that cover the same pixels share no edge.
 * A corner counts when, of its four pixels, exactly one belongs to i, the diagonally opposite one to j, and the others
 * to neither.
 * Takes one sweep over the runs of both masks.
 * @throws {MaskSizeMismatchError}
 */
export function adjacency(a: LabelledMask, b: LabelledMask): AdjacentPair[] {
  if (sizeOf(a) !== sizeOf(b)) throw new MaskSizeMismatchError(a, b);
  const border = new BorderCollector(b.labelCount);
  const sweep = new BoundarySweep(a, b, border);
  eachBoundary(a.mask, (line) => sweep.run(line));
  return border.finish();
}

/** Label pairs of one mask that touch at corners, with `labelA` < `labelB`; they never share an edge. */
export function adjacencyWithin({ mask, labels, labelCount }: LabelledMask): AdjacentPair[] {
  const border = new BorderCollector(labelCount);
  const { toggles } = mask;
  eachBoundary(mask, (_line, aboveFrom, aboveTo, belowTo) => {
    let above = aboveFrom;
    let below = aboveTo;
    while (above < aboveTo && below < belowTo) {
      const [aboveColumn, belowColumn] = [toggles[above]!, toggles[below]!];
      const [labelAbove, labelBelow] = [labels[above >>> 1]!, labels[below >>> 1]!];
      // One run ends where the other begins, so their labels touch at this point only.
      if (aboveColumn === belowColumn && labelAbove !== labelBelow) {
        border.cornerContact(Math.min(labelAbove, labelBelow), Math.max(labelAbove, labelBelow));
      }
      if (aboveColumn <= belowColumn) above++;
      if (belowColumn <= aboveColumn) below++;
    }
  });
  return border.finish();
}

/** Finds the contacts of two masks along the boundary between two rows and within the lower row. */
class BoundarySweep {
  readonly #aAbove: RowSweep;
  readonly #aBelow: RowSweep;
  readonly #bAbove: RowSweep;
  readonly #bBelow: RowSweep;

  constructor(
    a: LabelledMask,
    b: LabelledMask,
    private readonly border: BorderCollector,
  ) {
    [this.#aAbove, this.#aBelow] = [new RowSweep(a), new RowSweep(a)];
    [this.#bAbove, this.#bBelow] = [new RowSweep(b), new RowSweep(b)];
  }

  /** @param row the lower row; rows ascend */
  run(row: number): void {
    const [aAbove, aBelow, bAbove, bBelow, border] = [
      this.#aAbove,
      this.#aBelow,
      this.#bAbove,
      this.#bBelow,
      this.border,
    ];
    aAbove.enter(row - 1);
    bAbove.enter(row - 1);
    aBelow.enter(row);
    bBelow.enter(row);
    border.startRow(row);
    let from = 0;
    for (;;) {
      const column = Math.min(aAbove.column, aBelow.column, bAbove.column, bBelow.column);
      if (column === NONE) return;
      const [aNorthWest, bNorthWest, aSouthWest, bSouthWest] = [aAbove.label, bAbove.label, aBelow.label, bBelow.label];
      this.#horizontal(aNorthWest, bNorthWest, aSouthWest, bSouthWest, from, column);
      aAbove.pass(column);
      bAbove.pass(column);
      aBelow.pass(column);
      bBelow.pass(column);
      const [aNorthEast, bNorthEast, aSouthEast, bSouthEast] = [aAbove.label, bAbove.label, aBelow.label, bBelow.label];
      this.#vertical(aSouthWest, bSouthWest, aSouthEast, bSouthEast, column);
      this.#corner(aNorthWest, bSouthEast, aSouthEast, bNorthWest, aNorthEast, aSouthWest, bNorthEast, bSouthWest);
      this.#corner(aSouthEast, bNorthWest, aNorthWest, bSouthEast, aNorthEast, aSouthWest, bNorthEast, bSouthWest);
      this.#corner(aNorthEast, bSouthWest, aSouthWest, bNorthEast, aNorthWest, aSouthEast, bNorthWest, bSouthEast);
      this.#corner(aSouthWest, bNorthEast, aNorthEast, bSouthWest, aNorthWest, aSouthEast, bNorthWest, bSouthEast);
      from = column;
    }
  }

  #horizontal(aNorth: number, bNorth: number, aSouth: number, bSouth: number, from: number, to: number): void {
    const northIsA = aNorth > 0 && bSouth > 0;
    const southIsA = aSouth > 0 && bNorth > 0;
    if (northIsA === southIsA) return;
    if (northIsA) this.border.horizontalEdge(aNorth, bSouth, from, to);
    else this.border.horizontalEdge(aSouth, bNorth, from, to);
  }

  #vertical(aWest: number, bWest: number, aEast: number, bEast: number, column: number): void {
    const westIsA = aWest > 0 && bEast > 0;
    const eastIsA = aEast > 0 && bWest > 0;
    if (westIsA === eastIsA) return;
    if (westIsA) this.border.verticalEdge(aWest, bEast, column);
    else this.border.verticalEdge(aEast, bWest, column);
  }

  /** Counts a contact of label `i` of a and label `j` of b, given both masks' labels at the other pixels around. */
  #corner(i: number, j: number, aAtJ: number, bAtI: number, a1: number, a2: number, b1: number, b2: number): void {
    if (i === 0 || j === 0 || aAtJ === i || bAtI === j) return;
    if (a1 === i || a2 === i || b1 === j || b2 === j) return;
    this.border.cornerContact(i, j);
  }
}
