import type { Position } from 'geojson';
import { turnBetween, unwrapLongitudes } from './longitudes.ts';
import type { ToWgs84 } from './ground-position.ts';
import { DEFAULT_ANCHOR_PX } from './trace-polygons.ts';

/** Maximum deviation of a straight edge from the true one, pixels. */
const MAX_DEVIATION_PX = 0.02;
/** Maximum step between two vertices, degrees of longitude; from 180 on, the direction is ambiguous. */
const MAX_STEP_DEG = 60;
const SAMPLES_A_SIDE = 9;
const OUTLINE_STEPS_A_SIDE = 64;

/**
 * Vertex spacing along straight edges at which polygons keep their shape on the ground, for `tracePolygons` and
 * `borderToWgs84`: 64 pixels for all but coarse scenes, less where rows and columns curve in longitude and latitude, and
 * 1 when the scene contains a pole. Sampled over the scene; positions outside the CRS are skipped.
 * @returns a power of two from 1 to 64
 */
export function anchorPxFor(widthPx: number, heightPx: number, toWgs84: ToWgs84): number {
  if (surroundsPole(widthPx, heightPx, toWgs84)) return 1;
  let anchorPx = DEFAULT_ANCHOR_PX;
  for (let i = 0; i < SAMPLES_A_SIDE; i++) {
    for (let j = 0; j < SAMPLES_A_SIDE; j++) {
      const column = (i / (SAMPLES_A_SIDE - 1)) * widthPx;
      const row = (j / (SAMPLES_A_SIDE - 1)) * heightPx;
      while (anchorPx > 1 && !isStraight(column, row, anchorPx, toWgs84)) anchorPx /= 2;
    }
  }
  return anchorPx;
}

/** Whether edges of this length along the row and column of a position are straight on the ground. */
function isStraight(column: number, row: number, lengthPx: number, toWgs84: ToWgs84): boolean {
  const half = lengthPx / 2;
  const centre = toWgs84(column, row);
  const from = (dc: number, dr: number): Position => {
    const [longitude, latitude] = toWgs84(column + dc, row + dr);
    return [turnBetween(centre[0], longitude), latitude - centre[1]];
  };
  const degreesAPixel = Math.max(Math.abs(from(1, 0)[0]!), Math.abs(from(0, 1)[0]!));
  const [west, east, north, south] = [from(-half, 0), from(half, 0), from(0, -half), from(0, half)];
  const pixelArea = Math.abs(cross(minus(east, west), minus(south, north))) / lengthPx ** 2;
  // From the centre to the middle of the chord, across the line, in pixels.
  const deviation = (start: Position, end: Position): number => {
    const middle = [(start[0]! + end[0]!) / 2, (start[1]! + end[1]!) / 2];
    return Math.abs(cross(minus(end, start), middle)) / lengthPx / pixelArea;
  };
  const isBent = deviation(west, east) > MAX_DEVIATION_PX || deviation(north, south) > MAX_DEVIATION_PX;
  // A great circle between two vertices leaves the parallel by this much: distances are measured along great circles.
  const radians = Math.PI / 180;
  const curvature = (Math.abs(Math.sin(2 * centre[1] * radians)) / 16) * radians;
  const leaves = (start: Position, end: Position): boolean =>
    curvature * (end[0]! - start[0]!) ** 2 > MAX_DEVIATION_PX * Math.sqrt(pixelArea);
  if (leaves(west, east) || leaves(north, south)) return false;
  return !isBent && !(degreesAPixel * lengthPx > MAX_STEP_DEG);
}

/** Whether the outline of the scene encircles a pole. */
function surroundsPole(widthPx: number, heightPx: number, toWgs84: ToWgs84): boolean {
  const corners = [
    [0, 0],
    [0, heightPx],
    [widthPx, heightPx],
    [widthPx, 0],
  ] as const;
  const outline = corners.flatMap(([column, row], side) => {
    const [endColumn, endRow] = corners[(side + 1) % corners.length]!;
    return Array.from({ length: OUTLINE_STEPS_A_SIDE }, (_, step): Position => {
      const share = step / OUTLINE_STEPS_A_SIDE;
      return [...toWgs84(column + share * (endColumn - column), row + share * (endRow - row))];
    });
  });
  const onEarth = outline.filter(([longitude, latitude]) => Number.isFinite(longitude) && Number.isFinite(latitude));
  return onEarth.length > 0 && unwrapLongitudes(onEarth) !== 0;
}

function minus(a: Position, b: Position): Position {
  return [a[0]! - b[0]!, a[1]! - b[1]!];
}

function cross(a: Position, b: Position): number {
  return a[0]! * b[1]! - a[1]! * b[0]!;
}
