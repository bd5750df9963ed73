import type { PixelWindow } from '../raster/window.ts';

/**
 * The fill around the picture of an image that was turned, warped or cut to a swath and stored without nodata: a constant in
 * every band, from the edge of the image up to the straight sides of the picture.
 */
export interface Collar {
  /** What fills it, in every band. */
  readonly value: number;
  /** How far samples of lossy formats lie from the value. */
  readonly tolerance: number;
  /** Convex ring around the picture, scene pixels, open; pixels inside are data whatever their value. */
  readonly picture: readonly (readonly [x: number, y: number])[];
  /** Share of the pixels of the image, 0 to 1. */
  readonly share: number;
}

/** Values of an image at fewer pixels, each that of one pixel. */
export interface ReducedBands {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bands: readonly ArrayLike<number>[];
}

/** Smallest share of an image that counts as a collar, and that the picture has to have. */
const MIN_COLLAR = 0.001;
const MIN_PICTURE = 0.05;
/** Sides of a picture are straight or bent by a projection; a coast or the edge of a shadow takes more lines than this. */
const MAX_SIDES = 20;
/** How far the outline of the picture may be from the lines, reduced pixels. */
const LINE_PX = 1.5;
/** Share of the collar that may lie inside the convex ring: notches at the edge of the image do. */
const MAX_INSIDE = 0.2;
/** How far a bent side may be inside the convex ring, as a share of the longer side of the image. */
const MAX_BEND = 0.02;
/** Values of the first band in the picture; fewer are a drawing, of which nothing can be told. */
const MIN_VALUES = 16;

type Point = readonly [x: number, y: number];

/**
 * Finds the collar of an image. Dark or white ground that touches the edge is none: its outline is neither straight nor leaves
 * a convex picture.
 * @param values that fill collars
 * @param size of the image, pixels
 * @returns null where there is none
 */
export function collarOf(
  reduced: ReducedBands,
  values: readonly number[],
  tolerance: number,
  size: { readonly widthPx: number; readonly heightPx: number },
): Collar | null {
  const { widthPx, heightPx, bands } = reduced;
  const corners = [0, widthPx - 1, (heightPx - 1) * widthPx, heightPx * widthPx - 1];
  for (const value of values) {
    const isFill = (pixel: number): boolean => bands.every((band) => Math.abs(band[pixel]! - value) <= tolerance);
    if (!corners.some(isFill)) continue;
    const outside = connectedToEdge(widthPx, heightPx, isFill);
    const ring = pictureRing(reduced, outside);
    if (ring === null) continue;
    const [across, down] = [size.widthPx / widthPx, size.heightPx / heightPx];
    return {
      value,
      tolerance,
      picture: ring.map(([x, y]): Point => [x * across, y * down]),
      share: outside.reduce((sum, one) => sum + one, 0) / outside.length,
    };
  }
  return null;
}

/** Pixels that fill reaches from the edge, 1 for each. */
function connectedToEdge(widthPx: number, heightPx: number, isFill: (pixel: number) => boolean): Uint8Array {
  const reached = new Uint8Array(widthPx * heightPx);
  const pending: number[] = [];
  const reach = (pixel: number): void => {
    if (reached[pixel] === 1 || !isFill(pixel)) return;
    reached[pixel] = 1;
    pending.push(pixel);
  };
  for (let x = 0; x < widthPx; x++) [x, (heightPx - 1) * widthPx + x].forEach(reach);
  for (let y = 0; y < heightPx; y++) [y * widthPx, y * widthPx + widthPx - 1].forEach(reach);
  for (let pixel = pending.pop(); pixel !== undefined; pixel = pending.pop()) {
    const x = pixel % widthPx;
    if (x > 0) reach(pixel - 1);
    if (x < widthPx - 1) reach(pixel + 1);
    if (pixel >= widthPx) reach(pixel - widthPx);
    if (pixel < (heightPx - 1) * widthPx) reach(pixel + widthPx);
  }
  return reached;
}

/** The convex ring around the picture, drawn in as far as its sides are bent; null where it is no picture in a collar. */
function pictureRing({ widthPx, heightPx, bands }: ReducedBands, outside: Uint8Array): Point[] | null {
  const filled = outside.reduce((sum, one) => sum + one, 0);
  const pixels = widthPx * heightPx;
  if (filled < MIN_COLLAR * pixels || pixels - filled < MIN_PICTURE * pixels) return null;
  const seen = new Set<number>();
  for (let pixel = 0; pixel < pixels && seen.size < MIN_VALUES; pixel++) {
    if (outside[pixel] === 0) seen.add(bands[0]![pixel]!);
  }
  if (seen.size < MIN_VALUES) return null;
  const { left, right, gaps } = rowEnds(widthPx, heightPx, outside);
  const outline = [...left, ...right.toReversed()];
  if (gaps > MIN_COLLAR * pixels || linesOf(left) + linesOf(right) > MAX_SIDES) return null;
  const hull = convexHull(outline);
  const bend = Math.max(...outline.map((point) => distanceTo(hull, point)));
  if (bend > Math.max(2 * LINE_PX, MAX_BEND * Math.max(widthPx, heightPx))) return null;
  if (insideOf(hull, outside, widthPx) > MAX_INSIDE * filled) return null;
  return drawnIn(hull, bend + LINE_PX, widthPx, heightPx);
}

/** Pixels of the collar in a ring. */
function insideOf(ring: readonly Point[], outside: Uint8Array, widthPx: number): number {
  return outside.reduce((sum, one, pixel) => {
    const x = (pixel % widthPx) + 0.5;
    if (one === 0) return sum;
    const [first, last] = spanAt(ring, Math.floor(pixel / widthPx) + 0.5);
    return x > first && x < last ? sum + 1 : sum;
  }, 0);
}

/** Ends of the picture in each row, as corners of pixels, and the pixels of the collar between them. */
function rowEnds(widthPx: number, heightPx: number, outside: Uint8Array) {
  const [left, right]: [Point[], Point[]] = [[], []];
  let gaps = 0;
  for (let y = 0; y < heightPx; y++) {
    const row = outside.subarray(y * widthPx, (y + 1) * widthPx);
    const [first, last] = [row.indexOf(0), row.lastIndexOf(0)];
    if (first < 0) continue;
    for (let x = first; x <= last; x++) gaps += row[x]!;
    left.push([first, y], [first, y + 1]);
    right.push([last + 1, y], [last + 1, y + 1]);
  }
  return { left, right, gaps };
}

/** Straight lines that a path takes to within {@link LINE_PX}, by Douglas and Peucker's method. */
function linesOf(path: readonly Point[]): number {
  const pending: [from: number, to: number][] = [[0, path.length - 1]];
  let lines = 0;
  for (let part = pending.pop(); part && lines <= MAX_SIDES; part = pending.pop()) {
    const [from, to] = part;
    let [farthest, away] = [from, LINE_PX];
    for (let index = from + 1; index < to; index++) {
      const distance = distanceToSegment(path[index]!, path[from]!, path[to]!);
      if (distance > away) [farthest, away] = [index, distance];
    }
    if (farthest === from) lines++;
    else pending.push([from, farthest], [farthest, to]);
  }
  return lines;
}

function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

function distanceTo(ring: readonly Point[], point: Point): number {
  return Math.min(...ring.map((from, index) => distanceToSegment(point, from, ring[(index + 1) % ring.length]!)));
}

/** Andrew's monotone chain; without points on straight edges. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (along: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const point of along) {
      while (chain.length > 1 && turn(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** The ring scaled about its middle so that its sides lie `byPx` farther inside; those along the edge of the image stay. */
function drawnIn(ring: readonly Point[], byPx: number, widthPx: number, heightPx: number): Point[] {
  const edges = ring.map((from, index) => [from, ring[(index + 1) % ring.length]!] as const);
  const isOnEdge = ([a, b]: readonly [Point, Point]): boolean =>
    (a[0] === b[0] && (a[0] === 0 || a[0] === widthPx)) || (a[1] === b[1] && (a[1] === 0 || a[1] === heightPx));
  return edges.reduce<Point[]>((rest, edge) => (isOnEdge(edge) ? rest : clipped(rest, edge, byPx)), [...ring]);
}

/** The part of a convex ring that lies left of a line by a distance or more (Sutherland and Hodgman). */
function clipped(ring: readonly Point[], [a, b]: readonly [Point, Point], byPx: number): Point[] {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const inside = (point: Point): number => turn(a, b, point) / length - byPx;
  return ring.flatMap((point, index) => {
    const next = ring[(index + 1) % ring.length]!;
    const [here, there] = [inside(point), inside(next)];
    const kept = here >= 0 ? [point] : [];
    if (here < 0 === there < 0) return kept;
    const share = here / (here - there);
    return [...kept, [point[0] + share * (next[0] - point[0]), point[1] + share * (next[1] - point[1])] as Point];
  });
}

/**
 * Marks the pixels of a collar as no data.
 * @param valid of the window, changed
 * @param bands of the window, before they are stretched
 * @param window in pixels of the level that was read
 * @param perPixel scene pixels for each pixel of the level, across and down
 */
export function markCollar(
  valid: Uint8Array,
  bands: readonly ArrayLike<number>[],
  { value, tolerance, picture }: Collar,
  window: PixelWindow,
  perPixel: readonly [across: number, down: number],
): void {
  for (let row = 0; row < window.height; row++) {
    const [first, last] = spanAt(picture, (window.y + row + 0.5) * perPixel[1]);
    for (let column = 0; column < window.width; column++) {
      const x = (window.x + column + 0.5) * perPixel[0];
      if (x >= first && x <= last) continue;
      const pixel = row * window.width + column;
      if (bands.every((band) => Math.abs(band[pixel]! - value) <= tolerance)) valid[pixel] = 0;
    }
  }
}

/** Where a row lies in a convex ring; an empty span where it does not. */
function spanAt(ring: readonly Point[], y: number): [first: number, last: number] {
  let [first, last] = [Infinity, -Infinity];
  ring.forEach(([ax, ay], index) => {
    const [bx, by] = ring[(index + 1) % ring.length]!;
    if (ay <= y === by <= y) return;
    const x = ax + ((y - ay) / (by - ay)) * (bx - ax);
    [first, last] = [Math.min(first, x), Math.max(last, x)];
  });
  return [first, last];
}
