import type { Point } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { FeatureOrder } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { METRE } from './stored-features.ts';

const NEAREST_FIRST: FeatureOrder = { by: 'DISTANCE', direction: 'ASC' };
/** A square of 2 m, metres east and north of a place on the equator. */
const square = (longitude: number, x: number, y: number) =>
  box(longitude + (x - 1) * METRE, (y - 1) * METRE, longitude + (x + 1) * METRE, (y + 1) * METRE);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** On a sphere as far from 10° E as each other; on the ellipsoid those to the north and south are 0.7 % nearer. */
const RING = numbers(40).map((n) =>
  square(10, 1000 * Math.cos((n * Math.PI) / 20), 1000 * Math.sin((n * Math.PI) / 20)),
);
/** All of them around 11° E. */
const PILE = numbers(40).map((n) => square(11, (n % 7) / 10, (n % 5) / 10));
/** Ever farther from 12° E. */
const SPIRAL = numbers(60).map((n) => square(12, 20 * n * Math.cos(n), 20 * n * Math.sin(n)));

let database: Database;
let features: FeatureRepository;
let segmentationId = '';
beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureRepository(database);
  const { segmentation } = await runningSegmentation(database);
  segmentationId = segmentation.id;
  const outlines = [...RING, ...PILE, ...SPIRAL];
  await new SegmentationRepository(database).storeResult(
    segmentation,
    resultOf(featuresOf(...outlines).map((feature) => ({ ...feature, meanProbability: 0.5 }))),
  );
});
afterAll(() => database.close());

const Row = z.object({ id: z.string() });
const Collection = z.object({ features: z.array(Row) });

/** The obvious way: every feature measured. */
async function measured({ coordinates: [longitude = 0] }: Point, withinM: number): Promise<string[]> {
  const distance = Prisma.sql`ST_Distance(f.geometry::geography, ST_SetSRID(ST_MakePoint(${longitude}::float8, 0), 4326)::geography)`;
  const rows = await database.query(
    Row,
    Prisma.sql`SELECT f.id FROM feature AS f WHERE ${distance} <= ${withinM}::float8 ORDER BY ${distance}, f.id`,
  );
  return rows.map(({ id }) => id);
}

describe.each([
  ['as far on the sphere', 10, 2000, 40],
  ['at no distance', 11, 2000, 40],
  ['each at its own distance', 12, 2000, 60],
  ['nearer than a limit among them', 12, 405, 21],
])('the nearest of features %s', (_what, longitude, withinM, count) => {
  const geometry: Point = { type: 'Point', coordinates: [longitude, 0] };
  it.each([1, 5, 25, 100])('are those of the ellipsoid, page by page of %i', async (size) => {
    const expected = await measured(geometry, withinM);
    expect(expected).toHaveLength(count);
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page = await features.find({ near: { geometry, withinM } }, NEAREST_FIRST, { first: size, after });
      ids.push(...page.edges.map(({ node }) => node.id));
      after = page.hasNextPage ? page.edges.at(-1)!.cursor : null;
    } while (after !== null);
    expect(ids).toEqual(expected);
  });

  it('are those of the ellipsoid as texts, as GeoJSON and for each segmentation', async () => {
    const expected = (await measured(geometry, withinM)).slice(0, 25);
    const filter = { near: { geometry, withinM } };
    const fields = [{ key: 'id', name: 'id' }] as const;
    const { texts } = await features.findTexts(filter, NEAREST_FIRST, { first: 25 }, { fields, pageInfo: false });
    expect(texts.map((text) => Row.parse(JSON.parse(text)).id)).toEqual(expected);
    const format = { precision: 7, simplifyM: 0 };
    const { text } = await features.featureCollection(filter, NEAREST_FIRST, 25, format);
    expect(Collection.parse(JSON.parse(text)).features.map(({ id }) => id)).toEqual(expected);
    const owned = await features.findIn([segmentationId], filter, NEAREST_FIRST, { first: 25 });
    expect(owned.get(segmentationId)?.edges.map(({ node }) => node.id)).toEqual(expected);
  });
});
