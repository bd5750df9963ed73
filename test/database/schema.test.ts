import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from './test-database.ts';

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const NumberRow = z.object({ value: z.number().nullable() });
async function value(expression: Prisma.Sql): Promise<number | null> {
  const [row] = await database.query(NumberRow, Prisma.sql`SELECT ${expression} AS value`);
  return row?.value ?? null;
}

describe('the schema', () => {
  it('has every column that the generated client reads', async () => {
    const { scene, segmentation, mask, feature, featureAdjacency } = database.prisma;
    await expect(
      Promise.all([
        scene.findMany(),
        segmentation.findMany(),
        mask.findMany(),
        feature.findMany(),
        featureAdjacency.findMany(),
      ]),
    ).resolves.toEqual([[], [], [], [], []]);
  });

  it('names the engine and what it can do', () => {
    expect(database.capabilities.postgresql).toMatch(/^\d+\.\d+/);
    expect(database.capabilities.postgis).toMatch(/^3\.\d+/);
  });

  it('speaks UTC', async () => {
    const rows = await database.query(z.object({ zone: z.string() }), Prisma.sql`SELECT to_char(now(), 'OF') AS zone`);
    expect(rows).toEqual([{ zone: '+00' }]);
  });
});

describe('metres_per_degree', () => {
  // Lengths of a degree, from table 7 of NIMA TR8350.2 and from the radii of the ellipsoid at its equator.
  it.each([
    [0, 111_319.491, 110_574.276],
    [45, 78_846.835, 111_131.779],
  ])('at latitude %d is %d m east and %d m north', async (latitude, east, north) => {
    expect(await value(Prisma.sql`(metres_per_degree(${latitude}::float8)).east`)).toBeCloseTo(east, 2);
    expect(await value(Prisma.sql`(metres_per_degree(${latitude}::float8)).north`)).toBeCloseTo(north, 2);
  });
});

describe('long_side_bearing', () => {
  const bearing = (wkt: string) => value(Prisma.sql`long_side_bearing(ST_GeomFromText(${wkt}::text, 4326))`);

  it('is north for what is long from south to north, in metres and not in degrees', async () => {
    // 1.5 × 1 degrees, which at 60° N are 84 × 111 km.
    expect(await bearing('POLYGON((10 60, 11.5 60, 11.5 61, 10 61, 10 60))')).toBe(0);
  });

  it('is east for what is long from west to east', async () => {
    expect(await bearing('POLYGON((10 0, 10.02 0, 10.02 0.01, 10 0.01, 10 0))')).toBeCloseTo(90, 2);
  });

  it('is that of a rectangle turned by 30 degrees at 60° N', async () => {
    const rectangle = turnedRectangle(10, 60, 30, 400, 100);
    expect(await bearing(rectangle)).toBeCloseTo(30, 1);
  });

  it('is null for a square', async () => {
    expect(await bearing(turnedRectangle(10, 0, 20, 100, 100))).toBeNull();
  });

  it('sees one shape where the parts lie on both sides of the antimeridian', async () => {
    const parts =
      'MULTIPOLYGON(((179.99 0, 180 0, 180 0.001, 179.99 0.001, 179.99 0)), ((-180 0, -179.99 0, -179.99 0.001, -180 0.001, -180 0)))';
    expect(await bearing(parts)).toBeCloseTo(90, 2);
  });
});

/** WKT of a rectangle about a position, its long side at an azimuth, sizes in metres on a sphere of the same degree. */
function turnedRectangle(
  longitude: number,
  latitude: number,
  azimuthDeg: number,
  longM: number,
  shortM: number,
): string {
  const azimuth = (azimuthDeg * Math.PI) / 180;
  const north =
    111_132.954 - 559.822 * Math.cos((2 * latitude * Math.PI) / 180) + 1.175 * Math.cos((4 * latitude * Math.PI) / 180);
  const east = 111_412.84 * Math.cos((latitude * Math.PI) / 180) - 93.5 * Math.cos((3 * latitude * Math.PI) / 180);
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
    [-1, -1],
  ].map(([along = 0, across = 0]) => {
    const a = (along * longM) / 2;
    const c = (across * shortM) / 2;
    const x = a * Math.sin(azimuth) + c * Math.cos(azimuth);
    const y = a * Math.cos(azimuth) - c * Math.sin(azimuth);
    return `${longitude + x / east} ${latitude + y / north}`;
  });
  return `POLYGON((${corners.join(', ')}))`;
}
