import type { Polygon } from 'geojson';
import type { Database } from '../../src/database/database.ts';
import type { NewScene, Scene } from '../../src/scene/scene.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type { StoredAdjacencyInput } from '../../src/segmentation/segmentation.store.ts';
import { box, line, newScene, resultOf, startSegmentation } from '../database/seeds.ts';
import { pixelMeasures } from '../feature/measure-values.ts';

/** Metres of a degree on the equator of WGS 84 (NIMA TR8350.2, table 7): east and north. */
const DEGREE_EAST_M = 111_319.491;
const DEGREE_NORTH_M = 110_574.276;
const ORIGIN_LONGITUDE = 10;

/** Columns and rows of cells of 10 m, counted from 10° E 0° N to the east and to the north; ends excluded. */
export interface Rectangle {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

const CELL_M = 10;
export const longitude = (column: number): number => ORIGIN_LONGITUDE + (column * CELL_M) / DEGREE_EAST_M;
export const latitude = (row: number): number => (row * CELL_M) / DEGREE_NORTH_M;

export function outline({ west, south, east, north }: Rectangle): Polygon {
  return box(longitude(west), latitude(south), longitude(east), latitude(north));
}

/** Names of the cells of rectangles, each once. */
export function cells(rectangles: readonly Rectangle[]): Set<string> {
  const found = new Set<string>();
  for (const { west, south, east, north } of rectangles) {
    for (let column = west; column < east; column++) {
      for (let row = south; row < north; row++) found.add(`${column} ${row}`);
    }
  }
  return found;
}

/** Area of rectangles in square metres, cells counted once. */
export const areaM2 = (rectangles: readonly Rectangle[]): number => cells(rectangles).size * CELL_M ** 2;

export const meet = (a: Rectangle, b: Rectangle): boolean =>
  a.west < b.east && b.west < a.east && a.south < b.north && b.south < a.north;

/** Rectangles of one mask: none overlaps another. */
export function randomRectangles(random: () => number, count: number, side: number): Rectangle[] {
  const found: Rectangle[] = [];
  const within = (from: number, to: number): number => from + Math.floor(random() * (to - from));
  while (found.length < count) {
    const west = within(0, side - 12);
    const south = within(0, side - 12);
    const next = { west, south, east: west + within(2, 12), north: south + within(2, 12) };
    if (!found.some((other) => meet(other, next))) found.push(next);
  }
  return found;
}

export interface StoredRectangle extends Rectangle {
  readonly id: string;
  readonly sceneId: string;
  readonly segmentationId: string;
  readonly prompt: string;
  readonly label: number;
  readonly pixelCount: number;
  readonly meanProbability: number;
}

/** A scene whose footprint is a rectangle. */
export function storeScene(database: Database, footprint: Rectangle, changes: Partial<NewScene> = {}): Promise<Scene> {
  return new SceneRepository(database).insert(newScene({ footprint: outline(footprint), ...changes }));
}

/** Stores rectangles as what one question found; touching pairs are those that share an edge or a corner. */
export async function storeRectangles(
  database: Database,
  sceneId: string,
  prompt: string,
  rectangles: readonly Rectangle[],
  nearM = 0,
): Promise<{ segmentationId: string; stored: StoredRectangle[] }> {
  const { id } = await startSegmentation(database, sceneId, { prompt });
  const features = rectangles.map((rectangle, index) => ({
    label: index + 1,
    geometry: outline(rectangle),
    ...pixelMeasures({ pixelCount: areaM2([rectangle]) / CELL_M ** 2, meanProbability: 0.5 + (index % 40) / 100 }),
  }));
  const result = resultOf(features, { adjacency: touchingPairs(id, rectangles), nearM });
  await new SegmentationRepository(database).storeResult(
    { id, attempts: 1 },
    {
      ...result,
      mask: { ...result.mask, counts: [result.mask.pixelCount] },
    },
  );
  const rows = await database.prisma.feature.findMany({ where: { segmentationId: id } });
  const ids = new Map(rows.map((row) => [row.label, row.id]));
  const stored = features.map(({ label, pixelCount, meanProbability }, index) => ({
    ...rectangles[index]!,
    id: ids.get(label)!,
    sceneId,
    segmentationId: id,
    prompt,
    label,
    pixelCount,
    meanProbability,
  }));
  return { segmentationId: id, stored };
}

/** Metres of edge that two rectangles have in common; 0 unless they touch along an edge. */
export function sharedM(a: Rectangle, b: Rectangle): number {
  const alongX = Math.min(a.east, b.east) - Math.max(a.west, b.west);
  const alongY = Math.min(a.north, b.north) - Math.max(a.south, b.south);
  if (alongX === 0 && alongY > 0) return alongY * CELL_M;
  return alongY === 0 && alongX > 0 ? alongX * CELL_M : 0;
}

/** Metres between two rectangles; 0 when they meet. */
export function gapM(a: Rectangle, b: Rectangle): number {
  const alongX = Math.max(0, a.west - b.east, b.west - a.east);
  const alongY = Math.max(0, a.south - b.north, b.south - a.north);
  return Math.hypot(alongX, alongY) * CELL_M;
}

function touchingPairs(segmentationId: string, rectangles: readonly Rectangle[]): StoredAdjacencyInput[] {
  const found: StoredAdjacencyInput[] = [];
  rectangles.forEach((a, i) =>
    rectangles.slice(i + 1).forEach((b, j) => {
      if (gapM(a, b) > 0) return;
      const [x0, x1] = [Math.max(a.west, b.west), Math.min(a.east, b.east)];
      const [y0, y1] = [Math.max(a.south, b.south), Math.min(a.north, b.north)];
      const pair = { segmentationA: segmentationId, labelA: i + 1, segmentationB: segmentationId, labelB: i + j + 2 };
      const atCorner = sharedM(a, b) === 0;
      const border = atCorner ? null : line([longitude(x0), latitude(y0)], [longitude(x1), latitude(y1)]);
      found.push({ ...pair, border, corners: atCorner ? 1 : 0 });
    }),
  );
  return found;
}
