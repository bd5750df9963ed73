import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { FeatureChange } from '../../src/analysis/change.ts';
import { ChangeRepository } from '../../src/analysis/change.repository.ts';
import { ChangeService } from '../../src/analysis/change.service.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SceneNotFoundError } from '../../src/scene/scene.service.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { SegmentationNotFoundError } from '../../src/segmentation/segmentation.service.ts';
import { startSegmentation } from '../database/seeds.ts';
import { pixelMeasures } from '../feature/measure-values.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';
import {
  areaM2,
  cells,
  outline,
  randomRectangles,
  type Rectangle,
  type StoredRectangle,
  storeRectangles,
  storeScene,
} from './rectangles.ts';

const SIDE = 150;
const FIRST = { west: 0, south: 0, east: SIDE, north: SIDE };

let database: Database;
beforeAll(async () => (database = await openTestDatabase()));
afterAll(() => database.close());

function between(fromId: string, toId: string, minOverlap = 0.5): Promise<FeatureChange> {
  const segmentations = new SegmentationRepository(database);
  const scenes = new SceneRepository(database);
  const service = new ChangeService(
    {
      async require(id) {
        const found = await segmentations.byId(id);
        if (!found) throw new SegmentationNotFoundError(id);
        return found;
      },
    },
    {
      async get(id) {
        const found = await scenes.byId(id);
        if (!found) throw new SceneNotFoundError(id);
        return found;
      },
    },
    new ChangeRepository(database),
  );
  return service.between(fromId, toId, minOverlap);
}

/** A copy of rectangles some time later: some gone, some moved or grown by cells, some new. */
function later(rectangles: readonly Rectangle[], random: () => number): Rectangle[] {
  const kept: Rectangle[] = [];
  for (const one of rectangles) {
    const dice = random();
    if (dice < 0.2) continue;
    const shift = dice < 0.5 ? 0 : 1 + Math.floor(random() * 3);
    const next = { ...one, west: one.west + shift, east: one.east + shift, north: one.north + (dice > 0.8 ? 2 : 0) };
    if (!kept.some((other) => cells([other, next]).size < cells([other]).size + cells([next]).size)) kept.push(next);
  }
  return kept;
}

function clipped(one: StoredRectangle, frame: Rectangle): StoredRectangle[] {
  const part = {
    ...one,
    west: Math.max(one.west, frame.west),
    south: Math.max(one.south, frame.south),
    east: Math.min(one.east, frame.east),
    north: Math.min(one.north, frame.north),
  };
  return part.west < part.east && part.south < part.north ? [part] : [];
}

const size = ({ west, south, east, north }: Rectangle): number => (east - west) * (north - south);

/** The obvious way: cells as sets, every pair tried, the best taken until none is left. */
function slowTwin(
  from: readonly StoredRectangle[],
  to: readonly StoredRectangle[],
  frame: Rectangle,
  minOverlap: number,
) {
  const before = from.flatMap((one) => clipped(one, frame));
  const after = to.flatMap((one) => clipped(one, frame));
  const pairs: string[] = [];
  const free = { before: new Set(before), after: new Set(after) };
  for (;;) {
    let best: { iou: number; a: StoredRectangle; b: StoredRectangle } | null = null;
    for (const a of free.before) {
      for (const b of free.after) {
        const common = clipped(a, b).reduce((sum, part) => sum + size(part), 0);
        const iou = common / (size(a) + size(b) - common);
        const wins = !best || iou > best.iou || (iou === best.iou && a.id + b.id < best.a.id + best.b.id);
        if (iou > 0 && iou >= minOverlap && wins) best = { iou, a, b };
      }
    }
    if (!best) break;
    pairs.push(`${best.a.id} ${best.b.id}`);
    free.before.delete(best.a);
    free.after.delete(best.b);
  }
  const [old, young] = [cells(before), cells(after)];
  const count = (set: Set<string>, keep: (cell: string) => boolean) => 100 * [...set].filter(keep).length;
  return {
    pairs: pairs.toSorted(),
    appearedIds: [...free.after].map(({ id }) => id).toSorted(),
    vanishedIds: [...free.before].map(({ id }) => id).toSorted(),
    appearedAreaM2: count(young, (cell) => !old.has(cell)),
    vanishedAreaM2: count(old, (cell) => !young.has(cell)),
    persistedAreaM2: count(old, (cell) => young.has(cell)),
  };
}

function expectTwin(change: FeatureChange, twin: ReturnType<typeof slowTwin>): void {
  expect(change.pairs.map(({ fromId, toId }) => `${fromId} ${toId}`).toSorted()).toEqual(twin.pairs);
  expect(change.appearedIds.toSorted()).toEqual(twin.appearedIds);
  expect(change.vanishedIds.toSorted()).toEqual(twin.vanishedIds);
  for (const area of ['appearedAreaM2', 'vanishedAreaM2', 'persistedAreaM2'] as const) {
    // A millionth: the rectangles lie within 3 km of the equator.
    expect(Math.abs(change[area] - twin[area])).toBeLessThanOrEqual(1e-6 * twin[area] + 1e-6);
  }
}

describe('change', () => {
  it.each([
    ['the same ground', FIRST],
    ['ground shifted by half a scene', { west: 70, south: -40, east: 220, north: 110 }],
    ['a small part of the ground', { west: 33, south: 41, east: 77, north: 95 }],
  ])(
    'on %s is what counting cells says',
    async (_what, second) => {
      const random = seededRandom(11);
      const before = randomRectangles(random, 90, SIDE);
      const inside = (one: Rectangle) => cells([one]).size === cells(clipped(one as StoredRectangle, second)).size;
      const [a, b] = [await storeScene(database, FIRST), await storeScene(database, second, { crs: 'EPSG:32632' })];
      const from = await storeRectangles(database, a.id, 'water', before);
      const to = await storeRectangles(database, b.id, 'water', later(before, random).filter(inside));
      const frame = {
        west: Math.max(FIRST.west, second.west),
        south: Math.max(FIRST.south, second.south),
        east: Math.min(FIRST.east, second.east),
        north: Math.min(FIRST.north, second.north),
      };
      for (const minOverlap of [0.5, 0.1, 0.95]) {
        const change = await between(from.segmentationId, to.segmentationId, minOverlap);
        const twin = slowTwin(from.stored, to.stored, frame, minOverlap);
        expectTwin(change, twin);
        expect(twin.pairs.length).toBeGreaterThan(0);
      }
    },
    120_000,
  );

  it('with itself is none at all', async () => {
    const scene = await storeScene(database, FIRST);
    const { segmentationId, stored } = await storeRectangles(
      database,
      scene.id,
      'water',
      randomRectangles(seededRandom(3), 20, SIDE),
    );
    const change = await between(segmentationId, segmentationId, 1);
    expect(change).toMatchObject({ appearedIds: [], vanishedIds: [], appearedAreaM2: 0, vanishedAreaM2: 0 });
    expect(change.persistedAreaM2).toBeCloseTo(areaM2(stored), 0);
    expect(change.pairs.every(({ iou, areaChangeM2 }) => iou === 1 && areaChangeM2 === 0)).toBe(true);
  });

  it('is told only where both areas of interest were', async () => {
    const scene = await storeScene(database, FIRST);
    const water = await storeRectangles(database, scene.id, 'water', [{ west: 0, south: 0, east: 20, north: 10 }]);
    const { id } = await startSegmentation(database, scene.id, {
      areaOfInterest: outline({ west: 10, south: 0, east: 30, north: 10 }),
    });
    await new SegmentationRepository(database).storeResult(
      { id, attempts: 1 },
      {
        mask: { widthPx: 1, heightPx: 1, counts: [1], pixelCount: 0, meanProbability: 0 },
        georeferenced: true,
        features: [],
        adjacency: [],
        nearM: 0,
        emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD',
      },
    );
    const change = await between(water.segmentationId, id);
    expect(change).toMatchObject({ vanishedIds: [water.stored[0]!.id], persistedAreaM2: 0, appearedAreaM2: 0 });
    expect(change.vanishedAreaM2).toBeCloseTo(10_000, 0);
  });

  it('does not see a neighbouring scene through the rounding of a common edge', async () => {
    const east = { west: SIDE, south: 0, east: 2 * SIDE, north: SIDE };
    const [a, b] = [await storeScene(database, FIRST), await storeScene(database, east)];
    const from = await storeRectangles(database, a.id, 'water', [{ west: 140, south: 0, east: 150, north: 10 }]);
    const to = await storeRectangles(database, b.id, 'water', [{ west: 150, south: 0, east: 160, north: 10 }]);
    await expect(between(from.segmentationId, to.segmentationId)).rejects.toMatchObject({ code: 'NO_COMMON_GROUND' });
  });

  it('refuses what cannot be compared, and says why', async () => {
    const scene = await storeScene(database, FIRST);
    const { segmentationId } = await storeRectangles(database, scene.id, 'water', [
      { west: 0, south: 0, east: 2, north: 2 },
    ]);
    const running = await startSegmentation(database, scene.id);
    const pixels = await storeScene(database, FIRST, { crs: null, affine: null, gsdM: null, footprint: null });
    const unplaced = await startSegmentation(database, pixels.id);
    await new SegmentationRepository(database).storeResult(unplaced, {
      mask: { widthPx: 1, heightPx: 1, counts: [1], pixelCount: 0, meanProbability: 0 },
      georeferenced: false,
      features: [],
      adjacency: [],
      nearM: 0,
      emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD',
    });
    const nowhere = '01900000-0000-7000-8000-000000000000';
    const refused = async (fromId: string, toId: string, minOverlap?: number) =>
      between(fromId, toId, minOverlap).then(
        () => null,
        (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
      );
    expect(await refused(segmentationId, running.id)).toBe(
      `SEGMENTATION_NOT_FINISHED: Segmentation ${running.id} is RUNNING; only SUCCEEDED segmentations can be compared.`,
    );
    expect(await refused(unplaced.id, segmentationId)).toBe(
      `SCENE_NOT_GEOREFERENCED: Scene ${pixels.id} of segmentation ${unplaced.id} has no georeference; it cannot be compared.`,
    );
    expect(await refused(segmentationId, nowhere)).toBe(
      `SEGMENTATION_NOT_FOUND: Segmentation ${nowhere} does not exist.`,
    );
    for (const wrong of [0, -1, 1.01, Number.NaN]) {
      expect(await refused(segmentationId, segmentationId, wrong)).toBe(
        `INVALID_OVERLAP: minOverlap is ${wrong}; it must be more than 0 and at most 1.`,
      );
    }
    await database.execute(
      Prisma.sql`UPDATE segmentation SET feature_count = 20001 WHERE id = ${segmentationId}::uuid`,
    );
    expect(await refused(segmentationId, segmentationId)).toBe(
      `CHANGE_TOO_LARGE: Segmentation ${segmentationId} has 20001 features; the limit for a comparison is 20000.`,
    );
  });
});

describe('comparing 2,000 features with 2,000', () => {
  it('finds overlaps by the index', async () => {
    const scene = await storeScene(database, { west: 0, south: 0, east: 1000, north: 1000 });
    const squares = Array.from({ length: 2000 }, (_, index): Rectangle => {
      const [west, south] = [(index % 100) * 3, Math.floor(index / 100) * 3];
      return { west, south, east: west + 2, north: south + 2 };
    });
    const moved = squares.map((one) => ({ ...one, west: one.west + 1, east: one.east + 1 }));
    const from = await storeWithoutNeighbours(scene.id, squares);
    const to = await storeWithoutNeighbours(scene.id, moved);
    await database.execute(Prisma.sql`ANALYZE feature`);
    const statements: Prisma.Sql[] = [];
    const recording: Database = {
      ...database,
      query: (row, statement) => (statements.push(statement), database.query(row, statement)),
    };
    const overlaps = await new ChangeRepository(recording).overlaps(from, to);
    expect(overlaps).toHaveLength(2000);
    const plan = await database.query(
      z.object({ 'QUERY PLAN': z.unknown() }),
      Prisma.sql`EXPLAIN (FORMAT JSON) ${statements[0]!}`,
    );
    expect(JSON.stringify(plan)).toContain('"feature_geometry_gist"');
  }, 240_000);
});

async function storeWithoutNeighbours(sceneId: string, rectangles: readonly Rectangle[]): Promise<string> {
  const { id } = await startSegmentation(database, sceneId);
  await new SegmentationRepository(database).storeResult(
    { id, attempts: 1 },
    {
      mask: { widthPx: 1, heightPx: 1, counts: [0, 1], pixelCount: 1, meanProbability: 0.9 },
      georeferenced: true,
      features: rectangles.map((one, index) => ({
        label: index + 1,
        geometry: outline(one),
        ...pixelMeasures({ pixelCount: 4, meanProbability: 0.9 }),
      })),
      adjacency: [],
      nearM: 0,
      emptyReason: null,
    },
  );
  return id;
}
