import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
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
