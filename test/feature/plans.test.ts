import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import { featurePageSql } from '../../src/feature/feature-page.repository.ts';
import { box } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { at, seedFeatures } from './seeded-features.ts';

const COUNT = 100_000;

/** A node of PostgreSQL's plan. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Order By'?: string;
  readonly Plans?: readonly PlanNode[];
}
const PlanRow = z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: z.custom<PlanNode>() })]) });

describe.skipIf(!process.env['DATABASE_URL'])(
  `the plan at ${COUNT} features (PostgreSQL only: PGlite stores them too slowly)`,
  () => {
    let database: Database;
    beforeAll(async () => {
      database = await openTestDatabase();
      await seedFeatures(database, COUNT);
    }, 600_000);
    afterAll(() => database.close());

    async function planOf(statement: Prisma.Sql): Promise<PlanNode[]> {
      const rows = await database.query(PlanRow, Prisma.sql`EXPLAIN (FORMAT JSON) ${statement}`);
      const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
      return rows.flatMap(({ 'QUERY PLAN': [{ Plan }] }) => flat(Plan));
    }
    const scansFeature = (node: PlanNode): boolean =>
      node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'feature';
    const indexesOf = (plan: readonly PlanNode[]): string[] => plan.flatMap((node) => node['Index Name'] ?? []);

    const few = box(...at(100, 100), ...at(130, 130));
    const point = { type: 'Point' as const, coordinates: at(105, 105) };
    const line = { type: 'LineString' as const, coordinates: [at(95, 105), at(125, 105)] };
    const collection = { type: 'GeometryCollection' as const, geometries: [point, few] };
    const unknown = '01900000-0000-7000-8000-ffffffffffff';

    it.each<[string, FeatureFilter, string]>([
      ['bbox', { bbox: [...at(100, 100), ...at(130, 130)] }, 'feature_geometry_gist'],
      ['bbox across the antimeridian', { bbox: [179, 0, -179, 1] }, 'feature_geometry_gist'],
      ['intersects', { intersects: few }, 'feature_geometry_gist'],
      ['within', { within: few }, 'feature_geometry_gist'],
      ['contains', { contains: point }, 'feature_geometry_gist'],
      ['touches', { touches: few }, 'feature_geometry_gist'],
      ['overlaps', { overlaps: few }, 'feature_geometry_gist'],
      ['crosses', { crosses: line }, 'feature_geometry_gist'],
      ['intersects with a collection', { intersects: collection }, 'feature_geometry_gist'],
      ['within a collection', { within: collection }, 'feature_geometry_gist'],
      ['contains a collection', { contains: collection }, 'feature_geometry_gist'],
      ['touches a collection', { touches: collection }, 'feature_geometry_gist'],
      ['overlaps a collection', { overlaps: collection }, 'feature_geometry_gist'],
      ['crosses a collection', { crosses: { ...collection, geometries: [point, line] } }, 'feature_geometry_gist'],
      ['disjoint beside a box', { disjoint: point, intersects: few }, 'feature_geometry_gist'],
      ['near', { near: { geometry: point, withinM: 50 } }, 'feature_geography_gist'],
      ['any of two places', { or: [{ intersects: few }, { contains: point }] }, 'feature_geometry_gist'],
      ['a scene', { sceneId: unknown }, 'feature_scene'],
      ['a segmentation', { segmentationId: unknown }, 'feature_label'],
      ['a large area', { areaM2: { min: 1e6 } }, 'feature_largest'],
      ['a small area', { areaM2: { max: 1 } }, 'feature_largest'],
      ['a perimeter', { perimeterM: { min: 1e6 } }, 'feature_longest'],
      ['a compactness', { compactness: { min: 0.999 } }, 'feature_most_compact'],
      ['a probability', { meanProbability: { min: 0.9999 } }, 'feature_mean_probability'],
      ['a prompt', { promptContains: 'zebra' }, 'feature_label'],
      ['a neighbour', { adjacentTo: { intersects: few } }, 'feature_geometry_gist'],
      ['a neighbour within a gap', { intersects: few, adjacentTo: {}, adjacentWithinM: 35 }, 'feature_geography_gist'],
    ])('by %s uses its index and scans no table of features', async (_what, filter, index) => {
      const plan = await planOf(Prisma.sql`SELECT f.id FROM feature AS f WHERE ${conditionSql(filter)}`);
      expect(indexesOf(plan)).toContain(index);
      expect(plan.filter(scansFeature)).toEqual([]);
    });

    it('by distance gets the nearest from the index in order, without measuring the others', async () => {
      const filter = { near: { geometry: point, withinM: 100_000 } };
      const { body } = featurePageSql(filter, { by: 'DISTANCE', direction: 'ASC' }, { first: 50 });
      const plan = await planOf(Prisma.sql`SELECT f.id ${body}`);
      expect(
        plan.some((node) => node['Index Name'] === 'feature_geography_gist' && node['Order By'] !== undefined),
      ).toBe(true);
      expect(plan.filter(scansFeature)).toEqual([]);
    });
  },
);
