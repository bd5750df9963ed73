import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, databaseOnPGlite, openDatabase } from '../../src/database/database.ts';
import { migrate, MIGRATIONS_DIR, type MigrationSession, readMigrations } from '../../src/database/migrate.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { inThisThread } from './engine-in-this-thread.ts';
import { emptyServerDatabase, extensionsInUse } from './test-database.ts';

const KEPT = path.resolve(import.meta.dirname, '../fixtures/schemas');
/** Numbers of migrations at which rows of that time are kept. */
const LEVELS = readdirSync(KEPT).map((file) => path.basename(file, '.sql'));

let database: Database;
let close: () => Promise<void>;

/** Applies all migrations, and stores the rows of each time after the last migration of its number. */
async function age(session: MigrationSession): Promise<void> {
  const migrations = await readMigrations(MIGRATIONS_DIR);
  for (const level of LEVELS) {
    const last = migrations.findLastIndex(({ name }) => name.startsWith(level));
    await migrate(session, migrations.slice(0, last + 1));
    await session.script(readFileSync(path.join(KEPT, `${level}.sql`), 'utf8'));
  }
}

beforeAll(async () => {
  if (process.env['DATABASE_URL']) {
    const server = await emptyServerDatabase(process.env['DATABASE_URL']);
    await age(server.session);
    await server.end();
    database = await openDatabase({ databaseUrl: server.href, dataDir: '' });
    close = async () => {
      await database.close();
      await server.drop();
    };
    return;
  }
  const pglite = await PGlite.create({ extensions: await extensionsInUse() });
  await age({
    script: async (sql) => void (await pglite.exec(sql)),
    query: async (sql, parameters) => (await pglite.query(sql, [...parameters])).rows,
  });
  database = await databaseOnPGlite(inThisThread(pglite), await readMigrations(MIGRATIONS_DIR), () => pglite.close());
  close = () => database.close();
}, 120_000);
afterAll(() => close());

it.each(LEVELS)('rows of %s are read by the newest version as those of today', async (level) => {
  const features = new FeatureRepository(database);
  const sceneId = `0190${level}-0000-7000-8000-000000000001`;
  const order = { by: 'CREATED', direction: 'ASC' } as const;
  const { edges } = await features.find({ sceneId, areaM2: { min: 10_000 } }, order, { first: 10 });
  expect(edges.map(({ node }) => node.label)).toEqual([1, 2]);
  // 0.002 by 0.001 degrees at 50.5° N: 142 by 111 m.
  for (const { node } of edges) expect(node.elongation).toBeCloseTo(1 - 111.3 / 141.9, 1);
  const [west, south, east, north] = edges[0]!.node.bbox;
  expect(
    await features.count({ sceneId, bbox: [west, south, east, north], prompt: `Where is water in ${level}?` }),
  ).toBe(2);
  expect(await features.count({ sceneId, neighbourCount: { min: 1 } })).toBe(2);
  expect(await features.count({ sceneId, created: { to: new Date('2024-06-03') } })).toBe(2);
  expect(await features.count({ sceneId, label: 'lake' })).toBe(Number(level) < 30 ? 0 : 1);
  const views = await database.prisma.$queryRaw<
    object[]
  >`SELECT FROM view WHERE workspace_id = 'default' AND slug = ${`large-${level}`}`;
  expect(views).toHaveLength(Number(level) < 30 ? 0 : 1);
});
