import type { MultiLineString, Position } from 'geojson';
import { cutLineAtAntimeridian } from './cut-line.ts';
import { groundPosition, type ToWgs84 } from './ground-position.ts';
import { unwrapLongitudes } from './longitudes.ts';
import { DEFAULT_ANCHOR_PX } from './trace-polygons.ts';

/**
 * Converts shared pixel edges to WGS 84: one line per straight segment, cut at the antimeridian. Lines have vertices
 * where the polygons' edges do, so that lengths agree with perimeters.
 * @param edges as in `AdjacentPair`
 * @param anchorPx as in `tracePolygons`
 * @throws {UnprojectablePositionError}
 */
export function borderToWgs84(
  edges: Uint32Array,
  toWgs84: ToWgs84,
  anchorPx: number = DEFAULT_ANCHOR_PX,
): MultiLineString {
  const coordinates: Position[][] = [];
  for (let i = 0; i < edges.length; i += 4) {
    const [column, row, endColumn, endRow] = [edges[i]!, edges[i + 1]!, edges[i + 2]!, edges[i + 3]!];
    const stops =
      row === endRow
        ? stopsAlong(column, endColumn, anchorPx).map((c) => groundPosition(c, row, toWgs84))
        : stopsAlong(row, endRow, anchorPx).map((r) => groundPosition(column, r, toWgs84));
    unwrapLongitudes(stops);
    coordinates.push(...cutLineAtAntimeridian(stops));
  }
  return { type: 'MultiLineString', coordinates };
}

/** Both ends and the multiples of `anchorPx` in between. */
function stopsAlong(from: number, to: number, anchorPx: number): number[] {
  const stops = [from];
  for (let stop = (Math.floor(from / anchorPx) + 1) * anchorPx; stop < to; stop += anchorPx) stops.push(stop);
  stops.push(to);
  return stops;
}
