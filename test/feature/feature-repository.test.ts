import { area } from '@turf/turf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database } from '../../src/database/database.ts';
import type { Bbox } from '../../src/feature/feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import type { PageRequest } from '../../src/page.ts';
import { box } from '../database/seeds.ts';
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
async function found(filter: FeatureFilter): Promise<string> {
  const { edges } = await features.find(filter, created, { first: 100 });
  expect(await features.count(filter)).toBe(edges.length);
  return edges.map(({ node }) => names.get(node.id)).join(' ');
}
function idOf(name: string): string {
  return [...names].find(([, other]) => other === name)![0];
}
const point = (x: number, y: number) => ({ type: 'Point' as const, coordinates: [10 + x * METRE, y * METRE] });

describe('a filter', () => {
  it.each<[string, () => FeatureFilter, string]>([
    ['nothing', () => ({}), 'w1 w2 w3 r1 r2 x1 p1'],
    ['a scene', () => ({ sceneId: ids.scene }), 'w1 w2 w3 r1 r2 p1'],
    ['features', () => ({ ids: [idOf('w3'), idOf('r1')] }), 'w3 r1'],
    ['no features', () => ({ ids: [] }), ''],
    ['scenes', () => ({ sceneIds: [ids.scene] }), 'w1 w2 w3 r1 r2 p1'],
    ['the whole prompt', () => ({ prompt: 'Pacific' }), 'p1'],
    ['a part of the prompt, where the whole is asked for', () => ({ prompt: 'Pacif' }), ''],
    ['a time of storing', () => ({ created: { from: new Date(0) } }), 'w1 w2 w3 r1 r2 x1 p1'],
    ['a time of storing before', () => ({ created: { to: new Date(0) } }), ''],
    ['a segmentation', () => ({ segmentationId: ids.roads }), 'r1 r2'],
    ['a part of the prompt in any case', () => ({ promptContains: 'ROADS_' }), 'r1 r2'],
    ['a prompt with a sign of patterns', () => ({ promptContains: '0%' }), 'r1 r2'],
    ['a sign of patterns that the prompt lacks', () => ({ promptContains: '_' }), 'r1 r2'],
    ['a model', () => ({ modelId: 'tiny/1' }), 'w1 w2 w3 r1 r2 x1 p1'],
    ['another model', () => ({ modelId: 'tiny/2' }), ''],
    ['a time', () => ({ acquired: { from: new Date('2024-06-01T10:00:00Z') } }), 'w1 w2 w3 r1 r2 p1'],
    ['a later time', () => ({ acquired: { from: new Date('2024-06-01T10:00:01Z') } }), ''],
    ['a box', () => ({ bbox: [10, 0, 10 + 110 * METRE, 50 * METRE] as Bbox }), 'w1'],
    ['a box across the antimeridian', () => ({ bbox: [179, -1, -179, 1] as Bbox }), 'p1'],
    ['intersects', () => ({ intersects: cell(90, 130, 40, 60) }), 'w1 w2'],
    ['within', () => ({ within: cell(-1, 221, -1, 101) }), 'w1 r2'],
    ['contains', () => ({ contains: point(160, 55) }), 'w2 r2'],
    ['touches', () => ({ touches: cell(220, 230) }), 'w2'],
    ['overlaps', () => ({ overlaps: cell(210, 530) }), 'w2 w3'],
    [
      'crosses',
      () => ({ crosses: { type: 'LineString', coordinates: [point(-5, 50).coordinates, point(50, 50).coordinates] } }),
      'w1',
    ],
    ['disjoint', () => ({ segmentationId: ids.water, disjoint: cell(0, 10) }), 'w2 w3'],
    ['near', () => ({ near: { geometry: point(110, 50), withinM: 11 } }), 'w1 w2'],
    ['near, a little nearer', () => ({ near: { geometry: point(110, 50), withinM: 9.9 } }), ''],
    ['an area', () => ({ areaM2: { min: 4000, max: 11_000 } }), 'w1 w3'],
    ['a perimeter', () => ({ perimeterM: { min: 500 } }), 'w2 p1'],
    ['a probability', () => ({ meanProbability: { min: 0.895 } }), 'w1 r1 x1 p1'],
    ['a compactness', () => ({ compactness: { min: 0.78 } }), 'w1 r2'],
    ['a number of neighbours', () => ({ neighbourCount: { min: 2 } }), 'w1 w2 r1'],
    ['a stored neighbour', () => ({ segmentationId: ids.water, adjacentTo: { segmentationId: ids.roads } }), 'w1 w2'],
    [
      'a stored neighbour that has one',
      () => ({ segmentationId: ids.roads, adjacentTo: { adjacentTo: { areaM2: { min: 15_000 } } } }),
      'r1',
    ],
    [
      'a neighbour within a gap',
      () => ({ adjacentTo: { segmentationId: ids.water }, adjacentWithinM: 300.5 }),
      'w1 w2 w3 r1 r2',
    ],
    [
      'a neighbour within a smaller gap',
      () => ({ adjacentTo: { segmentationId: ids.water }, adjacentWithinM: 19 }),
      'r1 r2',
    ],
    ['all of', () => ({ and: [{ segmentationId: ids.water }, { areaM2: { max: 6000 } }] }), 'w3'],
    ['any of', () => ({ or: [{ segmentationId: ids.roads }, { areaM2: { min: 15_000 } }] }), 'w2 r1 r2 p1'],
    ['any of nothing', () => ({ or: [] }), ''],
    ['not', () => ({ not: { segmentationId: ids.water } }), 'r1 r2 x1 p1'],
    [
      'not a place: what has none is not there',
      () => ({ not: { intersects: cell(-1000, 1000, -1000, 1000) } }),
      'x1 p1',
    ],
  ])('by %s', async (_what, filter, expected) => {
    expect(await found(filter())).toBe(expected);
  });

  it('of place never matches a feature in pixels, though its numbers would fit', async () => {
    const world = box(-180, -90, 180, 90);
    for (const filter of [{ intersects: world }, { within: world }, { bbox: [-180, -90, 180, 90] as const }]) {
      expect(await found({ segmentationId: ids.pixels, ...filter })).toBe('');
    }
  });

  it('that names no identifier is refused', async () => {
    await expect(features.count({ sceneId: 'field' })).rejects.toThrow('sceneId "field"');
  });
});

describe('a feature', () => {
  it('has a box that crosses the antimeridian when it does', async () => {
    const feature = await features.byId(idOf('p1'));
    expect(feature!.bbox).toEqual([179.9, 0, -179.8, 0.1]);
    expect(feature!.centroid[0]).toBeCloseTo(-179.95, 6);
  });

  it('is in pixels where the scene has no georeference', async () => {
    expect(await features.byId(idOf('x1'))).toMatchObject({
      georeferenced: false,
      bbox: [10, 0, 300, 20],
      centroid: [155, 10],
      areaM2: null,
    });
    const outlines = await features.geometries([idOf('x1')], { precision: 7, simplifyM: 5 });
    expect(JSON.parse(outlines.get(idOf('x1'))!)).toEqual(box(10, 0, 300, 20));
  });

  it('is written with the decimals that were asked for', async () => {
    const outlines = await features.geometries([idOf('w1'), idOf('w2')], { precision: 3, simplifyM: 0 });
    expect(JSON.parse(outlines.get(idOf('w1'))!)).toEqual(box(10, 0, 10.001, 0.001));
    expect(outlines.size).toBe(2);
  });

  it('is not found under an identifier that cannot be one', async () => {
    expect(await features.byId('nonsense')).toBeNull();
  });
});

describe('neighbours', () => {
  const pageOf = async (name: string, filter: Partial<NeighbourFilter> = {}, page: PageRequest = { first: 10 }) =>
    (await features.neighbours([idOf(name)], { reachM: 50, ...filter }, page)).get(idOf(name))!;
  const countOf = async (name: string, filter: Partial<NeighbourFilter> = {}) =>
    (await features.neighbourCounts([idOf(name)], { reachM: 50, ...filter })).get(idOf(name));
  async function neighboursOf(name: string, filter: Partial<NeighbourFilter> = {}) {
    const { edges } = await pageOf(name, filter);
    expect(edges.length).toBe(await countOf(name, filter));
    return edges.map(({ node }) => `${node.relation} ${names.get(node.node.id)}`);
  }

  it('come nearest first, with border, gap and bearing from either side', async () => {
    expect(await neighboursOf('w1')).toEqual(['TOUCHES r1', 'NEAR w2']);
    const { edges } = await pageOf('r1');
    expect(edges[0]!.node).toMatchObject({
      relation: 'TOUCHES',
      sharedBorderM: expect.closeTo(100, 3),
      gapM: 0,
      bearingDeg: expect.closeTo(180, 3),
    });
    const back = await pageOf('w1');
    expect(back.edges[0]!.node.bearingDeg).toBeCloseTo(0, 3);
  });

  it('are filtered by relation, gap and segmentation', async () => {
    expect(await neighboursOf('w1', { relation: 'TOUCHES' })).toEqual(['TOUCHES r1']);
    expect(await neighboursOf('w1', { inSegmentationId: ids.water })).toEqual(['NEAR w2']);
    expect(await neighboursOf('w1', { withinM: 25 })).toEqual(['TOUCHES r1', 'NEAR w2']);
  });

  it('are measured where they are not stored', async () => {
    expect(await neighboursOf('w3')).toEqual([]);
    expect(await neighboursOf('w3', { withinM: 310 })).toEqual(['NEAR w2']);
  });

  it('come in pages', async () => {
    const first = await pageOf('w1', { withinM: 60 }, { first: 2 });
    const rest = await pageOf('w1', { withinM: 60 }, { first: 2, after: first.edges[1]!.cursor });
    expect([...first.edges, ...rest.edges].map(({ node }) => names.get(node.node.id))).toEqual(['r1', 'w2', 'r2']);
    expect([first.hasNextPage, rest.hasNextPage, await countOf('w1', { withinM: 60 })]).toEqual([true, false, 3]);
    const back = await pageOf('w1', { withinM: 60 }, { last: 2 });
    expect(back.edges.map(({ node }) => names.get(node.node.id))).toEqual(['w2', 'r2']);
    expect([back.hasPreviousPage, back.hasNextPage]).toEqual([true, false]);
  });

  it('of several features come at once, each with its own', async () => {
    const asked = ['w1', 'w2', 'w3', 'x1'];
    const pages = await features.neighbours(asked.map(idOf), { reachM: 50 }, { first: 1 });
    for (const name of asked) expect(pages.get(idOf(name))).toEqual(await pageOf(name, {}, { first: 1 }));
    expect(pages.get(idOf('w3'))!.edges).toEqual([]);
  });
});

describe('a feature collection', () => {
  it('is one GeoJSON text in order', async () => {
    const { text } = await features.featureCollection(
      { segmentationId: ids.water },
      { by: 'AREA', direction: 'DESC' },
      2,
      {
        precision: 3,
        simplifyM: 0,
      },
    );
    const { type, features: members, ...counts } = JSON.parse(text);
    expect(type).toBe('FeatureCollection');
    expect(counts).toEqual({ numberMatched: 3, numberReturned: 2, truncated: true });
    expect(members.map(({ id }: { id: string }) => names.get(id))).toEqual(['w2', 'w1']);
    expect(members[1]).toMatchObject({
      type: 'Feature',
      geometry: box(10, 0, 10.001, 0.001),
      properties: {
        prompt: 'Where is water?',
        segmentationId: ids.water,
        pixelCount: 100,
        areaM2: expect.closeTo(9933, -1),
        distanceM: null,
      },
    });
  });

  it('is empty when nothing matches', async () => {
    const { text } = await features.featureCollection({ or: [] }, created, 10, { precision: 7, simplifyM: 0 });
    const counts = { numberMatched: 0, numberReturned: 0, truncated: false };
    expect(JSON.parse(text)).toEqual({ type: 'FeatureCollection', ...counts, features: [] });
  });
});

describe('a geometry to ask with', () => {
  const bowtie = {
    type: 'Polygon' as const,
    coordinates: [
      [
        [0, 0],
        [2, 2],
        [2, 0],
        [0, 2],
        [0, 0],
      ],
    ],
  };

  it('is repaired when it is invalid, and its position is reported', async () => {
    const [repair, ...others] = await features.repair([box(0, 0, 1, 1), bowtie, point(0, 0)]);
    expect(others).toEqual([]);
    expect(repair).toMatchObject({ given: bowtie, reason: 'Self-intersection[1 1]' });
    expect(repair!.repaired.type).toBe('MultiPolygon');
  });

  it('keeps both of two overlapping parts', async () => {
    const parts = [box(0, 0, 2, 1), box(1, 0, 3, 1)].map(({ coordinates }) => coordinates);
    const [repair] = await features.repair([{ type: 'MultiPolygon', coordinates: parts }]);
    expect(area(repair!.repaired)).toBeCloseTo(area(box(0, 0, 3, 1)), 0);
  });
});
