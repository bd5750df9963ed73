import type { Geometry, Position } from 'geojson';

/** A straight piece of an outline, in degrees of latitude on both axes, so that lengths compare. */
interface Piece {
  readonly from: Position;
  readonly to: Position;
  readonly box: readonly [west: number, south: number, east: number, north: number];
}

/** Outlines come with seven decimals of a degree; two of one border differ by less than this. */
const TOLERANCE_DEG = 2.5e-7;

/**
 * What two features have in common: the pieces of the first outline that run along the second.
 * @param a polygon or multi-polygon in WGS 84, as the service answers with
 * @returns lines of two positions each, in WGS 84; none where the outlines do not run together
 */
export function commonBorder(a: Geometry, b: Geometry): Position[][] {
  const stretch = stretchOf(a);
  const theirs = piecesOf(b, stretch).toSorted((one, other) => one.box[0] - other.box[0]);
  const widest = Math.max(0, ...theirs.map(({ box }) => box[2] - box[0]));
  const lines: Position[][] = [];
  for (const piece of piecesOf(a, stretch)) {
    const [west, south, east, north] = piece.box;
    for (let index = firstFrom(theirs, west - widest - TOLERANCE_DEG); index < theirs.length; index++) {
      const other = theirs[index]!;
      if (other.box[0] > east + TOLERANCE_DEG) break;
      if (other.box[2] < west - TOLERANCE_DEG) continue;
      if (other.box[1] > north + TOLERANCE_DEG || other.box[3] < south - TOLERANCE_DEG) continue;
      const shared = overlap(piece, other);
      if (shared) lines.push(shared.map(([x, y]) => [x! / stretch, y!]));
    }
  }
  return lines;
}

/**
 * The shortest line between two features that do not touch.
 * @param a polygon or multi-polygon in WGS 84
 * @returns two positions in WGS 84; null where a geometry has no outline
 */
export function shortestLine(a: Geometry, b: Geometry): Position[] | null {
  const stretch = stretchOf(a);
  const theirs = piecesOf(b, stretch);
  const around = boxAround(theirs);
  let best: { readonly squared: number; readonly line: Position[] } | null = null;
  for (const piece of piecesOf(a, stretch)) {
    if (best && boxGapSquared(piece.box, around) >= best.squared) continue;
    for (const other of theirs) {
      if (best && boxGapSquared(piece.box, other.box) >= best.squared) continue;
      for (const line of [
        [piece.from, nearestOn(other, piece.from)],
        [piece.to, nearestOn(other, piece.to)],
        [nearestOn(piece, other.from), other.from],
        [nearestOn(piece, other.to), other.to],
      ] as const) {
        const squared = (line[0][0]! - line[1][0]!) ** 2 + (line[0][1]! - line[1][1]!) ** 2;
        if (!best || squared < best.squared) best = { squared, line: [...line] };
      }
    }
  }
  return best && best.line.map(([x, y]) => [x! / stretch, y!]);
}

/** A degree of longitude in degrees of latitude, at the first position. */
function stretchOf(geometry: Geometry): number {
  const latitude = ringsOf(geometry)[0]?.[0]?.[1] ?? 0;
  return Math.max(1e-6, Math.cos((latitude * Math.PI) / 180));
}

function ringsOf(geometry: Geometry): Position[][] {
  if (geometry.type === 'Polygon') return geometry.coordinates;
  return geometry.type === 'MultiPolygon' ? geometry.coordinates.flat() : [];
}

function piecesOf(geometry: Geometry, stretch: number): Piece[] {
  return ringsOf(geometry).flatMap((ring) =>
    ring.slice(1).map((position, index): Piece => {
      const from = [ring[index]![0]! * stretch, ring[index]![1]!];
      const to = [position[0]! * stretch, position[1]!];
      const [west, east] = [Math.min(from[0]!, to[0]!), Math.max(from[0]!, to[0]!)];
      const [south, north] = [Math.min(from[1]!, to[1]!), Math.max(from[1]!, to[1]!)];
      return { from, to, box: [west, south, east, north] };
    }),
  );
}

/** Index of the first piece that begins at a western edge or east of it; the pieces are sorted by theirs. */
function firstFrom(pieces: readonly Piece[], west: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.box[0] < west) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of a piece that another runs along. */
function overlap({ from, to }: Piece, other: Piece): Position[] | null {
  const [dx, dy] = [to[0]! - from[0]!, to[1]! - from[1]!];
  const length = Math.hypot(dx, dy);
  if (length === 0) return null;
  const along = ([x, y]: Position): number => ((x! - from[0]!) * dx + (y! - from[1]!) * dy) / length;
  const aside = ([x, y]: Position): number => Math.abs((x! - from[0]!) * dy - (y! - from[1]!) * dx) / length;
  if (aside(other.from) > TOLERANCE_DEG || aside(other.to) > TOLERANCE_DEG) return null;
  const ends = [along(other.from), along(other.to)];
  const [start, end] = [Math.max(0, Math.min(...ends)), Math.min(length, Math.max(...ends))];
  if (end - start <= TOLERANCE_DEG) return null;
  return [start, end].map((at) => [from[0]! + (dx * at) / length, from[1]! + (dy * at) / length]);
}

function nearestOn({ from, to }: Piece, [x, y]: Position): Position {
  const [dx, dy] = [to[0]! - from[0]!, to[1]! - from[1]!];
  const squared = dx * dx + dy * dy;
  const share = squared === 0 ? 0 : ((x! - from[0]!) * dx + (y! - from[1]!) * dy) / squared;
  const at = Math.min(1, Math.max(0, share));
  return [from[0]! + dx * at, from[1]! + dy * at];
}

type Box = Piece['box'];

function boxAround(pieces: readonly Piece[]): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { box } of pieces) {
    [west, south] = [Math.min(west, box[0]), Math.min(south, box[1])];
    [east, north] = [Math.max(east, box[2]), Math.max(north, box[3])];
  }
  return [west, south, east, north];
}

/** Square of the distance between two boxes; 0 where they meet. */
function boxGapSquared(a: Box, b: Box): number {
  const x = Math.max(0, b[0] - a[2], a[0] - b[2]);
  const y = Math.max(0, b[1] - a[3], a[1] - b[3]);
  return x * x + y * y;
}
