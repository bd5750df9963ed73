import type { MultiPolygon, Polygon } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureGrouping } from '../../src/analysis/statistics.ts';
import { StatisticsRepository } from '../../src/analysis/statistics.repository.ts';
import type { Database } from '../../src/database/database.ts';
import type { Bbox } from '../../src/feature/feature.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { conditionPartsSql } from '../../src/feature/feature-condition.repository.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';

let database: Database;
let sceneId: string;
beforeAll(async () => {
  database = await openTestDatabase();
  sceneId = (await runningSegmentation(database)).scene.id;
});
afterAll(() => database.close());

async function store(prompt: string, outlines: readonly (Polygon | MultiPolygon)[]): Promise<string> {
  const { id } = await startSegmentation(database, sceneId, { prompt });
  await new SegmentationRepository(database).storeResult({ id, attempts: 1 }, resultOf(featuresOf(...outlines)));
  return id;
}
const count = (filter: FeatureFilter): Promise<number> => new FeatureRepository(database).count(filter);
const totals = (filter: FeatureFilter, groupBy: FeatureGrouping[]) =>
  new StatisticsRepository(database).totals(filter, groupBy, 10_000);

/** The same box as an outline, which every feature's own is compared with; one across the antimeridian is two. */
function outlined([west, south, east, north]: Bbox): FeatureFilter {
  if (west <= east) return { intersects: box(west, south, east, north) };
  return { or: [{ intersects: box(west, south, 180, north) }, { intersects: box(-180, south, east, north) }] };
}

describe('sums over a box are those over its outline', () => {
  /** Everything lies on a raster of a thousandth of a degree, so that edges meet exactly. */
  const EXTENT = 200;
  const at = (x: number, y: number): [number, number] => [(10_000 + x) / 1000, (50_000 + y) / 1000];
  const random = seededRandom(11);
  const within = (from: number, to: number): number => from + Math.floor(random() * (to - from));
  const randomBox = (least: number, most: number): [number, number, number, number] => {
    const [west, south] = [within(0, EXTENT), within(0, EXTENT)];
    return [...at(west, south), ...at(west + within(least, most), south + within(least, most))];
  };
  const boxes = Array.from({ length: 15 }, () => randomBox(50, EXTENT));
  let water: string;
  beforeAll(async () => {
    water = await store(
      'water',
      Array.from({ length: 80 }, () => box(...randomBox(1, 30))),
    );
    await store(
      'fields',
      Array.from({ length: 80 }, () => box(...randomBox(1, 5))),
    );
  }, 60_000);

  it.each<[string, FeatureGrouping[], () => FeatureFilter]>([
    ['in all', [], () => ({})],
    ['by cell', ['GRID_1KM'], () => ({})],
    ['by cell and prompt', ['GRID_10KM', 'PROMPT'], () => ({})],
    ['of an owner', ['GRID_1KM'], () => ({ sceneId, segmentationId: water })],
    ['of a prompt and a size', ['SEGMENTATION', 'SCENE'], () => ({ promptContains: 'fields', areaM2: { min: 1e5 } })],
    ['of either', ['MODEL'], () => ({ or: [{ segmentationId: water }, { meanProbability: { max: 0.5 } }] })],
    ['without some', ['ACQUIRED_DAY'], () => ({ not: { promptContains: 'water', perimeterM: { max: 5000 } } })],
  ])(
    '%s',
    async (_what, groupBy, others) => {
      for (const bbox of boxes) {
        const filter = { bbox, ...others() };
        expect(conditionPartsSql(filter, database.scope)).toHaveLength(2);
        const twin = { ...others(), and: [outlined(bbox)] };
        const expected = await totals(twin, groupBy);
        expect(await totals(filter, groupBy)).toEqual(
          expected.map(({ areaM2, perimeterM, meanProbability, ...group }) => ({
            ...group,
            areaM2: expect.closeTo(areaM2!, 3),
            perimeterM: expect.closeTo(perimeterM!, 5),
            meanProbability: meanProbability === null ? null : expect.closeTo(meanProbability, 9),
          })),
        );
        expect(await count(filter)).toBe(await count(twin));
      }
    },
    60_000,
  );

  it('in one part where a condition needs more than the index holds, and for small boxes', () => {
    const [bbox] = boxes;
    for (const others of [
      { compactness: { min: 0.5 } },
      { not: { adjacentTo: {} } },
      { intersects: box(9, 49, 11, 51) },
    ])
      expect(conditionPartsSql({ bbox: bbox!, ...others }, database.scope)).toHaveLength(1);
    expect(conditionPartsSql({ bbox: [10, 50, 10.04, 50.2] }, database.scope)).toHaveLength(1);
  });
});

describe('a box at the antimeridian', () => {
  const both: MultiPolygon = {
    type: 'MultiPolygon',
    coordinates: [box(179.9, 0, 180, 0.1).coordinates, box(-180, 0, -179.9, 0.1).coordinates],
  };
  /** Its centroid, counted across the antimeridian, lies outside the box of its parts. */
  const farApart: MultiPolygon = {
    type: 'MultiPolygon',
    coordinates: [box(-100, 0, -99.9, 0.1).coordinates, box(100, 0, 100.1, 0.1).coordinates],
  };
  beforeAll(() =>
    store('far east', [
      both,
      box(179.5, 0, 179.6, 0.1),
      box(-179.6, 0, -179.5, 0.1),
      box(179.99, 0, 180, 0.1),
      farApart,
    ]),
  );

  it.each<[Bbox, number]>([
    [[179, -1, -179, 1], 4],
    [[179.55, -1, -179.95, 1], 3],
    [[170, -1, 180, 1], 3],
    [[-180, -1, -170, 1], 2],
    [[-110, -1, 110, 1], 1],
    [[99, -1, 179.95, 1], 3],
    [[-180, -90, 180, 90], 5],
  ])('%j finds what meets it', async (bbox, found) => {
    const filter = { promptContains: 'far east', bbox };
    expect(await count(filter)).toBe(found);
    expect(await totals(filter, [])).toMatchObject([{ featureCount: found }]);
    expect(await count({ promptContains: 'far east', and: [outlined(bbox)] })).toBe(found);
  });
});

it('tells what lies inside from what lies outside by less than PostgreSQL tells boxes apart', async () => {
  const [west, south, east, north] = [20, 30, 20.5, 30.5];
  const [near, far] = [1e-7, 9e-7];
  await store('outside', [
    box(west - far, 30.1, west - near, 30.2),
    box(east + near, 30.1, east + far, 30.2),
    box(20.1, south - far, 20.2, south - near),
    box(20.1, north + near, 20.2, north + far),
  ]);
  await store('inside', [
    box(west + near, 30.1, west + far, 30.2),
    box(east - far, 30.1, east - near, 30.2),
    box(20.1, south + near, 20.2, south + far),
    box(20.1, north - far, 20.2, north - near),
  ]);
  const groups = await totals({ bbox: [west, south, east, north] }, ['PROMPT']);
  expect(groups.map(({ key, featureCount }) => [...key, featureCount])).toEqual([['inside', 4]]);
});

it('an outline at the edge is compared itself, as its bounds may meet the box where it does not', async () => {
  const corner: Polygon = {
    type: 'Polygon',
    coordinates: [
      [
        [30.4, 30.6],
        [30.6, 30.4],
        [30.6, 30.6],
        [30.4, 30.6],
      ],
    ],
  };
  await store('corner', [corner]);
  expect(await count({ bbox: [30, 30, 30.49, 30.49] })).toBe(0);
  expect(await count({ bbox: [30, 30, 30.51, 30.51] })).toBe(1);
});
