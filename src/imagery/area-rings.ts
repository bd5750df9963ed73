import { bbox, bboxClip, multiPoint, polygon } from '@turf/turf';
import type { MultiPolygon, Polygon, Position } from 'geojson';
import { mapToPixel, pixelToMap, type Affine } from '../raster/affine.ts';
import type { PixelRing } from '../raster/area-mask.ts';
import type { Crs } from './crs/crs.ts';

/** An image on the ground. */
export interface GroundImage {
  readonly affine: Affine;
  readonly crs: Crs;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Part of the ground that holds the image: longitudes are continuous, so that they may exceed ±180. */
interface GroundWindow {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** From longitude and latitude to the scene frame, continuous over a {@link GroundWindow}. */
type ToPixel = (longitude: number, latitude: number) => [number, number];

const SAMPLES_A_SIDE = 33;
/** Added around the image on each side: edges between samples may bulge. */
const MARGIN_SHARE = 0.02;
/** Longest piece of an edge before its straightness is looked at, degrees. */
const PIECE_DEG = 5;
const MAX_DEVIATION_PX = 0.1;
const MAX_HALVINGS = 12;
/** As near to a pole as a projection that has none is asked for. */
const POLE_DEG = 90 - 1e-7;

/**
 * Rings of an area of interest in the scene frame. Edges are straight in longitude and latitude (RFC 7946, section 3.1.1)
 * and followed by vertices until they deviate less than a tenth of a pixel. Only what lies about the image is projected,
 * since a projection has no place for the rest of the world.
 * @returns rings whose even-odd interior is the area; empty where area and image do not meet
 */
export function areaRings(area: Polygon | MultiPolygon, image: GroundImage): PixelRing[] {
  const { window, toPixel } = groundWindow(image);
  const polygons = area.type === 'Polygon' ? [area.coordinates] : area.coordinates;
  return polygons.flat().flatMap((ring) =>
    [-360, 0, 360].flatMap((turn) => {
      const shifted = ring.map(([longitude, latitude]): Position => [longitude! + turn, latitude!]);
      // Doubled edges along the sides of the window enclose nothing.
      const inside = bboxClip(polygon([shifted]), [window.west, window.south, window.east, window.north]);
      return inside.geometry.coordinates.map((clipped) => followed(clipped as Position[], toPixel));
    }),
  );
}

/** Where the image lies, and how its longitudes and latitudes become pixels. */
function groundWindow(image: GroundImage): { window: GroundWindow; toPixel: ToPixel } {
  const { affine, crs, widthPx, heightPx } = image;
  const at = (across: number, down: number): [number, number] =>
    crs.toWgs84(pixelToMap(affine, across * widthPx, down * heightPx));
  const centre = at(0.5, 0.5);
  const shares = Array.from({ length: SAMPLES_A_SIDE }, (_, index) => index / (SAMPLES_A_SIDE - 1));
  const sampled = shares
    .flatMap((across) => shares.map((down) => at(across, down)))
    .filter(([longitude, latitude]) => Number.isFinite(longitude) && Number.isFinite(latitude))
    .map(([longitude, latitude]): [number, number] => [centre[0] + turned(longitude - centre[0]), latitude]);
  const [minLongitude, minLatitude, maxLongitude, maxLatitude] = bbox(multiPoint(sampled));
  const [west, east] = widened(minLongitude, maxLongitude);
  const [south, north] = widened(minLatitude, maxLatitude);
  const aroundPole = surroundsPole(shares, at);
  const isWide = aroundPole || east - west >= 360 || south <= -90 || north >= 90;
  const middle = (south + north) / 2;
  const seam = seamOf(crs, centre[0], Math.abs(middle) < 80 ? middle : 80 * Math.sign(middle));
  const limits = {
    south: aroundPole && middle < 0 ? -90 : Math.max(-90, south),
    north: aroundPole && middle > 0 ? 90 : Math.min(90, north),
  };
  const { map, repeats } = continuousMap(crs, centre, pixelToMap(affine, widthPx / 2, heightPx / 2), seam);
  const whole = seam !== null && !repeats ? seam.after : centre[0] - 180;
  const window = isWide ? { west: whole, east: whole + 360, ...limits } : { west, east, ...limits };
  return { window, toPixel: (longitude, latitude) => mapToPixel(affine, ...map(longitude, latitude)) };
}

const turned = (degrees: number): number => degrees - 360 * Math.round(degrees / 360);

function widened(low: number, high: number): [number, number] {
  const margin = MARGIN_SHARE * (high - low) + 1e-9;
  return [low - margin, high + margin];
}

/** Whether longitudes go once around along the edges of the image. */
function surroundsPole(shares: readonly number[], at: (across: number, down: number) => [number, number]): boolean {
  const outline = [
    ...shares.map((share) => at(share, 0)),
    ...shares.map((share) => at(1, share)),
    ...shares.map((share) => at(1 - share, 1)),
    ...shares.map((share) => at(0, 1 - share)),
  ];
  const turn = outline.reduce((sum, [longitude], index) => sum + turned(longitude - outline.at(index - 1)![0]), 0);
  return !Number.isFinite(turn) || Math.abs(turn) > 180;
}

/** A meridian at which a projection tears the world apart, from `centre - 180` to `centre + 180`. */
interface Seam {
  readonly after: number;
  /** From the side before the seam to the side after it, in map units. */
  readonly jump: readonly [number, number];
}

/** Looks along a parallel for a step far longer than the others; null for a projection without a seam, as about a pole. */
function seamOf(crs: Crs, centre: number, latitude: number): Seam | null {
  const at = (longitude: number): [number, number] => crs.fromWgs84([longitude, latitude]);
  const length = (from: number, to: number): number => {
    const [a, b] = [at(from), at(to)];
    return Math.hypot(b[0] - a[0], b[1] - a[1]);
  };
  const starts = Array.from({ length: 360 }, (_, index) => centre - 180 + index);
  const steps = starts.map((start) => length(start, start + 1)).filter(Number.isFinite);
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  let [before, after] = [Number.NaN, Number.NaN];
  for (const start of starts) if (length(start, start + 1) > 20 * usual) [before, after] = [start, start + 1];
  if (Number.isNaN(before)) return null;
  for (let i = 0; i < 40; i++) {
    const middle = (before + after) / 2;
    if (length(before, middle) > 10 * usual) after = middle;
    else before = middle;
  }
  const [from, to] = [at(before), at(after)];
  return { after, jump: [to[0] - from[0], to[1] - from[1]] };
}

/**
 * The map made continuous: past the seam of a map that repeats itself, positions go on where the image does.
 * @param place of the image's centre on the map, which may itself lie past the seam
 */
function continuousMap(
  crs: Crs,
  centre: readonly [number, number],
  place: readonly [number, number],
  seam: Seam | null,
): { map: ToPixel; repeats: boolean } {
  const plain: ToPixel = (longitude, latitude) => {
    const [x, y] = crs.fromWgs84([longitude, latitude]);
    return Number.isFinite(x) ? [x, y] : crs.fromWgs84([longitude, Math.max(-POLE_DEG, Math.min(POLE_DEG, latitude))]);
  };
  const projected = plain(...centre);
  const away = [place[0] - projected[0], place[1] - projected[1]] as const;
  const beyond = seam && crs.toWgs84([projected[0] + seam.jump[0], projected[1] + seam.jump[1]]);
  const repeats =
    beyond !== null && Math.abs(turned(beyond[0] - centre[0])) < 1e-6 && Math.abs(beyond[1] - centre[1]) < 1e-6;
  const map: ToPixel = (longitude, latitude) => {
    const [x, y] = plain(longitude, latitude);
    const crossed = repeats && seam ? Number(longitude >= seam.after) - Number(centre[0] >= seam.after) : 0;
    const [jumpX, jumpY] = seam?.jump ?? [0, 0];
    return [x + away[0] - crossed * jumpX, y + away[1] - crossed * jumpY];
  };
  return { map, repeats };
}

/** A closed ring in the scene frame that follows the edges of a closed ring, straight in longitude and latitude. */
function followed(ring: readonly Position[], toPixel: ToPixel): PixelRing {
  const pixels: [number, number][] = [];
  const push = (pixel: [number, number]): void => {
    // Beyond the edge of a projection no pixel lies.
    if (pixel.every(Number.isFinite)) pixels.push(pixel);
  };
  const follow = (from: Position, to: Position, start: [number, number], end: [number, number], left: number): void => {
    const middle: Position = [(from[0]! + to[0]!) / 2, (from[1]! + to[1]!) / 2];
    const pixel = toPixel(middle[0]!, middle[1]!);
    const deviation = Math.hypot(pixel[0] - (start[0] + end[0]) / 2, pixel[1] - (start[1] + end[1]) / 2);
    if (left > 0 && deviation > MAX_DEVIATION_PX) {
      follow(from, middle, start, pixel, left - 1);
      follow(middle, to, pixel, end, left - 1);
    } else push(end);
  };
  ring.slice(1).forEach((to, index) => {
    const from = ring[index]!;
    const pieces = Math.max(
      1,
      Math.ceil(Math.max(Math.abs(to[0]! - from[0]!), Math.abs(to[1]! - from[1]!)) / PIECE_DEG),
    );
    const along = (share: number): Position => [
      from[0]! + share * (to[0]! - from[0]!),
      from[1]! + share * (to[1]! - from[1]!),
    ];
    for (let piece = 0; piece < pieces; piece++) {
      const [begin, finish] = [along(piece / pieces), along((piece + 1) / pieces)];
      follow(begin, finish, toPixel(begin[0]!, begin[1]!), toPixel(finish[0]!, finish[1]!), MAX_HALVINGS);
    }
  });
  return pixels.length === 0 ? [] : [...pixels, pixels[0]!];
}
