import type { Position } from 'geojson';

/** Degrees, less than 0.2 mm on the ground: points this close to the antimeridian count as on it. */
const SNAP_DEG = 1e-9;

/** Shortest signed difference from one longitude to another, -180 to 180 degrees. */
export function turnBetween(from: number, to: number): number {
  return to - from - wholeTurns(to - from);
}

/** The multiple of 360 degrees to subtract so that a difference lies within -180 to 180. */
function wholeTurns(turn: number): number {
  return Math.abs(turn) <= 180 ? 0 : 360 * Math.round(turn / 360);
}

/**
 * Makes longitudes continuous along a line or ring: consecutive vertices differ by less than 180 degrees, and longitudes
 * exceed ±180 beyond the antimeridian. Vertices on the antimeridian get exactly 180 plus a multiple of 360.
 * @param line changed in place; a ring's first vertex is not repeated
 * @returns winding number of a ring around the pole, eastwards positive: 0, 1 or -1
 */
export function unwrapLongitudes(line: Position[]): number {
  let previous = line[0]![0]!;
  for (const position of line) {
    // Only multiples of 360 are subtracted, so that a point keeps its digits in every ring through it.
    position[0] = onMeridian(position[0]! - wholeTurns(position[0]! - previous));
    previous = position[0];
  }
  return Math.round(wholeTurns(previous - line[0]![0]!) / 360);
}

/** Snaps a longitude on the antimeridian to 180 plus a multiple of 360; others are unchanged. */
export function onMeridian(longitude: number): number {
  const nearest = 360 * Math.round((longitude - 180) / 360) + 180;
  return Math.abs(longitude - nearest) < SNAP_DEG ? nearest : longitude;
}

/** Number of whole turns in a longitude: 0 from -180 to just below 180. */
export function turnOf(longitude: number): number {
  return Math.floor((longitude + 180) / 360);
}
