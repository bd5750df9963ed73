import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { keysetSql } from '../../src/database/sql/keyset.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import { orderSql } from '../../src/feature/feature-order.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type { StoredAdjacencyInput } from '../../src/segmentation/segmentation.store.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

/** Squares of 10 m in rows and columns, 30 m apart from one to the next, but every second column touches the one before. */
const SIDE = 100;
const METRE = 1 / 111_319.491;
const COUNT = SIDE * SIDE;

let database: Database;
const ids = { scene: '', segmentation: '' };
beforeAll(async () => {
  database = await openTestDatabase();
  const { scene, segmentation } = await runningSegmentation(database);
  Object.assign(ids, { scene: scene.id, segmentation: segmentation.id });
  const outlines = Array.from({ length: COUNT }, (_, index) => {
    const column = index % SIDE;
    const west = 10 + (Math.floor(column / 2) * 50 + (column % 2) * 10) * METRE;
    const south = Math.floor(index / SIDE) * 40 * METRE;
    return box(west, south, west + 10 * METRE, south + 10 * METRE);
  });
  const adjacency = outlines.flatMap((_, index): StoredAdjacencyInput[] => {
    if (index % 2 === 1) return [];
    const pair = {
      segmentationA: segmentation.id,
      labelA: index + 1,
      segmentationB: segmentation.id,
      labelB: index + 2,
    };
    return [{ ...pair, border: null, corners: 2 }];
  });
  const features = featuresOf(...outlines).map((feature) => ({
    ...feature,
    pixelCount: 1,
    meanProbability: (feature.label % 97) / 97,
  }));
  await new SegmentationRepository(database).storeResult(segmentation, resultOf(features, { adjacency, nearM: 35 }));
  await database.execute(Prisma.sql`ANALYZE feature, feature_adjacency, segmentation, scene`);
}, 300_000);
afterAll(() => database.close());

const Counts = z.object({ touches: z.number(), near: z.number(), gap: z.number() });

describe(`${COUNT} features of one segmentation`, () => {
  it('have every near pair once, and no touching pair among them', async () => {
    const [counts] = await database.query(
      Counts,
      Prisma.sql`
        SELECT count(*) FILTER (WHERE relation = 'TOUCHES')::float8 AS touches,
               count(*) FILTER (WHERE relation = 'NEAR')::float8 AS near, max(gap_m) AS gap FROM feature_adjacency`,
    );
    // Beside: 49 gaps of 30 m in each row. Above: 30 m straight, and 30 m to the one that touches it, corner over corner.
    const beside = (SIDE / 2 - 1) * SIDE;
    const above = SIDE * (SIDE - 1) + 2 * (SIDE / 2) * (SIDE - 1);
    expect(counts).toEqual({ touches: COUNT / 2, near: beside + above, gap: expect.closeTo(30, 1) });
  });
});

const PlanRow = z.object({ 'QUERY PLAN': z.unknown() });
async function planOf(statement: Prisma.Sql): Promise<string> {
  const rows = await database.query(PlanRow, Prisma.sql`EXPLAIN (FORMAT JSON) ${statement}`);
  return JSON.stringify(rows);
}
const selecting = (filter: FeatureFilter): Prisma.Sql =>
  Prisma.sql`SELECT f.id FROM ${database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, database.scope)}`;
const few = box(10, 0, 10 + 60 * METRE, 60 * METRE);

describe('the plan of a query', () => {
  it.each<[string, FeatureFilter, string]>([
    ['bbox', { bbox: [10, 0, 10 + 60 * METRE, 60 * METRE] }, 'feature_geometry_gist'],
    ['bbox across the antimeridian', { bbox: [179, 0, -179, 1] }, 'feature_geometry_gist'],
    ['intersects', { intersects: few }, 'feature_geometry_gist'],
    ['within', { within: few }, 'feature_geometry_gist'],
    ['contains', { contains: { type: 'Point', coordinates: [10, 0] } }, 'feature_geometry_gist'],
    ['touches', { touches: few }, 'feature_geometry_gist'],
    ['overlaps', { overlaps: few }, 'feature_geometry_gist'],
    ['crosses', { crosses: few }, 'feature_geometry_gist'],
    ['near', { near: { geometry: { type: 'Point', coordinates: [10, 0] }, withinM: 50 } }, 'feature_geography_gist'],
  ])('by %s uses its index and scans no table', async (_what, filter, index) => {
    const plan = await planOf(selecting(filter));
    expect(plan).toContain(`"${index}"`);
    expect(plan).not.toContain('"Seq Scan"');
  });

  it('by a gap to neighbours looks each feature up in the index', async () => {
    expect(await planOf(selecting({ intersects: few, adjacentTo: {}, adjacentWithinM: 35 }))).toContain(
      '"feature_geography_gist"',
    );
  });

  it.each([
    ['AREA', 'DESC', 'feature_largest'],
    ['AREA', 'ASC', 'feature_smallest'],
    ['PERIMETER', 'DESC', 'feature_longest'],
    ['COMPACTNESS', 'DESC', 'feature_most_compact'],
    ['PROBABILITY', 'DESC', 'feature_mean_probability'],
    ['PROBABILITY', 'ASC', 'feature_mean_probability'],
    ['CREATED', 'DESC', 'feature_pkey'],
  ] as const)('in the order %s %s walks its index from the cursor on', async (by, direction, index) => {
    const order = orderSql({ by, direction }, database.scope, null);
    const cursor = Buffer.from(JSON.stringify([order.name, 0.5, ids.scene])).toString('base64url');
    for (const page of [
      { first: 50, after: cursor },
      { last: 50, before: cursor },
    ]) {
      const { between, orderBy, limit } = keysetSql(order, page);
      const plan = await planOf(
        Prisma.sql`SELECT f.id FROM ${database.scope.rows('feature')} AS f WHERE ${between} ORDER BY ${orderBy} LIMIT ${limit}::int`,
      );
      expect(plan).toContain(`"${index}"`);
      expect(plan).toContain('"Index Cond"');
      expect(plan).not.toContain('"Sort"');
    }
  });
});
