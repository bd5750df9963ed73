import type { Database } from '../../src/database/database.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import {
  box,
  compareStored,
  featuresOf,
  line,
  resultOf,
  runningSegmentation,
  startSegmentation,
} from '../database/seeds.ts';

/** Degrees of a metre on the equator, where the scene of these tests lies: 100 m by 100 m cells, 10° E. */
export const METRE = 1 / 111_319.491;
export const cell = (west: number, east: number, south = 0, north = 100) =>
  box(10 + west * METRE, south * METRE, 10 + east * METRE, north * METRE);

/** Identifiers of the scene and of its segmentations, and of one of a scene without georeference. */
export interface StoredIds {
  readonly scene: string;
  readonly water: string;
  readonly roads: string;
  readonly pixels: string;
  readonly pacific: string;
}

/**
 * Stores seven features.
 * @returns with their names by identifier: the initial of the prompt (x for pixels) and the label
 */
export async function storeFeatures(database: Database): Promise<{ ids: StoredIds; names: Map<string, string> }> {
  const store = new SegmentationRepository(database);
  const { scene, segmentation: water } = await runningSegmentation(database);
  // w1 100 × 100 m, w2 20 m east of it, 100 × 200 m, w3 300 m farther, 50 × 100 m
  await store.storeResult(water, resultOf(featuresOf(cell(0, 100), cell(120, 220, 0, 200), cell(520, 570))));
  const roads = await startSegmentation(database, scene.id, { prompt: 'Roads_of 100%' });
  const border = line([10, 100 * METRE], [10 + 100 * METRE, 100 * METRE]);
  const adjacency = [{ segmentationA: water.id, labelA: 1, segmentationB: roads.id, labelB: 1, border, corners: 0 }];
  // r1 on top of w1, 100 × 10 m; r2 inside w2
  await store.storeResult(roads, resultOf(featuresOf(cell(0, 100, 100, 110), cell(155, 165, 50, 60))));
  const pixels = await runningSegmentation(database, {
    crs: null,
    affine: null,
    gsdM: null,
    footprint: null,
    acquiredAt: null,
  });
  await store.storeResult(pixels.segmentation, resultOf(featuresOf(box(10, 0, 300, 20)), { georeferenced: false }));
  const pacific = await startSegmentation(database, scene.id, { prompt: 'Pacific' });
  const halves = [box(179.9, 0, 180, 0.1), box(-180, 0, -179.8, 0.1)].map(({ coordinates }) => coordinates);
  await store.storeResult(pacific, resultOf(featuresOf({ type: 'MultiPolygon', coordinates: halves })));
  await compareStored(database, { adjacency });
  const ids = {
    scene: scene.id,
    water: water.id,
    roads: roads.id,
    pixels: pixels.segmentation.id,
    pacific: pacific.id,
  };
  const initials = new Map([
    [ids.water, 'w'],
    [ids.roads, 'r'],
    [ids.pixels, 'x'],
    [ids.pacific, 'p'],
  ]);
  const rows = await database.prisma.feature.findMany();
  const names = rows.map(({ id, segmentationId, label }) => [id, `${initials.get(segmentationId)}${label}`] as const);
  return { ids, names: new Map(names) };
}
