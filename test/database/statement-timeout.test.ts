import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Database,
  openDatabase,
  Prisma,
  StatementTimeoutError,
  type WorkspaceDatabase,
} from '../../src/database/database.ts';

const url = process.env['DATABASE_URL'];
const Row = z.object({ done: z.boolean() });
const sleep = Prisma.sql`SELECT pg_sleep(1.5) IS NOT NULL AS done`;

describe.skipIf(!url)('a statement timeout (PostgreSQL only: the embedded engine cannot stop a statement)', () => {
  const name = `terraql_test_${randomBytes(8).toString('hex')}`;
  let database: Database;
  let requests: WorkspaceDatabase;
  beforeAll(async () => {
    await administer(`CREATE DATABASE ${name}`);
    const own = new URL(url!);
    own.pathname = `/${name}`;
    database = await openDatabase({ databaseUrl: own.href, dataDir: '', statementTimeoutS: 1 });
    requests = database.forWorkspace('default');
  });
  afterAll(async () => {
    await database.close();
    await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  it('stops a statement and says after how many seconds', async () => {
    const asked = requests.query(Row, sleep);
    await expect(asked).rejects.toThrow(StatementTimeoutError);
    await expect(asked).rejects.toThrow('exceeded 1 s');
    expect(await requests.query(Row, Prisma.sql`SELECT true AS done`)).toEqual([{ done: true }]);
  });

  it('says so too where it stops the union of many outlines in the middle', async () => {
    const union = Prisma.sql`
      SELECT ST_Area(ST_UnaryUnion(ST_Collect(ST_Buffer(ST_MakePoint(n % 211, n % 199), 9, 4)), 1e-6)) > 0 AS done
      FROM generate_series(1, 20000) AS n`;
    await expect(requests.query(Row, union)).rejects.toThrow(StatementTimeoutError);
    expect(await requests.query(Row, Prisma.sql`SELECT true AS done`)).toEqual([{ done: true }]);
  });

  it('leaves the statements of a transaction alone', async () => {
    expect(await requests.transaction((queries) => queries.query(Row, sleep))).toEqual([{ done: true }]);
    await expect(requests.query(Row, sleep)).rejects.toThrow(StatementTimeoutError);
  });
});

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
