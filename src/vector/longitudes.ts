import type { Position } from 'geojson';

/** Degrees; less than 0.2 mm on the ground, so a point this close to the antimeridian lies on it. */
const SNAP_DEG = 1e-9;

/** Shortest turn from one longitude to another, -180 to 180 degrees. */
export function turnBetween(from: number, to: number): number {
  return to - from - wholeTurns(to - from);
}

/** The multiple of 360 degrees that brings a turn to -180 to 180 when it is taken off. */
function wholeTurns(turn: number): number {
  return Math.abs(turn) <= 180 ? 0 : 360 * Math.round(turn / 360);
}

/**
 * Makes longitudes continuous along a line or ring: each vertex less than half a turn from the one before, beyond ±180
 * where it crosses the antimeridian. Vertices on the antimeridian get exactly 180 plus whole turns.
 * @param line changed in place; a ring's first vertex is not repeated
 * @returns how often a ring goes around the pole eastwards: 0, 1 or -1
 */
export function unwrapLongitudes(line: Position[]): number {
  let previous = line[0]![0]!;
  for (const position of line) {
    // Whole turns are taken off, and none from most, so that a point keeps its digits in every ring that passes it.
    position[0] = onMeridian(position[0]! - wholeTurns(position[0]! - previous));
    previous = position[0];
  }
  return Math.round(wholeTurns(previous - line[0]![0]!) / 360);
}

/** 180 plus whole turns for a longitude on the antimeridian, any other as it is. */
export function onMeridian(longitude: number): number {
  const nearest = 360 * Math.round((longitude - 180) / 360) + 180;
  return Math.abs(longitude - nearest) < SNAP_DEG ? nearest : longitude;
}

/** Which whole turn a longitude lies in: 0 from -180 to just below 180. */
export function turnOf(longitude: number): number {
  return Math.floor((longitude + 180) / 360);
}
