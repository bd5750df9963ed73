import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The middle of the area of use of an EPSG system, in its own coordinates and in WGS 84; see the fixtures' README. */
export interface EpsgPosition {
  readonly code: number;
  readonly xy: readonly [number, number];
  readonly lonLat: readonly [number, number];
}

export const epsgPositions: readonly EpsgPosition[] = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/epsg-positions.json'), 'utf8')) as [
    number,
    number,
    number,
    number,
    number,
  ][]
).map(([code, x, y, longitude, latitude]) => ({ code, xy: [x, y], lonLat: [longitude, latitude] }));

/** Metres between two positions that are near each other. */
export function metresApart(a: readonly [number, number], b: readonly [number, number]): number {
  const turn = ((a[0] - b[0] + 540) % 360) - 180;
  return Math.hypot(turn * Math.cos((b[1] * Math.PI) / 180), a[1] - b[1]) * 111_320;
}
