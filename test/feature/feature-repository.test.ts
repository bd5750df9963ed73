import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database } from '../../src/database/database.ts';
import { InvalidCursorError } from '../../src/database/cursor.ts';
import type { Bbox, Feature } from '../../src/feature/feature.ts';
import type { FeatureFilter, FeatureOrder } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
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
async function found(filter: FeatureFilter, order = created): Promise<string> {
  const { edges } = await features.find(filter, order, { first: 100, after: null });
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
    await expect(features.count({ sceneId: 'field' })).rejects.toThrow('sceneId is "field"');
  });
});

describe('an order', () => {
  const near = { geometry: point(600, 50), withinM: 1000 };
  /** The obvious way: sort in memory; features without the value last, equal values in the order of their identifiers. */
  async function sorted(by: FeatureOrder['by'], direction: FeatureOrder['direction']): Promise<string> {
    const all = await features.byIds([...names.keys()]);
    const neighbours = new Map<string, number>();
    for (const { id } of all) {
      neighbours.set(id, (await features.neighbours(id, {}, { first: 1, after: null })).totalCount);
    }
    const valueOf = (feature: Feature): number | null => {
      const { areaM2, perimeterM, compactness, meanProbability, id } = feature;
      const values = { AREA: areaM2, PERIMETER: perimeterM, COMPACTNESS: compactness, PROBABILITY: meanProbability };
      return { ...values, NEIGHBOURS: neighbours.get(id) ?? null, CREATED: 0, DISTANCE: null }[by];
    };
    const sign = direction === 'ASC' ? 1 : -1;
    const last = sign * Infinity;
    const order = all.toSorted((a, b) => {
      const [x, y] = [valueOf(a) ?? last, valueOf(b) ?? last];
      return sign * (x === y ? a.id.localeCompare(b.id) : x - y);
    });
    return order.map(({ id }) => names.get(id)).join(' ');
  }

  it.each<FeatureOrder['by']>(['AREA', 'PERIMETER', 'COMPACTNESS', 'PROBABILITY', 'NEIGHBOURS', 'CREATED'])(
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
    const { edges } = await features.find({ near }, { by: 'DISTANCE', direction: 'ASC' }, { first: 9, after: null });
    expect(edges.map(({ node }) => names.get(node.id))).toEqual(['w3', 'w2', 'r2', 'w1', 'r1']);
    expect(edges[0]!.node.distanceM).toBeCloseTo(30, 3);
  });

  it.each<FeatureOrder['by']>(['AREA', 'PERIMETER', 'COMPACTNESS', 'PROBABILITY', 'NEIGHBOURS', 'CREATED', 'DISTANCE'])(
    'by %s gives every feature once, page by page',
    async (by) => {
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
    },
  );

  it('refuses a cursor of another order, and nonsense', async () => {
    const { edges } = await features.find({}, { by: 'AREA', direction: 'ASC' }, { first: 1, after: null });
    for (const after of [edges[0]!.cursor, 'nonsense', '']) {
      await expect(features.find({}, { by: 'AREA', direction: 'DESC' }, { first: 1, after })).rejects.toThrow(
        InvalidCursorError,
      );
    }
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
  async function neighboursOf(name: string, filter = {}) {
    const { edges, totalCount } = await features.neighbours(idOf(name), filter, { first: 10, after: null });
    expect(edges.length).toBe(totalCount);
    return edges.map(({ node }) => `${node.relation} ${names.get(node.node.id)}`);
  }

  it('come nearest first, with border, gap and bearing from either side', async () => {
    expect(await neighboursOf('w1')).toEqual(['TOUCHES r1', 'NEAR w2']);
    const { edges } = await features.neighbours(idOf('r1'), {}, { first: 1, after: null });
    expect(edges[0]!.node).toMatchObject({
      relation: 'TOUCHES',
      sharedBorderM: expect.closeTo(100, 3),
      gapM: 0,
      bearingDeg: expect.closeTo(180, 3),
    });
    const back = await features.neighbours(idOf('w1'), {}, { first: 1, after: null });
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
    const first = await features.neighbours(idOf('w1'), { withinM: 60 }, { first: 2, after: null });
    const rest = await features.neighbours(idOf('w1'), { withinM: 60 }, { first: 2, after: first.edges[1]!.cursor });
    expect([...first.edges, ...rest.edges].map(({ node }) => names.get(node.node.id))).toEqual(['r1', 'w2', 'r2']);
    expect([first.hasNextPage, rest.hasNextPage, rest.totalCount]).toEqual([true, false, 3]);
  });
});

describe('a feature collection', () => {
  it('is one GeoJSON text in order', async () => {
    const text = await features.featureCollection({ segmentationId: ids.water }, { by: 'AREA', direction: 'DESC' }, 2, {
      precision: 3,
      simplifyM: 0,
    });
    const { type, features: members } = JSON.parse(text);
    expect(type).toBe('FeatureCollection');
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
    const text = await features.featureCollection({ or: [] }, created, 10, { precision: 7, simplifyM: 0 });
    expect(JSON.parse(text)).toEqual({ type: 'FeatureCollection', features: [] });
  });
});

describe('a geometry to ask with', () => {
  it('is told to be invalid with the place', async () => {
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
    expect(await features.invalidReason(bowtie)).toBe('Self-intersection[1 1]');
    expect(await features.invalidReason(box(0, 0, 1, 1))).toBeNull();
  });
});
