import { AppError } from '../errors.ts';
import { growingUint32, type GrowingUint32 } from './growing-array.ts';
import type { LabelledMask } from './labelled-mask.ts';
import { NONE } from './line-boundaries.ts';
import { linkOutlines } from './outline-links.ts';

/**
 * Corners of a closed outline in the scene frame, alternating column and row, on pixel edges. The first corner is not
 * repeated.
 */
export type PixelRing = Uint32Array;

/** The outline of one label. On screen (rows down) the exterior is anticlockwise and holes are clockwise. */
export interface TracedPolygon {
  readonly label: number;
  readonly exterior: PixelRing;
  readonly holes: readonly PixelRing[];
}

/** The vertex spacing along straight edges is not a whole number of pixels. */
export class InvalidAnchorDistanceError extends AppError {
  readonly code = 'INVALID_ANCHOR_DISTANCE';
  constructor(anchorPx: number) {
    super(`The vertex spacing is ${anchorPx} pixels; it must be a whole number of at least 1.`);
  }
}

/** Default vertex spacing along straight edges, pixels. */
export const DEFAULT_ANCHOR_PX = 64;

/**
 * Traces one polygon per label, in label order, along exact pixel edges: the area of a polygon in pixels equals the pixel
 * count of its label. Rings are simple and touch each other at most at single points, which are vertices of both.
 * Time and memory grow with the number of runs.
 * @param anchorPx straight edges have a vertex at every multiple of this column or row of the scene, so that reprojected
 *   edges follow the ground and adjacent features keep common vertices; see `anchorPxFor`
 * @throws {InvalidAnchorDistanceError}
 */
export function tracePolygons(labelled: LabelledMask, anchorPx: number = DEFAULT_ANCHOR_PX): TracedPolygon[] {
  if (!Number.isInteger(anchorPx) || anchorPx < 1) throw new InvalidAnchorDistanceError(anchorPx);
  const { mask, labels } = labelled;
  const { lines, offsets, toggles } = mask;
  const links = linkOutlines(labelled);
  const ring = growingUint32();
  const polygons: (TracedPolygon & { holes: PixelRing[] })[] = [];
  for (let k = 0; k < lines.length; k++) {
    for (let side = 2 * offsets[k]!; side < 2 * offsets[k + 1]!; side++) {
      if (links[side] === NONE) continue;
      walkRing(ring, toggles, links, side, lines[k]!, anchorPx);
      const label = labels[side >>> 1]!;
      // The first side of a label in scan order is always part of its exterior.
      if (label > polygons.length) polygons.push({ label, exterior: ring.toArray(), holes: [] });
      else polygons[label - 1]!.holes.push(ring.toArray());
    }
  }
  return polygons;
}

/** Writes the corners of the ring through a side to `ring` and marks its sides in `links` as visited. */
function walkRing(
  ring: GrowingUint32,
  toggles: Uint32Array,
  links: Uint32Array,
  first: number,
  firstRow: number,
  anchorPx: number,
): void {
  ring.clear();
  let side = first;
  let row = first % 2 === 0 ? firstRow + 1 : firstRow;
  do {
    const next = links[side]!;
    links[side] = NONE;
    const [column, nextColumn] = [toggles[side]!, toggles[next]!];
    if (column !== nextColumn) pushHorizontal(ring, column, nextColumn, row, anchorPx);
    else if (row % anchorPx === 0) pushCorner(ring, column, row);
    row += next % 2 === 0 ? 1 : -1;
    side = next;
  } while (side !== first);
}

function pushHorizontal(ring: GrowingUint32, from: number, to: number, row: number, anchorPx: number): void {
  pushCorner(ring, from, row);
  if (from < to) {
    for (let c = (Math.floor(from / anchorPx) + 1) * anchorPx; c < to; c += anchorPx) pushCorner(ring, c, row);
  } else {
    for (let c = (Math.ceil(from / anchorPx) - 1) * anchorPx; c > to; c -= anchorPx) pushCorner(ring, c, row);
  }
  pushCorner(ring, to, row);
}

function pushCorner(ring: GrowingUint32, column: number, row: number): void {
  ring.push(column);
  ring.push(row);
}
