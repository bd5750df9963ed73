import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { InvalidCursorError } from '../../src/database/sql/cursor.ts';
import type { Feature } from '../../src/feature/feature.ts';
import { FEATURE_SORT_KEYS, type FeatureFilter, type FeatureOrder } from '../../src/feature/feature.filter.ts';
import { SORTED_MEASURES } from '../../src/feature/measures.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import type { Page } from '../../src/page.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { featuresOf, resultOf, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { cell, METRE, storeFeatures, type StoredIds } from './stored-features.ts';

let database: Database;
let features: FeatureRepository;
let ids: StoredIds;
/** Names of the features by identifier: the initial of the prompt and the label. */
let names: Map<string, string>;

beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureRepository(database);
  ({ ids, names } = await storeFeatures(database));
});
afterAll(() => database.close());

const created: FeatureOrder = { by: 'CREATED', direction: 'ASC' };
async function found(filter: FeatureFilter, order: FeatureOrder): Promise<string> {
  const { edges } = await features.find(filter, order, { first: 100 });
  return edges.map(({ node }) => names.get(node.id)).join(' ');
}
/** Stores two features more, one of them first and one last by area. */
async function storeMore(round: number): Promise<void> {
  const more = await startSegmentation(database, ids.scene, { prompt: `later ${round}` });
  const result = resultOf(featuresOf(cell(900, 901 + round, 0, 1), cell(1000, 1900 + round, 0, 900)));
  await new SegmentationRepository(database).storeResult(more, result);
}
const removeMore = () => database.prisma.segmentation.deleteMany({ where: { prompt: { startsWith: 'later' } } });
const point = (x: number, y: number) => ({ type: 'Point' as const, coordinates: [10 + x * METRE, y * METRE] });

describe('an order', () => {
  const near = { geometry: point(600, 50), withinM: 1000 };
  /** The obvious way: sort in memory; features without the value last, equal values in the order of their identifiers. */
  async function sorted(by: FeatureOrder['by'], direction: FeatureOrder['direction']): Promise<string> {
    const all = await features.byIds([...names.keys()]);
    const neighbours = new Map<string, number>();
    for (const { id } of all) {
      neighbours.set(id, (await features.neighbourCounts([id], { reachM: 50 })).get(id)!);
    }
    const valueOf = (feature: Feature): number | null => {
      const measure = SORTED_MEASURES.find(({ sortKey }) => sortKey === by);
      if (measure) return feature[measure.name];
      return by === 'NEIGHBOURS' ? (neighbours.get(feature.id) ?? null) : 0;
    };
    const sign = direction === 'ASC' ? 1 : -1;
    const last = sign * Infinity;
    const order = all.toSorted((a, b) => {
      const [x, y] = [valueOf(a) ?? last, valueOf(b) ?? last];
      return sign * (x === y ? a.id.localeCompare(b.id) : x - y);
    });
    return order.map(({ id }) => names.get(id)).join(' ');
  }

  it.each(FEATURE_SORT_KEYS.filter((by) => by !== 'DISTANCE'))(
    'by %s has features without the value last, in both directions',
    async (by) => {
      for (const direction of ['ASC', 'DESC'] as const) {
        expect(await found({}, { by, direction })).toBe(await sorted(by, direction));
      }
    },
  );

  it('by AREA is what the eye sees', async () => {
    expect(await found({}, { by: 'AREA', direction: 'DESC' })).toBe('p1 w2 w1 w3 r1 r2 x1');
    expect(await found({}, { by: 'AREA', direction: 'ASC' })).toBe('r2 r1 w3 w1 w2 p1 x1');
  });

  it('by DISTANCE tells the distance', async () => {
    const { edges } = await features.find({ near }, { by: 'DISTANCE', direction: 'ASC' }, { first: 9 });
    expect(edges.map(({ node }) => names.get(node.id))).toEqual(['w3', 'w2', 'r2', 'w1', 'r1']);
    expect(edges[0]!.node.distanceM).toBeCloseTo(30, 3);
  });

  it.each(FEATURE_SORT_KEYS)('by %s gives every feature once, page by page', async (by) => {
    const filter = by === 'DISTANCE' ? { near } : {};
    for (const direction of ['ASC', 'DESC'] as const) {
      const whole = await found(filter, { by, direction });
      const seen: (string | undefined)[] = [];
      let after: string | null = null;
      do {
        const page = await features.find(filter, { by, direction }, { first: 2, after });
        seen.push(...page.edges.map(({ node }) => names.get(node.id)));
        after = page.hasNextPage ? page.edges.at(-1)!.cursor : null;
      } while (after !== null);
      expect(seen.join(' ')).toBe(whole);
    }
  });

  it.each(FEATURE_SORT_KEYS)(
    'by %s gives every feature once from the back, and says what is on either side',
    async (by) => {
      const filter = by === 'DISTANCE' ? { near } : {};
      for (const direction of ['ASC', 'DESC'] as const) {
        const whole = await found(filter, { by, direction });
        let seen: (string | undefined)[] = [];
        let before: string | null = null;
        do {
          const page: Page<Feature> = await features.find(filter, { by, direction }, { last: 2, before });
          expect(page.hasNextPage).toBe(before !== null);
          seen = [...page.edges.map(({ node }) => names.get(node.id)), ...seen];
          before = page.hasPreviousPage ? page.edges[0]!.cursor : null;
        } while (before !== null);
        expect(seen.join(' ')).toBe(whole);
      }
    },
  );

  it('has the features between two cursors, from the front and from the back', async () => {
    const { edges } = await features.find({}, created, { first: 9 });
    const between = { after: edges[0]!.cursor, before: edges[4]!.cursor };
    const front = await features.find({}, created, { first: 2, ...between });
    const back = await features.find({}, created, { last: 2, ...between });
    expect(front.edges).toEqual(edges.slice(1, 3));
    expect(back.edges).toEqual(edges.slice(2, 4));
    for (const page of [front, back]) expect(page).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });

  it.each<FeatureOrder['by']>(['AREA', 'PROBABILITY', 'CREATED'])(
    'by %s gives what was there exactly once, whatever is stored between the pages',
    async (by) => {
      for (const direction of ['ASC', 'DESC'] as const) {
        const before = (await found({}, { by, direction })).split(' ');
        const stored = new Set(names.values());
        const seen: string[] = [];
        let after: string | null = null;
        do {
          const page: Page<Feature> = await features.find({}, { by, direction }, { first: 2, after });
          seen.push(...page.edges.map(({ node }) => names.get(node.id) ?? node.id));
          after = page.hasNextPage ? page.edges.at(-1)!.cursor : null;
          await storeMore(seen.length);
        } while (after !== null && seen.length < 100);
        expect(seen.filter((name) => stored.has(name))).toEqual(before);
        await removeMore();
      }
    },
  );

  it('is the same for the features of each of several segmentations, with their number', async () => {
    const order: FeatureOrder = { by: 'DISTANCE', direction: 'ASC' };
    const asked = [ids.water, ids.roads, ids.pixels];
    const pages = await features.findIn(asked, { near }, order, { first: 2 });
    const counts = await features.countsIn(asked, { near });
    for (const segmentationId of asked) {
      const alone = await features.find({ near, segmentationId }, order, { first: 2 });
      expect(pages.get(segmentationId)).toEqual(alone);
      expect(counts.get(segmentationId)).toBe(await features.count({ near, segmentationId }));
    }
  });

  it('refuses a cursor of another order, and nonsense', async () => {
    const { edges } = await features.find({}, { by: 'AREA', direction: 'ASC' }, { first: 1, after: null });
    for (const after of [edges[0]!.cursor, 'nonsense', '']) {
      await expect(features.find({}, { by: 'AREA', direction: 'DESC' }, { first: 1, after })).rejects.toThrow(
        InvalidCursorError,
      );
    }
  });
});
