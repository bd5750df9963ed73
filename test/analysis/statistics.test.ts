import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureGrouping } from '../../src/analysis/statistics.ts';
import { StatisticsRepository } from '../../src/analysis/statistics.repository.ts';
import { type GroupStatistics, StatisticsService } from '../../src/analysis/statistics.service.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { checkFilter, type RequestedFilter } from '../../src/feature/check-filter.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';
import {
  areaM2,
  gapM,
  latitude,
  longitude,
  randomRectangles,
  sharedM,
  type StoredRectangle,
  storeRectangles,
  storeScene,
} from './rectangles.ts';

/** 2.5 km by 2.5 km, over several cells of 1 km. */
const SIDE = 250;
const FOOTPRINT = { west: 0, south: 0, east: SIDE, north: SIDE };
const DAYS = ['2024-06-01T23:30:00Z', '2024-06-02T00:30:00Z', null] as const;

let database: Database;
let stored: StoredRectangle[];
let days: Map<string, string>;

beforeAll(async () => {
  database = await openTestDatabase();
  const random = seededRandom(5);
  stored = [];
  days = new Map();
  for (const day of DAYS) {
    const scene = await storeScene(database, FOOTPRINT, { acquiredAt: day === null ? null : new Date(day) });
    days.set(scene.id, day === null ? '' : day.slice(0, 10));
    for (const prompt of ['water', 'fields']) {
      const rectangles = randomRectangles(random, 120, SIDE);
      stored.push(...(await storeRectangles(database, scene.id, prompt, rectangles)).stored);
    }
  }
}, 300_000);
afterAll(() => database.close());

async function statistics(groupBy: FeatureGrouping[], filter: RequestedFilter = {}): Promise<GroupStatistics[]> {
  const service = new StatisticsService(
    { checkedFilter: async (requested) => checkFilter(requested, 1000) },
    new StatisticsRepository(database),
  );
  return service.group(filter, groupBy);
}

/**
 * Cell of EASE-Grid 2.0 by the formulas of the ellipsoid.
 * @see Snyder, Map Projections: A Working Manual, USGS PP 1395, equations 3-12, 10-13 to 10-15
 */
function gridCell(east: number, north: number, sideM: number): string {
  const [a, e2, standard] = [6_378_137, 0.0066943799901413165, Math.PI / 6];
  const [e, phi] = [Math.sqrt(e2), (north * Math.PI) / 180];
  const k0 = Math.cos(standard) / Math.sqrt(1 - e2 * Math.sin(standard) ** 2);
  const s = Math.sin(phi);
  const q = (1 - e2) * (s / (1 - e2 * s * s) - Math.log((1 - e * s) / (1 + e * s)) / (2 * e));
  const [x, y] = [a * k0 * ((east * Math.PI) / 180), (a * q) / (2 * k0)];
  return `${Math.floor(x / sideM)}/${Math.floor(y / sideM)}`;
}

const cellOf = (sideM: number) => (one: StoredRectangle) =>
  gridCell(longitude((one.west + one.east) / 2), latitude((one.south + one.north) / 2), sideM);
const KEYS: Record<FeatureGrouping, (one: StoredRectangle) => string> = {
  SCENE: ({ sceneId }) => sceneId,
  SEGMENTATION: ({ segmentationId }) => segmentationId,
  PROMPT: ({ prompt }) => prompt,
  MODEL: () => 'tiny/1',
  ACQUIRED_DAY: ({ sceneId }) => days.get(sceneId)!,
  GRID_1KM: cellOf(1000),
  GRID_10KM: cellOf(10_000),
};

/** The obvious way: one loop over everything for each group. */
function slowTwin(groupBy: FeatureGrouping[], all: readonly StoredRectangle[]) {
  const groups = new Map<string, StoredRectangle[]>();
  for (const one of all) {
    const key = JSON.stringify(groupBy.map((grouping) => KEYS[grouping](one)));
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return new Map([...groups].map(([key, members]) => [key, measuresOf(members)]));
}

function measuresOf(members: readonly StoredRectangle[]) {
  const sum = (value: (one: StoredRectangle) => number) => members.reduce((total, one) => total + value(one), 0);
  const pairs = members.flatMap((a, i) =>
    members
      .slice(i + 1)
      .filter((b) => a.segmentationId === b.segmentationId && gapM(a, b) === 0)
      .map((b) => sharedM(a, b)),
  );
  const areas = members.map((one) => areaM2([one])).toSorted((a, b) => a - b);
  return {
    count: members.length,
    areaM2: sum((one) => areaM2([one])),
    perimeterM: sum(({ west, east, south, north }) => 20 * (east - west + north - south)),
    meanProbability: sum((one) => one.meanProbability * one.pixelCount) / sum((one) => one.pixelCount),
    median: (areas[Math.floor((areas.length - 1) / 2)]! + areas[Math.ceil((areas.length - 1) / 2)]!) / 2,
    unionAreaM2: areaM2(members),
    touchingPairs: pairs.length,
    sharedBorderM: pairs.reduce((total, shared) => total + shared, 0),
    extent: [
      longitude(Math.min(...members.map(({ west }) => west))),
      latitude(Math.min(...members.map(({ south }) => south))),
      longitude(Math.max(...members.map(({ east }) => east))),
      latitude(Math.max(...members.map(({ north }) => north))),
    ],
  };
}

describe('statistics of 720 rectangles', () => {
  it.each<[FeatureGrouping[]]>([
    [[]],
    [['SCENE']],
    [['SEGMENTATION']],
    [['PROMPT']],
    [['MODEL']],
    [['ACQUIRED_DAY']],
    [['GRID_1KM']],
    [['GRID_10KM']],
    [['PROMPT', 'GRID_1KM']],
    [['ACQUIRED_DAY', 'PROMPT', 'SCENE']],
  ])('by %j are what a loop over the rectangles says', async (groupBy) => {
    const groups = await statistics(groupBy);
    const expected = slowTwin(groupBy, stored);
    expect(groups.map(({ key }) => JSON.stringify(key)).toSorted()).toEqual([...expected.keys()].toSorted());
    for (const group of groups) {
      const twin = expected.get(JSON.stringify(group.key))!;
      expect(group.featureCount).toBe(twin.count);
      // The rectangles lie within 3 km of the equator, where a plane is right to a millionth.
      const about = (metres: number) => expect.closeTo(metres, Math.max(0, 4 - Math.floor(Math.log10(metres + 1))));
      expect(group.areaM2).toEqual(about(twin.areaM2));
      expect(group.perimeterM).toEqual(about(twin.perimeterM));
      expect(group.meanProbability).toBeCloseTo(twin.meanProbability, 9);
      expect(await group.areaM2Quantiles([0.5])).toEqual([about(twin.median)]);
      expect(await group.unionAreaM2()).toEqual(about(twin.unionAreaM2));
      expect(await group.borders()).toEqual({
        touchingPairs: twin.touchingPairs,
        sharedBorderM: about(twin.sharedBorderM),
      });
      const [west, south, east, north] = twin.extent as [number, number, number, number];
      expect(await group.extent()).toEqual(box(west, south, east, north));
    }
  });

  it('count only what the filter matches, and only pairs of which both ends match', async () => {
    const large = stored.filter(({ west, east, south, north }) => (east - west) * (north - south) >= 50);
    const [group] = await statistics([], { areaM2: { min: 4999 } });
    const twin = measuresOf(large);
    expect(group!.featureCount).toBe(large.length);
    expect(await group!.borders()).toEqual({
      touchingPairs: twin.touchingPairs,
      sharedBorderM: expect.closeTo(twin.sharedBorderM, 1),
    });
    expect(twin.touchingPairs).toBeGreaterThan(0);
  });

  it('give any quantiles, in the order asked', async () => {
    const [group] = await statistics([]);
    const areas = stored.map((one) => areaM2([one])).toSorted((a, b) => a - b);
    const [most, least, tenth] = await group!.areaM2Quantiles([1, 0, 0.1]);
    expect([most, least]).toEqual([expect.closeTo(areas.at(-1)!, 0), expect.closeTo(areas[0]!, 1)]);
    const place = (areas.length - 1) * 0.1;
    const [below, above] = [areas[Math.floor(place)]!, areas[Math.ceil(place)]!];
    expect(tenth).toBeCloseTo(below + (above - below) * (place % 1), 1);
    expect(await group!.areaM2Quantiles([])).toEqual([]);
  });

  it('of nothing are one group of zeros, and no group when grouped', async () => {
    const [group, ...others] = await statistics([], { or: [] });
    expect(others).toEqual([]);
    expect(group).toMatchObject({ key: [], featureCount: 0, areaM2: 0, perimeterM: 0, meanProbability: null });
    expect(await group!.areaM2Quantiles([0.5])).toEqual([]);
    expect(await group!.unionAreaM2()).toBe(0);
    expect(await group!.borders()).toEqual({ touchingPairs: 0, sharedBorderM: 0 });
    expect(await group!.extent()).toBeNull();
    expect(await statistics(['SCENE'], { or: [] })).toEqual([]);
  });

  it.each<[string, FeatureGrouping[], number[]]>([
    ['groupBy names SCENE twice', ['SCENE', 'PROMPT', 'SCENE'], []],
    ['Quantile 1.5 is not within 0 to 1.', [], [0.5, 1.5]],
    ['Quantile NaN is not within 0 to 1.', [], [Number.NaN]],
    ['The request has 101 quantiles; the limit is 100.', [], Array.from({ length: 101 }, () => 0.5)],
  ])('are refused: %s', async (message, groupBy, q) => {
    await expect(statistics(groupBy).then(([group]) => group!.areaM2Quantiles(q))).rejects.toThrow(message);
  });

  it('take no statement for what is not asked', async () => {
    const statements: string[] = [];
    const counting: Database = {
      ...database,
      query: (row, statement) => (statements.push(statement.sql), database.query(row, statement)),
    };
    const service = new StatisticsService({ checkedFilter: async () => ({}) }, new StatisticsRepository(counting));
    const groups = await service.group({}, ['PROMPT']);
    expect(statements).toHaveLength(1);
    await Promise.all(groups.map((group) => group.unionAreaM2()));
    await Promise.all(groups.flatMap((group) => [group.areaM2Quantiles([0.5]), group.areaM2Quantiles([0.5])]));
    expect(statements).toHaveLength(3);
  });
});

describe('statistics of odd places', () => {
  it('have no metres and no place for a scene without georeference, and the empty text as cell and day', async () => {
    const scene = await storeScene(database, FOOTPRINT, {
      crs: null,
      affine: null,
      gsdM: null,
      footprint: null,
      acquiredAt: null,
    });
    const { id } = await startSegmentation(database, scene.id, { prompt: 'pixels' });
    await new SegmentationRepository(database).storeResult(
      { id, attempts: 1 },
      resultOf(featuresOf(box(0, 0, 10, 10), box(10, 0, 20, 20)), { georeferenced: false }),
    );
    const [group] = await statistics(['GRID_10KM', 'ACQUIRED_DAY'], { segmentationId: id });
    expect(group).toMatchObject({ key: ['', ''], featureCount: 2, areaM2: null, perimeterM: null });
    expect(await group!.unionAreaM2()).toBeNull();
    expect(await group!.areaM2Quantiles([0.5])).toEqual([]);
    expect(await group!.borders()).toEqual({ touchingPairs: 0, sharedBorderM: null });
    expect(await group!.extent()).toBeNull();
    await database.execute(Prisma.sql`DELETE FROM scene WHERE id = ${scene.id}::uuid`);
  });

  it('reach across the antimeridian in two boxes, and around Greenwich in one', async () => {
    const scene = await storeScene(database, FOOTPRINT);
    const find = async (prompt: string, ...boxes: [number, number, number, number][]) => {
      const { id } = await startSegmentation(database, scene.id, { prompt });
      await new SegmentationRepository(database).storeResult(
        { id, attempts: 1 },
        resultOf(featuresOf(...boxes.map((one) => box(...one)))),
      );
      return (await statistics([], { segmentationId: id }))[0]!.extent();
    };
    expect(await find('pacific', [179, 1, 179.5, 2], [-179.5, 0, -179, 1])).toEqual({
      type: 'MultiPolygon',
      coordinates: [box(179, 0, 180, 2).coordinates, box(-180, 0, -179, 2).coordinates],
    });
    expect(await find('greenwich', [-1, 50, -0.5, 51], [0.5, 50, 1, 51])).toEqual(box(-1, 50, 1, 51));
    expect(await find('west', [-179, 0, -178, 1])).toEqual(box(-179, 0, -178, 1));
    await database.execute(Prisma.sql`DELETE FROM scene WHERE id = ${scene.id}::uuid`);
  });
});
