import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** A rectangle of metres around a position, turned by its azimuth. */
async function elongation(longM: number, shortM: number, azimuth: number, [east, north]: readonly number[]) {
  const Row = z.object({ value: z.number() });
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
    [-1, -1],
  ].map(([a, b]) => {
    const [u, v] = [(a! * longM) / 2, (b! * shortM) / 2];
    return Prisma.sql`ST_Project(ST_SetSRID(ST_MakePoint(${east}::float8, ${north}::float8), 4326)::geography,
      ${Math.hypot(u, v)}::float8, ${(azimuth * Math.PI) / 180 + Math.atan2(v, u)}::float8)::geometry`;
  });
  const [row] = await database.query(
    Row,
    Prisma.sql`SELECT elongation(ST_MakePolygon(ST_MakeLine(ARRAY[${Prisma.join(corners)}]))) AS value`,
  );
  return row!.value;
}

it.each([
  ['a square', 100, 100, 0, [10, 50], 0],
  ['a square on the diagonal at 70° N', 100, 100, 45, [10, 70], 0],
  ['twice as long as wide', 200, 100, 0, [10, 50], 0.5],
  ['the same, east to west at 60° N, where degrees differ by half', 200, 100, 90, [10, 60], 0.5],
  ['a strip', 1000, 10, 30, [-70, -33], 0.99],
  ['across the antimeridian', 400, 100, 90, [180, 10], 0.75],
])('%s', async (_what, long, short, azimuth, position, expected) => {
  expect(await elongation(long, short, azimuth, position)).toBeCloseTo(expected, 3);
});
