import type { LabelledMask } from './labelled-mask.ts';
import { NONE, eachBoundary } from './line-boundaries.ts';

/**
 * Links the sides of all runs into outlines. Toggle `t` of the mask is a side one pixel high: the left side of a run
 * (`t` even) is traversed downwards, its right side (`t` odd) upwards, so a part lies to the left of its outline on
 * screen. `links[t]` is the side after `t`: straight on in the same column, or at the far end of one horizontal edge.
 * Every side has exactly one predecessor, so the links form closed rings.
 *
 * Two paths lead through a lattice point shared by two diagonal pixels. Outlines of different parts stay with their own
 * pixel. Outlines of the same part cross from one pixel to the other: a path inside the part connects the two pixels
 * and, closed at the point, separates the two background pixels there. Each outline stays with its own background
 * pixel, so they are two separate rings. Hence no ring visits a point twice, which makes rings simple and, as the
 * interior of each part is connected, polygons valid without repair (OGC 06-103r4, clause 6.1.11).
 */
export function linkOutlines({ mask, labels }: LabelledMask): Uint32Array {
  const { toggles } = mask;
  const links = new Uint32Array(toggles.length);
  eachBoundary(mask, (_line, aboveFrom, aboveTo, belowTo) => {
    const link = (a: number, b: number): void => {
      const aArrives = (a % 2 === 0) === a < aboveTo; // a left side from above or a right side from below
      if (aArrives) links[a] = b;
      else links[b] = a;
    };
    let above = aboveFrom;
    let below = aboveTo;
    let open = NONE; // the side at the left end of a horizontal edge whose right end is still to come
    const meet = (side: number): void => {
      if (open === NONE) open = side;
      else {
        link(open, side);
        open = NONE;
      }
    };
    while (above < aboveTo || below < belowTo) {
      const aboveColumn = above < aboveTo ? toggles[above]! : NONE;
      const belowColumn = below < belowTo ? toggles[below]! : NONE;
      if (aboveColumn < belowColumn) meet(above++);
      else if (belowColumn < aboveColumn) meet(below++);
      else {
        if (open === NONE) link(above, below);
        else {
          const isSamePart = labels[above >>> 1] === labels[below >>> 1];
          const leftIsAbove = isSamePart === (above % 2 === 0);
          link(open, leftIsAbove ? above : below);
          open = leftIsAbove ? below : above;
        }
        above++;
        below++;
      }
    }
  });
  return links;
}
