import type { Geometry, Polygon } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

const WHOLE_EARTH_M2 = 510_065_621_724_089; // NGA.STND.0036
const Label = z.object({ label: z.number() });

/** A square of a tenth of a degree every 20 degrees, poles and the antimeridian included, and Malta. */
const squares: Polygon[] = [
  ...Array.from({ length: 10 }, (_, row) => -90 + Math.min(20 * row, 179.9)).flatMap((south) =>
    Array.from({ length: 19 }, (_, column) => Math.min(-180 + 20 * column, 179.9)).map((west) =>
      box(west, south, west + 0.1, south + 0.1),
    ),
  ),
  box(14.3, 35.8, 14.6, 36.1),
];
const MALTA = squares.length;

const Areas = z.object({ area: z.number() });
let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
  const { segmentation } = await runningSegmentation(database);
  await new SegmentationRepository(database).storeResult(
    segmentation,
    resultOf(featuresOf(...squares).map((feature) => ({ ...feature, meanProbability: 0.5 }))),
  );
});
afterAll(() => database.close());

async function found(filter: FeatureFilter): Promise<number[]> {
  const rows = await database.query(
    Label,
    Prisma.sql`SELECT f.label FROM ${database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, database.scope)} ORDER BY f.label`,
  );
  return rows.map(({ label }) => label);
}

const areaOf = async (outline: Geometry): Promise<number> => {
  const [row] = await database.query(
    Areas,
    Prisma.sql`SELECT ground_area_m2(ST_GeomFromGeoJSON(${JSON.stringify(outline)}::text)) AS area`,
  );
  return row!.area;
};

describe('edges straight in longitude and latitude', () => {
  const boxes: [string, Polygon][] = [
    ['Europe', box(-25, 34, 45, 72)],
    ['the world', box(-180, -90, 180, 90)],
    ['all but the poles', box(-180, -60, 180, 60)],
    ['the eastern hemisphere', box(0, -90, 180, 90)],
    ['the northern hemisphere', box(-180, 0, 180, 90)],
    ['more than a hemisphere', box(-170, -80, 170, 80)],
    ['a cap', box(-180, 80, 180, 90)],
    ['a sliver along a parallel', box(-60, 50, 60, 50.2)],
    ['the far east', box(150, -50, 180, 60)],
  ];

  it.each(boxes)('near 0 m finds what intersects %s, and all that is within it', async (_name, area) => {
    const intersecting = await found({ intersects: area });
    expect(intersecting.length).toBeGreaterThan(0);
    expect(await found({ near: { geometry: area, withinM: 0 } })).toEqual(expect.arrayContaining(intersecting));
    // A metre farther than the great circles that stand for its edges may stray.
    const grown = await found({ near: { geometry: area, withinM: 1.5 } });
    expect(grown).toEqual(expect.arrayContaining(await found({ within: area })));
    expect(grown.length - intersecting.length).toBeLessThanOrEqual(40); // squares on the other side of 180° or of a pole
  });

  it('Malta lies in a box from the Canaries to the Urals', async () => {
    expect(await found({ near: { geometry: box(-25, 34, 45, 72), withinM: 0 } })).toContain(MALTA);
  });

  it.each([
    [
      'a line around the Earth',
      [
        [-180, 10.05],
        [180, 10.05],
      ],
    ],
    [
      'a meridian from pole to pole',
      [
        [0, 90],
        [0, -90],
      ],
    ],
    [
      'a parallel',
      [
        [-170, 50.05],
        [170, 50.05],
      ],
    ],
  ] as [string, [number, number][]][])('%s meets what lies on it', async (_name, coordinates) => {
    const geometry: Geometry = { type: 'LineString', coordinates };
    const met = await found({ intersects: geometry });
    expect(await found({ near: { geometry, withinM: 2 } })).toEqual(expect.arrayContaining(met));
    expect(met.length).toBeGreaterThan(5);
  });
});

describe('the nearest to a pole or the antimeridian', () => {
  it.each([
    [0, -90],
    [130, -90],
    [0, 90],
    [-77, 90],
    [180, 0],
    [-180, 47],
    [180, -89],
  ])('come in order of distance from [%d, %d]', async (longitude, latitude) => {
    for (const withinM of [1e3, 1e5, 3e6]) {
      const near = { geometry: { type: 'Point', coordinates: [longitude, latitude] } as Geometry, withinM };
      const page = await new FeatureRepository(database).find(
        { near },
        { by: 'DISTANCE', direction: 'ASC' },
        { first: 25 },
      );
      const distances = page.edges.map(({ node }) => node.distanceM!);
      expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      expect(distances.length).toBe(Math.min(25, (await found({ near })).length));
    }
  });
});

describe('area on the ellipsoid', () => {
  it.each([
    ['the world', box(-180, -90, 180, 90), WHOLE_EARTH_M2],
    ['a hemisphere', box(0, -90, 180, 90), WHOLE_EARTH_M2 / 2],
    ['the north', box(-180, 0, 180, 90), WHOLE_EARTH_M2 / 2],
    // closed form of a zone: Snyder, USGS PP 1395, equation 3-12
    ['ten degrees by ten', box(0, 50, 10, 60), 711_460_782_666.7],
  ])('of %s', async (_name, outline, areaM2) => {
    expect((await areaOf(outline)) / areaM2).toBeCloseTo(1, 10);
  });

  it('of a small outline equals the geodesic one', async () => {
    const [row] = await database.query(
      Areas,
      Prisma.sql`SELECT max(abs(area_m2 / ST_Area(geometry::geography) - 1)) AS area FROM feature WHERE label = ${MALTA}::int`,
    );
    expect(row!.area).toBeLessThan(1e-6);
  });
});
