import type { Geometry, MultiPolygon, Polygon, Position } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdjacencyGraphRepository } from '../../src/analysis/adjacency-graph.repository.ts';
import { StatisticsRepository } from '../../src/analysis/statistics.repository.ts';
import { ZoneRepository } from '../../src/analysis/zone.repository.ts';
import type { Database } from '../../src/database/database.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { contactsBetween, contactsWithin, featuresOf, type Ground } from '../../src/run/vectorise-mask.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import type { LabelledMask } from '../../src/vector/labelled-mask.ts';
import {
  box,
  compareStored,
  featuresOf as outlinesAsFeatures,
  newScene,
  resultOf,
  startSegmentation,
} from '../database/seeds.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { maskOf, noiseMask } from '../vector/seeded-masks.ts';

const SIDE_PX = 8;
/** About 11 m on the ground. */
const PIXEL_DEG = 1e-4;
const NEAR_M = 25;

const wrapped = (longitude: number): number => longitude - 360 * Math.floor((longitude + 180) / 360);
/** A scene in longitude and latitude with its middle at a place. */
const northUp =
  (longitude: number, latitude: number): Ground['toWgs84'] =>
  (column, row) => [
    wrapped(longitude + (column - SIDE_PX / 2) * PIXEL_DEG),
    latitude - (row - SIDE_PX / 2) * PIXEL_DEG,
  ];
/** A scene with a pole in its middle, turned about it. */
const polar =
  (pole: 1 | -1, turnDeg: number): Ground['toWgs84'] =>
  (column, row) => {
    const [x, y] = [column - SIDE_PX / 2, row - SIDE_PX / 2];
    const longitude = x === 0 && y === 0 ? 0 : (Math.atan2(x, pole * y) * 180) / Math.PI;
    return [wrapped(longitude + turnDeg), pole * (90 - Math.hypot(x, y) * PIXEL_DEG)];
  };

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** What every outlet tells of the same three masks: two of one scene, one of another. */
async function told(toWgs84: Ground['toWgs84'], seed: number) {
  const [store, scenes] = [new SegmentationRepository(database), new SceneRepository(database)];
  const ground: Ground = { toWgs84, anchorPx: 1 };
  const [one, other] = [await scenes.insert(newScene()), await scenes.insert(newScene())];
  const ids: string[] = [];
  const names = new Map<string, string>();
  const outlines: (Polygon | MultiPolygon)[] = [];
  const masks: { id: string; labelled: LabelledMask }[] = [];
  for (const [index, sceneId] of [one.id, one.id, other.id].entries()) {
    const labelled = labelMask(maskOf(noiseMask(10 * seed + index, SIDE_PX, SIDE_PX, 0.25)));
    const features = featuresOf(labelled, ground);
    const segmentation = await startSegmentation(database, sceneId, { prompt: `mask ${index}` });
    const earlier = sceneId === one.id ? masks : [];
    const own = contactsWithin(segmentation.id, labelled, ground);
    await store.storeResult(segmentation, resultOf(features, { nearM: NEAR_M, adjacency: own }));
    const adjacency = earlier.flatMap((mask) => contactsBetween({ id: segmentation.id, labelled }, mask, ground));
    await compareStored(database, { adjacency, nearM: NEAR_M });
    masks.push({ id: segmentation.id, labelled });
    ids.push(segmentation.id);
    outlines.push(...features.map(({ geometry }) => geometry));
    for (const { id, label } of await database.prisma.feature.findMany({ where: { segmentationId: segmentation.id } }))
      names.set(id, `${index}.${label}`);
  }
  const answer = await outlets({ ids, names, outlines, reachM: NEAR_M });
  for (const { id } of [one, other]) await scenes.remove(id);
  return answer;
}

async function largestFirst(segmentationId: string) {
  const page = await new FeatureRepository(database).find(
    { segmentationId },
    { by: 'AREA', direction: 'DESC' },
    { first: 9 },
  );
  return { nodes: page.edges.map(({ node }) => node) };
}

interface Stored {
  readonly ids: readonly string[];
  readonly names: ReadonlyMap<string, string>;
  readonly outlines: readonly Geometry[];
  readonly reachM: number;
}

async function outlets({ ids, names, outlines, reachM }: Stored) {
  const features = new FeatureRepository(database);
  const owned: FeatureFilter = { or: ids.map((segmentationId) => ({ segmentationId })) };
  const all = await features.find(owned, { by: 'CREATED', direction: 'ASC' }, { first: 1000 });
  const found = async (filter: FeatureFilter) => {
    const page = await features.find({ and: [owned, filter] }, { by: 'CREATED', direction: 'ASC' }, { first: 1000 });
    return page.edges.map(({ node }) => names.get(node.id)!).toSorted();
  };
  const neighbours = await features.neighbours([...names.keys()], { reachM }, { first: 1000 });
  const measured = await features.neighbours([...names.keys()], { reachM, withinM: reachM }, { first: 1000 });
  const pairs = (pages: typeof neighbours) =>
    [...pages].flatMap(([id, { edges }]) =>
      edges.map(({ node: { node, relation, gapM, sharedBorderM } }) => ({
        pair: `${names.get(id)} ${relation} ${names.get(node.id)}`,
        gapM: gapM ?? 0,
        sharedBorderM: sharedBorderM ?? 0,
      })),
    );
  const graph = await new AdjacencyGraphRepository(database).edges(owned, { reachM }, 10_000);
  const borders = await new StatisticsRepository(database).borders(owned, []);
  const zones = { kind: 'FEATURES', ids: [...names.keys()] } as const;
  const zoned = new ZoneRepository(database);
  const [coverage, nearest] = [await zoned.coverage(zones, owned), await zoned.nearest(zones, owned)];
  const asked = await Promise.all(
    outlines.slice(0, 3).map(async (geometry, index) => ({
      near: `${index}: ${(await found({ near: { geometry, withinM: 12 } })).join()}`,
      beside: `${index}: ${(await found({ adjacentTo: { segmentationId: ids[index]! }, adjacentReachM: reachM })).join()}`,
    })),
  );
  return {
    measures: new Map(all.edges.map(({ node }) => [names.get(node.id)!, node])),
    stored: new Map(pairs(neighbours).map(({ pair, ...rest }) => [pair, rest])),
    measured: new Map(pairs(measured).map(({ pair, ...rest }) => [pair, rest])),
    edges: graph.map(
      ({ fromId, toId, relation }) =>
        [names.get(fromId)!, names.get(toId)!].toSorted((a, b) => a.localeCompare(b)).join() + relation,
    ),
    borders: [...borders.values()][0],
    zones: [...names.values()].map((name, index) => ({
      name,
      covered: coverage.get(index)?.coveredAreaM2 ?? 0,
      nearestM: nearest.get(index)?.distanceM ?? 0,
    })),
    asked,
  };
}

type Told = Awaited<ReturnType<typeof outlets>>;

/**
 * Gaps to centimetres, areas to a hundred-thousandth.
 * @param tolerance of lengths, as a share
 */
function expectSame(there: Told, here: Told, tolerance = 1e-4): void {
  const expectLength = (length: number, expected: number, what: string) =>
    expect(Math.abs(length - expected), what).toBeLessThanOrEqual(tolerance * expected + 0.005);
  expect(there.asked).toEqual(here.asked);
  expect(there.edges.toSorted()).toEqual(here.edges.toSorted());
  for (const which of ['stored', 'measured'] as const) {
    expect([...there[which].keys()].toSorted()).toEqual([...here[which].keys()].toSorted());
    for (const [pair, { gapM, sharedBorderM }] of here[which]) {
      expect(there[which].get(pair)!.gapM, pair).toBeCloseTo(gapM, 2);
      expectLength(there[which].get(pair)!.sharedBorderM, sharedBorderM, pair);
    }
  }
  for (const [name, { areaM2, perimeterM, compactness }] of here.measures) {
    expectLength(there.measures.get(name)!.perimeterM!, perimeterM!, name);
    expect(there.measures.get(name)!.areaM2! / areaM2!, name).toBeCloseTo(1, 5);
    expect(Math.abs(there.measures.get(name)!.compactness! / compactness! - 1)).toBeLessThan(2 * tolerance);
  }
  expect(there.borders!.touchingPairs).toBe(here.borders!.touchingPairs);
  expectLength(there.borders!.sharedBorderM!, here.borders!.sharedBorderM!, 'borders');
  for (const [index, { name, covered, nearestM }] of here.zones.entries()) {
    expect(there.zones[index]!.covered, name).toBeCloseTo(covered, 1);
    expect(there.zones[index]!.nearestM, name).toBeCloseTo(nearestM, 2);
  }
}

describe('a place has the same answers wherever longitudes begin', () => {
  it.each([1, 2])('across the antimeridian as across 0°, masks %i', async (seed) => {
    const here = await told(northUp(0, 40), seed);
    expect(here.stored.size).toBeGreaterThan(10);
    expectSame(await told(northUp(180, 40), seed), here);
  });

  it.each([
    ['north', 1, 4],
    ['south', -1, 6],
  ] as const)(
    'around the %s pole however it is turned (%i, masks %i)',
    async (_name, pole, seed) => {
      // The antimeridian passes through corners of pixels, or along their edges. Edges so near a pole are as long as the number
      // of pieces that overlays cut them to makes them.
      const here = await told(polar(pole, 45), seed);
      expect(here.stored.size).toBeGreaterThan(10);
      expectSame(await told(polar(pole, 90), seed), here, 0.01);
    },
    180_000,
  );
});

describe('a scene around the Earth', () => {
  it('ends where it begins: features at its ends touch, and those of its first row at the pole', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const segmentation = await startSegmentation(database, scene.id);
    const outlines = [box(-180, 0, -170, 10), box(170, 0, 180, 20), box(10, 80, 20, 90), box(100, 70, 110, 90)];
    const store = new SegmentationRepository(database);
    await store.storeResult(segmentation, resultOf(outlinesAsFeatures(...outlines), { nearM: 0 }));
    const rows = await database.prisma.feature.findMany({ where: { segmentationId: segmentation.id } });
    const names = new Map(rows.map(({ id, label }) => [id, String(label)]));
    const answer = await outlets({ ids: [segmentation.id], names, outlines, reachM: 0 });
    const QUARTER_MERIDIAN_M = 10_001_965.729;
    expect([...answer.stored.keys()].toSorted()).toEqual(['1 TOUCHES 2', '2 TOUCHES 1', '3 TOUCHES 4', '4 TOUCHES 3']);
    expect(answer.stored.get('1 TOUCHES 2')!.sharedBorderM / (QUARTER_MERIDIAN_M / 9)).toBeCloseTo(1, 2);
    expect(answer.stored.get('3 TOUCHES 4')!.sharedBorderM).toBe(0);
    expect(answer.borders).toMatchObject({ touchingPairs: 2 });
  });

  it('has no border along the antimeridian where an outline is cut there', async () => {
    const segmentation = await startSegmentation(database, (await new SceneRepository(database).insert(newScene())).id);
    const halves = [box(179.9, 0, 180, 0.1), box(-180, 0, -179.9, 0.1)].map(({ coordinates }) => coordinates);
    const outlines = [{ type: 'MultiPolygon', coordinates: halves } as const, box(9.9, 0, 10.1, 0.1)];
    await new SegmentationRepository(database).storeResult(segmentation, resultOf(outlinesAsFeatures(...outlines)));
    const [cut, whole] = await database.prisma.feature.findMany({
      where: { segmentationId: segmentation.id },
      orderBy: { label: 'asc' },
    });
    expect(cut!.perimeterM! / whole!.perimeterM!).toBeCloseTo(1, 6);
    expect(cut!.compactness! / whole!.compactness!).toBeCloseTo(1, 6);
  });

  it('is measured as a whole: no border, and a centroid at the pole of a cap', async () => {
    const segmentation = await startSegmentation(database, (await new SceneRepository(database).insert(newScene())).id);
    const sides = [-30, 30];
    const [[sw, se, ne, nw, end]] = box(-180, -90, 180, 90).coordinates as [Position[]];
    const east = sides.map((latitude): Position => [180, latitude]);
    const west = sides.toReversed().map((latitude): Position => [-180, latitude]);
    const world: Polygon = { type: 'Polygon', coordinates: [[sw!, se!, ...east, ne!, nw!, ...west, end!]] };
    const outlines = [world, box(-180, 80, 180, 90)];
    await new SegmentationRepository(database).storeResult(segmentation, resultOf(outlinesAsFeatures(...outlines)));
    const { nodes } = await largestFirst(segmentation.id);
    expect(nodes.map(({ perimeterM }) => Math.round(perimeterM! / 1000))).toEqual([0, 6982]); // a parallel at 80°: Snyder 4-21
    expect(nodes[0]!.compactness).toBe(1);
    expect(nodes[1]!.centroid[1]).toBeCloseTo(90, 6);
  });

  it('is near what touches it from the other side of the antimeridian, and from anywhere at a pole', async () => {
    const features = new FeatureRepository(database);
    const nearby = (geometry: Geometry, filter: FeatureFilter) =>
      features.count({ and: [filter, { near: { geometry, withinM: 0 } }] });
    const farEast: FeatureFilter = { intersects: { type: 'Point', coordinates: [-175, 5] } };
    const small: FeatureFilter = { and: [farEast, { areaM2: { max: 2e12 } }] };
    expect(await features.count(small)).toBe(1);
    expect(await nearby(box(175, 2, 180, 3), small)).toBe(1);
    expect(await nearby(box(175, 2, 179, 3), small)).toBe(0);
    const atPole = await features.count({ intersects: box(10, 89.9, 20, 90) });
    expect(await nearby({ type: 'Point', coordinates: [-77, 90] }, {})).toBeGreaterThanOrEqual(atPole);
  });

  it('is the nearest to a place on its edge, whichever of the two longitudes the place has', async () => {
    const segmentation = await startSegmentation(database, (await new SceneRepository(database).insert(newScene())).id);
    const outlines = [box(179.98, 0.8, 180, 0.85), box(-180, 0.9, -179.98, 0.95)];
    await new SegmentationRepository(database).storeResult(segmentation, resultOf(outlinesAsFeatures(...outlines)));
    for (const latitude of [0.845, 0.92]) {
      for (const longitude of [-180, 180]) {
        const geometry = { type: 'Point' as const, coordinates: [longitude, latitude] };
        const { edges } = await new FeatureRepository(database).find(
          { segmentationId: segmentation.id, near: { geometry, withinM: 1e6 } },
          { by: 'DISTANCE', direction: 'ASC' },
          { first: 2 },
        );
        expect(edges.map(({ node }) => node.centroid[1] < 0.87)).toEqual(
          latitude < 0.87 ? [true, false] : [false, true],
        );
      }
    }
  });
});
