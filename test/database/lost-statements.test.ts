import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { StatementLostError } from '../../src/database/embedded-engine.ts';
import { openTestDatabase } from './test-database.ts';

const FILE = new URL('../fixtures/outlines/overlapping_answers.json', import.meta.url);
const AreaRow = z.object({ area: z.number() });
const CountRow = z.object({ count: z.number() });

describe.skipIf(process.env['DATABASE_URL'])('a statement that the embedded engine gives up', () => {
  let database: Database;
  /** Their overlay fails at full precision, and is tried again inside GEOS. */
  let overlay: Prisma.Sql;
  beforeAll(async () => {
    database = await openTestDatabase();
    const outlines = z.array(z.unknown()).parse(JSON.parse(await readFile(FILE, 'utf8')));
    const [a, b] = outlines.map((outline) => Prisma.sql`ST_GeomFromGeoJSON(${JSON.stringify(outline)}::text)`);
    overlay = Prisma.sql`SELECT ST_Area(ST_Intersection(${a!}, ${b!})) AS area`;
  });
  afterAll(() => database.close());

  it('is an error with a code, not an empty answer', async () => {
    const asked = database.query(AreaRow, overlay);
    await expect(asked).rejects.toThrow(StatementLostError);
    await expect(asked).rejects.toMatchObject({ code: 'STATEMENT_LOST' });
  });

  it('rolls its transaction back, and the engine answers on', async () => {
    const written = database.transaction(async (queries) => {
      await queries.execute(Prisma.sql`CREATE TABLE half_way AS SELECT 1 AS n`);
      return queries.query(AreaRow, overlay);
    });
    await expect(written).rejects.toThrow(StatementLostError);
    const left = Prisma.sql`SELECT count(*)::float8 AS count FROM pg_class WHERE relname = 'half_way'`;
    expect(await database.query(CountRow, left)).toEqual([{ count: 0 }]);
  });

  it('is distinguished from an answer without rows', async () => {
    expect(await database.query(AreaRow, Prisma.sql`SELECT 1::float8 AS area WHERE FALSE`)).toEqual([]);
    expect(await database.execute(Prisma.sql`UPDATE scene SET name = name`)).toBe(0);
  });
});
