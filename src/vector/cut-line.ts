import type { Position } from 'geojson';
import { turnOf } from './longitudes.ts';

/**
 * Cuts a line at the antimeridian and normalises each part to longitudes -180 to 180 (RFC 7946, section 3.1.9).
 * @param line with continuous longitudes; each step less than half a turn
 */
export function cutLineAtAntimeridian(line: readonly Position[]): Position[][] {
  const parts: Position[][] = [];
  let part: Position[] = [];
  line.forEach(([longitude, latitude], index) => {
    const turn = turnOf(longitude!);
    const before = line[index - 1];
    if (before && turn !== turnOf(before[0]!)) {
      const meridian = 360 * Math.max(turn, turnOf(before[0]!)) - 180;
      const share = (meridian - before[0]!) / (longitude! - before[0]!);
      const crossing = before[1]! + share * (latitude! - before[1]!);
      part.push([meridian - 360 * turnOf(before[0]!), crossing]);
      parts.push(part);
      part = [[meridian - 360 * turn, crossing]];
    }
    part.push([longitude! - 360 * turn, latitude!]);
  });
  parts.push(part);
  return parts.filter((points) => points.some(([x, y]) => x !== points[0]![0] || y !== points[0]![1]));
}
