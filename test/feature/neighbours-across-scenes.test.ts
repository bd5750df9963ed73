import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { checkFilter, type RequestedFilter } from '../../src/feature/check-filter.ts';
import type { NeighbourFilter } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { cell } from './stored-features.ts';

let database: Database;
let features: FeatureRepository;
/** Name of a feature by its identifier: the scene and the label. */
let names: Map<string, string>;
const segmentations: string[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureRepository(database);
  const store = new SegmentationRepository(database);
  const outlines = {
    // a1; a2 30 m east of it
    a: [cell(0, 100), cell(130, 200)],
    // b1 north of a1, with 60 m of common outline; b2 over the middle of a2; b3 40 m, b4 300 m east of a2
    b: [cell(40, 150, 100, 160), cell(160, 180, 20, 40), cell(240, 250), cell(500, 510)],
  };
  const owners = new Map<string, string>();
  for (const [name, boxes] of Object.entries(outlines)) {
    const { segmentation } = await runningSegmentation(database);
    await store.storeResult(segmentation, resultOf(featuresOf(...boxes)));
    owners.set(segmentation.id, name);
    segmentations.push(segmentation.id);
  }
  const rows = await database.prisma.feature.findMany();
  names = new Map(rows.map(({ id, segmentationId, label }) => [id, `${owners.get(segmentationId)}${label}`]));
});
afterAll(() => database.close());

const idOf = (name: string): string => [...names].find(([, other]) => other === name)![0];
async function neighboursOf(name: string, filter: Partial<NeighbourFilter> = {}) {
  const asked = { reachM: 50, ...filter };
  const { edges } = (await features.neighbours([idOf(name)], asked, { first: 9 })).get(idOf(name))!;
  expect((await features.neighbourCounts([idOf(name)], asked)).get(idOf(name))).toBe(edges.length);
  return edges.map(({ node }) => ({ ...node, name: names.get(node.node.id) }));
}
const named = async (...asked: Parameters<typeof neighboursOf>) =>
  (await neighboursOf(...asked)).map(({ name, relation }) => `${relation} ${name}`);

describe('neighbours of two scenes', () => {
  it('are measured where they are not stored, beside those that are', async () => {
    expect(await named('a1')).toEqual(['TOUCHES b1', 'NEAR a2']);
    expect(await named('a2')).toEqual(['TOUCHES b1', 'TOUCHES b2', 'NEAR a1', 'NEAR b3']);
  });

  it('see one another', async () => {
    expect(await named('b1')).toEqual(['TOUCHES a1', 'TOUCHES a2']);
    expect(await named('b4')).toEqual([]);
  });

  it('have border, gap and bearing', async () => {
    const [above] = await neighboursOf('a1');
    expect(above).toMatchObject({ gapM: 0, sharedBorderM: expect.closeTo(60, 1), bearingDeg: expect.closeTo(29.4, 0) });
    const [, over, , east] = await neighboursOf('a2');
    expect(over).toMatchObject({ name: 'b2', relation: 'TOUCHES', gapM: 0, sharedBorderM: 0 });
    expect(east).toMatchObject({ gapM: expect.closeTo(40, 2), sharedBorderM: null, bearingDeg: expect.closeTo(90, 3) });
  });

  it('are filtered by relation, gap and segmentation', async () => {
    expect(await named('a2', { relation: 'TOUCHES' })).toEqual(['TOUCHES b1', 'TOUCHES b2']);
    expect(await named('a2', { relation: 'NEAR' })).toEqual(['NEAR a1', 'NEAR b3']);
    expect(await named('a2', { withinM: 301 })).toContain('NEAR b4');
    expect(await named('a2', { withinM: 35, relation: 'NEAR' })).toEqual(['NEAR a1']);
    expect(await named('a2', { inSegmentationId: segmentations[0]! })).toEqual(['NEAR a1']);
    expect(await named('a2', { inSegmentationId: segmentations[1]! })).toEqual(['TOUCHES b1', 'TOUCHES b2', 'NEAR b3']);
  });

  it('are not looked for when the service stores no near pairs', async () => {
    expect(await named('a2', { reachM: 0, relation: 'NEAR' })).toEqual(['NEAR a1']);
  });
});

const IdRow = z.object({ id: z.string() });
const yes = Prisma.sql`TRUE`;
const large = Prisma.sql`f.area_m2 >= 6000`;

/** The slow twin: every pair of features is looked at. `matches` is a condition on a feature `f`. */
function besideSql(matches: Prisma.Sql, reachM = 50): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM (SELECT f.id, f.scene_id, f.geometry FROM feature AS f WHERE ${matches}) AS n
    WHERE EXISTS (SELECT 1 FROM feature_adjacency AS p WHERE (p.feature_a, p.feature_b) IN ((n.id, f.id), (f.id, n.id)))
       OR n.scene_id <> f.scene_id AND ST_Distance(n.geometry::geography, f.geometry::geography) <= ${reachM}::float8)`;
}

describe('features whose neighbour matches', () => {
  const of = (segmentation: number) => ({ segmentationId: segmentations[segmentation]! });
  const owned = (segmentation: number) => Prisma.sql`f.segmentation_id = ${segmentations[segmentation]!}::uuid`;

  it.each<[string, () => RequestedFilter, () => Prisma.Sql]>([
    ['any', () => ({ adjacentTo: {} }), () => besideSql(yes)],
    [
      'one of another scene',
      () => ({ ...of(0), adjacentTo: of(1) }),
      () => Prisma.sql`${owned(0)} AND ${besideSql(owned(1))}`,
    ],
    [
      'one of the same scene',
      () => ({ ...of(0), adjacentTo: of(0) }),
      () => Prisma.sql`${owned(0)} AND ${besideSql(owned(0))}`,
    ],
    ['one that is owned', () => ({ adjacentTo: of(1) }), () => besideSql(owned(1))],
    ['a large one', () => ({ adjacentTo: { areaM2: { min: 6000 } } }), () => besideSql(large)],
    [
      'none that is large',
      () => ({ not: { adjacentTo: { areaM2: { min: 6000 } } } }),
      () => Prisma.sql`NOT ${besideSql(large)}`,
    ],
    [
      'one of two kinds',
      () => ({ or: [{ adjacentTo: of(0) }, { areaM2: { min: 6000 } }] }),
      () => Prisma.sql`(${besideSql(owned(0))} OR ${large})`,
    ],
    [
      'one whose neighbour matches',
      () => ({ adjacentTo: { adjacentTo: { areaM2: { max: 1600 } } } }),
      () => besideSql(besideSql(Prisma.sql`f.area_m2 <= 1600`)),
    ],
    [
      'one in a place and one that is owned',
      () => ({ and: [{ bbox: [9.9, -0.1, 10.1, 0.1] }, { adjacentTo: of(1) }, { adjacentTo: of(0) }] }),
      () => Prisma.sql`${besideSql(owned(1))} AND ${besideSql(owned(0))}`,
    ],
  ])('%s are those of plain SQL', async (_what, requested, twin) => {
    const filter = checkFilter(requested(), 100, 50);
    const { edges } = await features.find(filter, { by: 'CREATED', direction: 'ASC' }, { first: 99 });
    const rows = await database.query(IdRow, Prisma.sql`SELECT f.id FROM feature AS f WHERE ${twin()} ORDER BY f.id`);
    expect(edges.map(({ node }) => names.get(node.id))).toEqual(rows.map(({ id }) => names.get(id)));
    expect(edges.length).toBeGreaterThan(0);
    expect(edges.length).toBeLessThan(6);
    expect(await features.count(filter)).toBe(edges.length);
    const within = await features.findIn(segmentations, filter, { by: 'AREA', direction: 'DESC' }, { first: 9 });
    expect(segmentations.flatMap((id) => within.get(id)!.edges)).toHaveLength(edges.length);
  });

  it('are within a gap those of plain SQL, whichever side is bounded', async () => {
    for (const around of [{}, { bbox: [9.9, -0.1, 10.1, 0.1] as const }, of(0)]) {
      const filter = checkFilter({ ...around, adjacentTo: of(1), adjacentWithinM: 65 }, 100, 50);
      const { edges } = await features.find(filter, { by: 'CREATED', direction: 'ASC' }, { first: 99 });
      expect(edges.map(({ node }) => names.get(node.id)).join(' ')).toBe(
        'segmentationId' in around ? 'a1 a2' : 'a1 a2 b1 b2 b3',
      );
    }
  });

  it('are those with a stored neighbour alone when no reach is given', async () => {
    const { edges } = await features.find({ adjacentTo: {} }, { by: 'CREATED', direction: 'ASC' }, { first: 9 });
    expect(edges.map(({ node }) => names.get(node.id))).toEqual(['a1', 'a2']);
  });
});
