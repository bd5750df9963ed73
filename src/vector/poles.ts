import { booleanClockwise } from '@turf/turf';
import type { Position } from 'geojson';
import type { ToWgs84 } from './ground-position.ts';
import { turnBetween } from './longitudes.ts';

/** Degrees from a pole at which a vertex counts as on it: 0.1 mm on the ground. */
const ON_POLE_DEG = 1e-9;
/** Longest step along a pole, degrees, so that its direction is not ambiguous. */
const MAX_STEP_DEG = 90;

/** The part of a ring from a pole back to it, the pole left out at both ends. */
interface Chain {
  readonly pole: number;
  readonly vertices: readonly Position[];
}

/**
 * Rings through a pole, which has every longitude: they reach the pole along the meridian of the vertex before, turn there
 * about the area until its next edge, and leave along that. Rings that meet at a pole may become one. An edge along a
 * pole is left alone: it belongs to a scene in which the pole is a line and its longitudes count.
 * @param rings of one polygon, the exterior first; the area lies on the same side of all
 * @param isLeft whether the area lies on their left; asked only when a ring passes through a pole
 */
export function alongPoles(rings: readonly Position[][], isLeft: () => boolean): Position[][] {
  const chains: Chain[] = [];
  const others: Position[][] = [];
  for (const ring of rings) {
    const stops = [...ring.keys()].filter((index) => isPassage(ring, index));
    if (stops.length === 0) others.push(ring);
    for (const [order, stop] of stops.entries()) {
      const end = stops[order + 1] ?? stops[0]! + ring.length;
      const vertices = Array.from({ length: end - stop - 1 }, (_, step) => ring[(stop + 1 + step) % ring.length]!);
      chains.push({ pole: 90 * Math.sign(ring[stop]![1]!), vertices });
    }
  }
  if (chains.length === 0) return [...rings];
  const left = isLeft();
  const loops = [90, -90].flatMap((pole) => {
    const own = chains.filter((chain) => chain.pole === pole);
    return joinedAt(pole, own, left);
  });
  return others[0] === rings[0] ? [...others, ...loops] : [...loops, ...others];
}

function isPassage(ring: readonly Position[], index: number): boolean {
  const isPole = ([, latitude]: Position): boolean => Math.abs(latitude!) > 90 - ON_POLE_DEG;
  return isPole(ring[index]!) && !isPole(ring.at(index - 1)!) && !isPole(ring[(index + 1) % ring.length]!);
}

/** Closes chains over a pole. With the area on its left, a ring goes westwards around the north pole. */
function joinedAt(pole: number, chains: readonly Chain[], isLeft: boolean): Position[][] {
  const direction = isLeft === pole > 0 ? -1 : 1;
  const turnTo = (from: Chain, to: Chain): number =>
    withinTurn(direction * (to.vertices[0]![0]! - from.vertices.at(-1)![0]!));
  const open = new Set(chains);
  const loops: Position[][] = [];
  for (const first of chains) {
    const loop: Position[] = [];
    for (let chain = first; open.delete(chain);) {
      const from = chain;
      const next = chains.reduce((nearest, one) => (turnTo(from, one) < turnTo(from, nearest) ? one : nearest));
      const turn = direction * turnTo(from, next);
      const start = from.vertices.at(-1)![0]!;
      const steps = Math.max(1, Math.ceil(Math.abs(turn) / MAX_STEP_DEG));
      loop.push(...from.vertices);
      for (let step = 0; step <= steps; step++) loop.push([turnBetween(0, start + (step / steps) * turn), pole]);
      chain = next;
    }
    if (loop.length > 0) loops.push(loop);
  }
  return loops;
}

/** Degrees as 0 to just below 360. */
const withinTurn = (degrees: number): number => ((degrees % 360) + 360) % 360;

/** Whether the area of a traced exterior lies on its left on the ground: by its winding, and whether the scene is mirrored. */
export function isAreaOnLeft(exterior: ArrayLike<number>, toWgs84: ToWgs84): boolean {
  const ring: Position[] = [];
  for (let i = 0; i < exterior.length; i += 2) ring.push([exterior[i]!, exterior[i + 1]!]);
  const isClockwise = booleanClockwise([...ring, ring[0]!]);
  for (let i = 0; i < exterior.length; i += 2) {
    const turned = handedness(exterior[i]!, exterior[i + 1]!, toWgs84);
    if (turned !== 0) return (isClockwise ? -1 : 1) === turned;
  }
  return isClockwise; // north-up
}

/** 1 where columns to rows turn as east to north, -1 where they turn against it, 0 where it is undetermined. */
function handedness(column: number, row: number, toWgs84: ToWgs84): number {
  const [west, east] = [toWgs84(column - 0.25, row), toWgs84(column + 0.25, row)];
  const [north, south] = [toWgs84(column, row - 0.25), toWgs84(column, row + 0.25)];
  if ([west, east, north, south].some(([, latitude]) => !(Math.abs(latitude) < 90 - 1e-6))) return 0;
  const [acrossLongitude, downLongitude] = [turnBetween(west[0], east[0]), turnBetween(north[0], south[0])];
  if (Math.abs(acrossLongitude) > 90 || Math.abs(downLongitude) > 90) return 0;
  const cross = acrossLongitude * (south[1] - north[1]) - downLongitude * (east[1] - west[1]);
  return Number.isFinite(cross) ? Math.sign(cross) : 0;
}
