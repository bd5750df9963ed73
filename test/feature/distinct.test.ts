import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';

type Box = readonly [west: number, south: number, east: number, north: number];
interface Stored {
  readonly sceneId: string;
  readonly prompt: string;
  /** Day of the scene; null without a date. */
  readonly day: string | null;
  readonly box: Box;
  readonly segmentationId: string;
}

/** Scenes over the same ground: two of one day at different hours, one of another day, and two without a date. */
const SCENES = ['2026-05-01T08:00:00Z', '2026-05-01T16:00:00Z', '2026-05-02T08:00:00Z', null, null];
const PROMPTS = ['Where is water?', 'roofs'];

let database: Database;
let features: FeatureRepository;
const stored: Stored[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureRepository(database);
  const store = new SegmentationRepository(database);
  const random = seededRandom(16);
  for (const acquiredAt of SCENES) {
    const { scene, segmentation } = await runningSegmentation(database, {
      acquiredAt: acquiredAt === null ? null : new Date(acquiredAt),
    });
    const runs = [segmentation, await startSegmentation(database, scene.id, { prompt: PROMPTS[1]! })];
    for (const run of runs) {
      const boxes = Array.from({ length: 15 }, (): Box => {
        const [west, south] = [10 + (random() * 12) / 1000, 50 + (random() * 12) / 1000];
        return [west, south, west + (2 + random() * 4) / 1000, south + (2 + random() * 4) / 1000];
      });
      await store.storeResult(run, resultOf(featuresOf(...boxes.map((one) => box(...one)))));
      stored.push(
        ...boxes.map((one) => ({
          sceneId: scene.id,
          prompt: run.prompt,
          day: acquiredAt && acquiredAt.slice(0, 10),
          box: one,
          segmentationId: run.id,
        })),
      );
    }
  }
});
afterAll(() => database.close());

interface Found {
  readonly id: string;
  readonly areaM2: number;
  readonly of: Stored;
}

/** All features with what they were stored from. */
async function all(): Promise<Found[]> {
  const { edges } = await features.find({}, { by: 'CREATED', direction: 'ASC' }, { first: 1000 });
  return edges.map(({ node }) => ({
    id: node.id,
    areaM2: node.areaM2!,
    of: stored.find(
      (one) =>
        one.segmentationId === node.segmentationId &&
        one.box.every((at, index) => Math.abs(at - node.bbox[index]!) < 1e-9),
    )!,
  }));
}

/** The same by comparing every feature with every other. */
function distinctAmong(found: readonly Found[]): string[] {
  const overlap = (a: Box, b: Box): number =>
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const size = ([west, south, east, north]: Box): number => (east - west) * (north - south);
  const standsFor = (one: Found, other: Found): boolean =>
    one.of.sceneId !== other.of.sceneId &&
    one.of.prompt === other.of.prompt &&
    one.of.day !== null &&
    one.of.day === other.of.day &&
    (one.areaM2 > other.areaM2 || (one.areaM2 === other.areaM2 && one.id < other.id)) &&
    overlap(one.of.box, other.of.box) >= 0.5 * size(other.of.box);
  return found.filter((other) => !found.some((one) => standsFor(one, other))).map(({ id }) => id);
}

const idsOf = async (filter: Parameters<FeatureRepository['find']>[0]): Promise<string[]> =>
  (await features.find(filter, { by: 'CREATED', direction: 'ASC' }, { first: 1000 })).edges.map(({ node }) => node.id);

describe('distinct features', () => {
  it('are those that a comparison of all pairs leaves', async () => {
    const found = await all();
    expect(found).toHaveLength(stored.length);
    const expected = distinctAmong(found);
    expect(expected.length).toBeLessThan(found.length - 5);
    expect((await idsOf({ distinct: true })).toSorted()).toEqual(expected.toSorted());
    expect(await features.count({ distinct: true })).toBe(expected.length);
    expect(await idsOf({ distinct: false })).toHaveLength(found.length);
  });

  it('are compared with those that match too, so that no ground is lost', async () => {
    const found = await all();
    const sceneId = found[0]!.of.sceneId;
    expect(await idsOf({ sceneId, distinct: true })).toEqual(await idsOf({ sceneId }));
    const some = found.filter((_, index) => index % 3 !== 0);
    const ids = some.map(({ id }) => id);
    expect((await idsOf({ ids, distinct: true })).toSorted()).toEqual(distinctAmong(some).toSorted());
  });
});
