import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdjacencyGraphRepository } from '../../src/analysis/adjacency-graph.repository.ts';
import { ChangeRepository } from '../../src/analysis/change.repository.ts';
import { FEATURE_GROUPINGS } from '../../src/analysis/statistics.ts';
import { StatisticsRepository } from '../../src/analysis/statistics.repository.ts';
import { ZoneRepository } from '../../src/analysis/zone.repository.ts';
import type { Zones } from '../../src/analysis/zones.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureExportRepository } from '../../src/export/feature-export.repository.ts';
import { SORTED_MEASURES } from '../../src/feature/measures.ts';
import { featurePageSql } from '../../src/feature/feature-page.repository.ts';
import { box } from '../database/seeds.ts';
import { indexesOf, planOf, plansDuring, scansFeature } from '../database/explained-database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { at, copyInOtherScene, FIRST_DAY, scatterOverScenes, seedFeatures } from './seeded-features.ts';

const COUNT = 100_000;

describe.skipIf(!process.env['DATABASE_URL'])(
  `the plan at ${COUNT} features (PostgreSQL only: PGlite stores them too slowly)`,
  () => {
    let database: Database;
    /** Segmentations of two scenes on the same ground, and a feature of the first. */
    let older: string;
    let newer: string;
    let featureId: string;
    beforeAll(async () => {
      database = await openTestDatabase();
      await seedFeatures(database, COUNT);
      newer = await copyInOtherScene(database, 2000);
      await scatterOverScenes(database, 500);
      const feature = await database.prisma.feature.findFirstOrThrow({ where: { label: 1 } });
      [older, featureId] = [feature.segmentationId, feature.id];
    }, 900_000);
    afterAll(() => database.close());

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
      ['a time', { acquired: { from: FIRST_DAY, to: FIRST_DAY } }, 'feature_scene'],
      ['a time and a place', { acquired: { to: FIRST_DAY }, intersects: few }, 'feature_geometry_gist'],
      [
        'a time or a place',
        { or: [{ acquired: { from: FIRST_DAY, to: FIRST_DAY } }, { intersects: few }] },
        'feature_scene',
      ],
      ['a place, not of a time', { intersects: few, not: { acquired: { to: FIRST_DAY } } }, 'feature_geometry_gist'],
      ['a large area', { areaM2: { min: 1e6 } }, 'feature_largest'],
      ['a small area', { areaM2: { max: 1 } }, 'feature_largest'],
      ['a perimeter', { perimeterM: { min: 1e6 } }, 'feature_longest'],
      ['a compactness', { compactness: { min: 0.999 } }, 'feature_most_compact'],
      ['a probability', { meanProbability: { min: 0.9999 } }, 'feature_mean_probability'],
      ['a prompt', { promptContains: 'zebra' }, 'feature_label'],
      ['a model', { modelId: 'zebra' }, 'feature_label'],
      ['a neighbour', { adjacentTo: { intersects: few } }, 'feature_geometry_gist'],
      ['a neighbour of any scene', { adjacentTo: { intersects: few }, adjacentReachM: 50 }, 'feature_geography_gist'],
      ['a neighbour of a place', { intersects: few, adjacentTo: {}, adjacentReachM: 50 }, 'feature_geography_gist'],
      ['a neighbour of a prompt', { adjacentTo: { promptContains: '"zebra"' }, adjacentReachM: 50 }, 'feature_label'],
      ['ground that counts once, at a place', { distinct: true, intersects: few }, 'feature_geometry_gist'],
      ['ground that counts once, of a segmentation', { distinct: true, segmentationId: unknown }, 'feature_label'],
      ['a near place', { adjacentTo: { intersects: few }, adjacentWithinM: 35 }, 'feature_geography_gist'],
      ['a neighbour within a gap', { intersects: few, adjacentTo: {}, adjacentWithinM: 35 }, 'feature_geography_gist'],
    ])('by %s uses its index and scans no table of features', async (_what, filter, index) => {
      const plan = await planOf(
        database,
        Prisma.sql`SELECT f.id FROM ${database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, database.scope)}`,
      );
      expect(indexesOf(plan)).toContain(index);
      expect(plan.filter(scansFeature)).toEqual([]);
    });

    it('by distance gets the nearest from the index in order, without measuring the others', async () => {
      const filter = { near: { geometry: point, withinM: 100_000 } };
      const { body } = featurePageSql(database.scope, filter, { by: 'DISTANCE', direction: 'ASC' }, { first: 50 });
      const plan = await planOf(database, Prisma.sql`SELECT f.id ${body}`);
      expect(
        plan.some((node) => node['Index Name'] === 'feature_geography_gist' && node['Order By'] !== undefined),
      ).toBe(true);
      expect(plan.filter(scansFeature)).toEqual([]);
    });

    it.each([...SORTED_MEASURES.map(({ sortKey }) => sortKey), 'CREATED' as const])(
      'by %s gets the first of all from an index in order',
      async (by) => {
        for (const direction of ['ASC', 'DESC'] as const) {
          const plan = await plansDuring(database, (explained) =>
            new FeatureRepository(explained).find({}, { by, direction }, { first: 50 }),
          );
          expect(indexesOf(plan).length).toBeGreaterThan(0);
          expect(plan.filter(scansFeature)).toEqual([]);
        }
      },
    );

    it.each<[string, (explained: Database, filter: FeatureFilter) => Promise<unknown>]>([
      ['sums by cell', (on, filter) => new StatisticsRepository(on).totals(filter, ['GRID_1KM'], 9)],
      ['sums by owner', (on, filter) => new StatisticsRepository(on).totals(filter, ['SEGMENTATION', 'SCENE'], 9)],
      ['a number', (on, filter) => new FeatureRepository(on).count(filter)],
    ])('of %s in a box reads the index of cells alone, but for outlines at the edge', async (_what, work) => {
      await database.execute(Prisma.sql`VACUUM feature`);
      const filter: FeatureFilter = { bbox: [...at(100, 100), ...at(900, 900)], areaM2: { min: 1 } };
      const plan = await plansDuring(database, (explained) => work(explained, filter));
      expect(plan).toContainEqual(
        expect.objectContaining({ 'Node Type': 'Index Only Scan', 'Index Name': 'feature_cell' }),
      );
      expect(indexesOf(plan).filter((index) => index !== 'feature_cell')).toEqual(
        Array.from({ length: 4 }, () => 'feature_geometry_gist'),
      );
      expect(plan.filter(scansFeature)).toEqual([]);
    });

    const outlines: Zones = { kind: 'OUTLINES', outlines: [few] };
    const features = (): Zones => ({ kind: 'FEATURES', ids: [featureId] });
    const place: FeatureFilter = { intersects: few };
    it.each<[string, (explained: Database) => Promise<unknown>, string]>([
      [
        'the sums of statistics',
        (on) => new StatisticsRepository(on).totals(place, FEATURE_GROUPINGS, 9),
        'feature_geometry_gist',
      ],
      [
        'the sums of grid cells',
        (on) => new StatisticsRepository(on).totals(place, ['GRID_1KM'], 9),
        'feature_geometry_gist',
      ],
      [
        'quantiles',
        (on) => new StatisticsRepository(on).areaQuantiles(place, ['GRID_10KM'], [0.5]),
        'feature_geometry_gist',
      ],
      ['united areas', (on) => new StatisticsRepository(on).unionAreas(place, ['GRID_1KM']), 'feature_geometry_gist'],
      ['borders', (on) => new StatisticsRepository(on).borders(place, ['GRID_1KM', 'PROMPT']), 'feature_adjacency_b'],
      ['extents', (on) => new StatisticsRepository(on).reaches(place, ['GRID_1KM']), 'feature_geometry_gist'],
      ['zones', (on) => new ZoneRepository(on).describe(features()), 'feature_of_workspace'],
      ['what covers outlines', (on) => new ZoneRepository(on).coverage(outlines, {}), 'feature_geometry_gist'],
      ['what covers features', (on) => new ZoneRepository(on).coverage(features(), {}), 'feature_geometry_gist'],
      ['the nearest to outlines', (on) => new ZoneRepository(on).nearest(outlines, {}), 'feature_geography_gist'],
      ['the nearest to features', (on) => new ZoneRepository(on).nearest(features(), {}), 'feature_geography_gist'],
      ['the parts that changed', (on) => new ChangeRepository(on).parts(older, newer), 'feature_label'],
      ['overlaps of a change', (on) => new ChangeRepository(on).overlaps(older, newer), 'feature_geometry_gist'],
      ['overlaps of a change back', (on) => new ChangeRepository(on).overlaps(newer, older), 'feature_geometry_gist'],
      ['nodes of a graph', (on) => new AdjacencyGraphRepository(on).nodes(place, 9), 'feature_geometry_gist'],
      [
        'edges of a graph',
        (on) => new AdjacencyGraphRepository(on).edges(place, { reachM: 50 }, 9),
        'feature_geography_gist',
      ],
      [
        'edges within a gap',
        (on) => new AdjacencyGraphRepository(on).edges(place, { reachM: 50, withinM: 35 }, 9),
        'feature_geography_gist',
      ],
      [
        'neighbours',
        (on) => new FeatureRepository(on).neighbours([featureId], { reachM: 50 }, { first: 9 }),
        'feature_geography_gist',
      ],
      [
        'neighbours within a gap',
        (on) => new FeatureRepository(on).neighbours([featureId], { reachM: 50, withinM: 35 }, { first: 9 }),
        'feature_geography_gist',
      ],
      [
        'the number of neighbours',
        (on) => new FeatureRepository(on).neighbourCounts([featureId], { reachM: 50 }),
        'feature_adjacency_b',
      ],
      [
        'features of segmentations',
        (on) => new FeatureRepository(on).findIn([older, newer], {}, { by: 'AREA', direction: 'ASC' }, { first: 9 }),
        'feature_label',
      ],
      [
        'a file',
        (on) =>
          new FeatureExportRepository(on).choose({
            filter: place,
            order: { by: 'AREA', direction: 'DESC' },
            limit: 9,
            outline: 'WKT',
            precision: 7,
            simplifyM: 0,
            byPrompt: false,
          }),
        'feature_geometry_gist',
      ],
    ])('of %s uses its index and scans no table of features', async (_what, work, index) => {
      const plan = await plansDuring(database, work);
      expect(indexesOf(plan)).toContain(index);
      expect(plan.filter(scansFeature)).toEqual([]);
    });
  },
);
