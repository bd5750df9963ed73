import type { LabelledMask } from './labelled-mask.ts';
import { NONE, eachBoundary } from './line-boundaries.ts';

/**
 * How the sides of all runs join to outlines. Toggle `t` of the mask is a side one pixel high: the left side of a run
 * (`t` even) is walked down, its right side (`t` odd) up, so a part lies on the left of its outline as one sees it on
 * the screen. `links[t]` is the side that follows `t`: straight on in the same column, or at the far end of one
 * horizontal edge. Every side follows exactly one other, so the links are closed rings.
 *
 * Two ways lead through a lattice point that two diagonal pixels share. Pixels of different parts keep to themselves.
 * For pixels of the same part the outlines cross over from one pixel to the other. A path inside the part joins the two
 * pixels and, closed at the point, separates the two background pixels there; each of the two outlines keeps to its own
 * background pixel, thus to its own side, so they are two rings. No ring then ever comes to a point twice, which is what
 * makes rings simple and, as each part is one connected interior, polygons valid without repair
 * (OGC 06-103r4, clause 6.1.11).
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
    let open = NONE; // the side at the left end of a horizontal edge that has not met its right end
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
