import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { commonAreaSql, commonBorderSql, dissolvedSql, unionSql } from '../../src/feature/overlay.repository.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';

const FILE = new URL('../fixtures/outlines/overlapping_answers.json', import.meta.url);

let database: Database;
beforeAll(async () => (database = await openTestDatabase()));
afterAll(() => database.close());

it('overlays outlines that need a second attempt in full precision, on every engine', async () => {
  const [a, b] = z
    .array(z.unknown())
    .parse(JSON.parse(await readFile(FILE, 'utf8')))
    .map((outline) => Prisma.sql`ST_GeomFromGeoJSON(${JSON.stringify(outline)}::text)`) as [Prisma.Sql, Prisma.Sql];
  const Row = z.object({
    a: z.number(),
    b: z.number(),
    common: z.number(),
    border: z.number(),
    united: z.number(),
    dissolved: z.number(),
  });
  const [row] = await database.query(
    Row,
    Prisma.sql`
      SELECT ST_Area(${a}::geography) AS a, ST_Area(${b}::geography) AS b,
             ST_Area(${commonAreaSql(a, b)}::geography) AS common, ST_Length(${commonBorderSql(a, b)}::geography) AS border,
             ST_Area(${dissolvedSql(Prisma.sql`ST_Collect(${a}, ${b})`)}::geography) AS dissolved,
             (SELECT ST_Area(${unionSql(Prisma.sql`outline`)}::geography) FROM (VALUES (${a}), (${b})) AS both_of (outline))
               AS united`,
  );
  // What PostGIS on PostgreSQL says in full precision, square metres.
  expect(row!.common).toBeCloseTo(315.42373, 3);
  expect(row!.united).toBeCloseTo(row!.a + row!.b - row!.common, 3);
  expect(row!.dissolved).toBeCloseTo(row!.united, 3);
  expect(row!.border).toBeGreaterThan(0);
});
