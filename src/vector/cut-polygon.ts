import type { Position } from 'geojson';
import { AppError } from '../errors.ts';
import { onMeridian, turnBetween } from './longitudes.ts';
import { loopsAroundParts, polygonsOf, simpleLoops } from './simple-loops.ts';

/** Rings cross on the ground because their vertices are too far apart. */
export class CrossingRingsError extends AppError {
  readonly code = 'CROSSING_RINGS';
  constructor(longitude: number, latitude: number) {
    super(`Rings cross near longitude ${longitude}, latitude ${latitude}; trace with a smaller vertex spacing.`);
  }
}

/** An end of a chain on the antimeridian. */
interface End {
  readonly chain: number;
  /** Whether the chain ends here rather than starts. */
  readonly arrives: boolean;
  readonly latitude: number;
  /** Slope of the chain: degrees of latitude per degree of longitude away from the antimeridian. */
  readonly slope: number;
}

/**
 * Cuts an area at the antimeridian (RFC 7946, section 3.1.9): splits the rings into chains there and rejoins the chains
 * along both sides, at -180 and 180, wherever the area lies between them. An area that contains a pole is joined along
 * the pole as well.
 * @param rings open; the area lies on the left of every ring; fewer than 180 degrees of longitude between vertices
 * @returns one set of open rings per part, the exterior first
 * @throws {CrossingRingsError}
 */
export function cutPolygon(rings: readonly Position[][]): Position[][][] {
  const pieces = rings.map(breakAtAntimeridian);
  const loops = pieces.flatMap((piece) => piece.loops);
  const chains = pieces.flatMap((piece) => piece.chains);
  const east = endsAt(180, chains);
  if (east.length > 0 && !east[0]!.arrives)
    chains.push([
      [-180, -90],
      [180, -90],
    ]);
  if (east.length > 0 && east.at(-1)!.arrives)
    chains.push([
      [180, 90],
      [-180, 90],
    ]);
  loops.push(...joined(chains));
  const isOnAntimeridian = ([longitude]: Position): boolean => Math.abs(longitude!) === 180;
  return polygonsOf(loopsAroundParts(loops, isOnAntimeridian).flatMap(simpleLoops));
}

/** Splits a ring into chains that start and end on the antimeridian, dropping edges along it; unchanged if it has no point there. */
function breakAtAntimeridian(ring: readonly Position[]): { loops: Position[][]; chains: Position[][] } {
  const points = withCrossings(ring);
  const first = points.findIndex(([longitude]) => longitude === 180);
  if (first < 0) return { loops: [points], chains: [] };
  const chains: Position[][] = [];
  let chain: Position[] = [];
  for (let i = 0; i <= points.length; i++) {
    const point = points[(first + i) % points.length]!;
    chain.push(point);
    if (point[0] !== 180 || i === 0) continue;
    if (chain.length > 2) chains.push(onSides(chain));
    chain = [point];
  }
  return { loops: [], chains };
}

/** The ring with longitudes -180 to 180 and a point at every crossing of the antimeridian, where longitudes are 180. */
function withCrossings(ring: readonly Position[]): Position[] {
  const points: Position[] = [];
  ring.forEach(([longitude, latitude], index) => {
    const here = turnBetween(0, onMeridian(longitude!));
    const [nextLongitude, nextLatitude] = ring[(index + 1) % ring.length]!;
    const next = here + turnBetween(here, turnBetween(0, onMeridian(nextLongitude!)));
    points.push([Math.abs(here) === 180 ? 180 : here, latitude!]);
    if (Math.abs(here) === 180 || Math.abs(next) <= 180) return;
    const share = (180 * Math.sign(next) - here) / (next - here);
    points.push([180, latitude! + share * (nextLatitude! - latitude!)]);
  });
  return points;
}

/** The chain with its ends at 180 or -180, depending on the side that it arrives from or leaves to. */
function onSides(chain: readonly Position[]): Position[] {
  const sideOf = (neighbour: Position): number => (neighbour[0]! > 0 ? 180 : -180);
  const [first, last] = [chain[0]!, chain.at(-1)!];
  return [[sideOf(chain[1]!), first[1]!], ...chain.slice(1, -1), [sideOf(chain.at(-2)!), last[1]!]];
}

/** Chain ends on one side of the antimeridian, from south to north. */
function endsAt(side: 180 | -180, chains: readonly Position[][]): End[] {
  const ends: End[] = [];
  chains.forEach((points, chain) => {
    for (const arrives of [false, true]) {
      const [end, neighbour] = arrives ? [points.at(-1)!, points.at(-2)!] : [points[0]!, points[1]!];
      if (end[0] !== side) continue;
      const slope = (neighbour[1]! - end[1]!) / Math.abs(neighbour[0]! - side);
      ends.push({ chain, arrives, latitude: end[1]!, slope });
    }
  });
  return ends.toSorted((a, b) => a.latitude - b.latitude || a.slope - b.slope);
}

/** Joins chains into loops. The area lies on the left, so loops go north along 180 and south along -180. */
function joined(chains: readonly Position[][]): Position[][] {
  const next = new Map<number, number>();
  for (const side of [180, -180] as const) {
    const ends = endsAt(side, chains);
    for (let i = 0; i < ends.length; i += 2) {
      const [from, to] = side === 180 ? [ends[i]!, ends[i + 1]] : [ends[i + 1], ends[i]!];
      if (!from?.arrives || !to || to.arrives) throw new CrossingRingsError(side, ends[i]!.latitude);
      next.set(from.chain, to.chain);
    }
  }
  const loops: Position[][] = [];
  for (const first of chains.keys()) {
    const loop: Position[] = [];
    for (let chain = first; next.has(chain);) {
      for (const point of chains[chain]!) {
        loop.push(...stepsTo(loop.at(-1), point), point);
      }
      const following = next.get(chain)!;
      next.delete(chain);
      chain = following;
    }
    if (loop.length > 0) loops.push([...loop, ...stepsTo(loop.at(-1), loop[0]!)]);
  }
  return loops;
}

/** Longest edge along the antimeridian, degrees: from 180 on, a great circle has no direction. */
const MAX_EDGE_DEG = 60;

/** Points between two on the same side of the antimeridian. */
function stepsTo(from: Position | undefined, to: Position): Position[] {
  if (from === undefined || from[0] !== to[0] || Math.abs(from[0]!) !== 180) return [];
  const rise = to[1]! - from[1]!;
  const pieces = Math.ceil(Math.abs(rise) / MAX_EDGE_DEG);
  return Array.from({ length: Math.max(0, pieces - 1) }, (_, index) => [
    from[0]!,
    from[1]! + ((index + 1) / pieces) * rise,
  ]);
}
