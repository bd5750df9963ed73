import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { WORKSPACE_TABLES } from '../../src/database/scope.ts';
import { newScene } from './seeds.ts';
import { openTestDatabase } from './test-database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';

/** Tables that belong to no workspace, and why requests may do with them what they may. */
const OF_NOBODY: Readonly<Record<string, string>> = {
  'public.terraql_migration': 'requests have no privilege',
  'public.link_key': 'requests have no privilege',
  'public.rate_limit': 'requests have no privilege',
  'public.spatial_ref_sys': 'coordinate systems of PostGIS, the same for all',
  'terraql_queue.version': 'requests have no privilege',
  'terraql_queue.schedule': 'requests have no privilege',
  'terraql_queue.subscription': 'requests have no privilege',
  'terraql_queue.archive': 'requests have no privilege',
  'terraql_queue.queue': 'names of queues, which requests read to put a batch in one',
};
/** Tables whose rows belong to a workspace by something else than `workspace_id`. */
const BY_ANOTHER_COLUMN = ['public.workspace', 'terraql_queue.job'];

const TableRow = z.object({
  name: z.string(),
  forced: z.boolean(),
  policy: z.boolean(),
  mayDo: z.boolean(),
  column: z.boolean(),
  refers: z.boolean(),
});
const TABLES = Prisma.sql`
  SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         EXISTS (
           SELECT FROM pg_policy AS p JOIN pg_roles AS r ON r.oid = ANY (p.polroles)
           WHERE p.polrelid = c.oid AND r.rolname = 'terraql_request' AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
         ) AS policy,
         has_schema_privilege('terraql_request', n.oid, 'USAGE')
           AND has_table_privilege('terraql_request', c.oid, 'SELECT, INSERT, UPDATE, DELETE') AS "mayDo",
         EXISTS (
           SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND a.attnotnull
         ) AS column,
         EXISTS (
           SELECT FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
           WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attname = 'workspace_id'
         ) AS refers
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast')
    AND NOT c.relispartition
  ORDER BY 1`;

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
  await database.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES ('other', 'Other')`);
});
afterAll(() => database.close());

/** What is wrong with the walls of the tables that there are, a line each. */
async function gaps(): Promise<string[]> {
  const tables = await database.query(TableRow, TABLES);
  return tables.flatMap(({ name, forced, policy, mayDo, column, refers }) => {
    if (name in OF_NOBODY) {
      return mayDo && OF_NOBODY[name] === 'requests have no privilege' ? [`${name}: requests have a privilege`] : [];
    }
    const isOwned = column || BY_ANOTHER_COLUMN.includes(name);
    return [
      ...(isOwned ? [] : [`${name}: no workspace_id`]),
      ...(forced && policy ? [] : [`${name}: no policy, or it is not forced`]),
      ...(refers || BY_ANOTHER_COLUMN.includes(name) ? [] : [`${name}: workspace_id refers to nothing`]),
    ];
  });
}

describe('every table', () => {
  it('belongs to a workspace and has a policy, unless it is listed as belonging to none', async () => {
    expect(await gaps()).toEqual([]);
  });

  it('that is new and is not is found', async () => {
    await database.execute(Prisma.sql`CREATE TABLE forgotten (id int)`);
    expect(await gaps()).toEqual([
      'public.forgotten: no workspace_id',
      'public.forgotten: no policy, or it is not forced',
      'public.forgotten: workspace_id refers to nothing',
    ]);
    await database.execute(Prisma.sql`DROP TABLE forgotten`);
  });

  it.each(WORKSPACE_TABLES)('%s shows and changes nothing without a workspace', async (table) => {
    const nobody = database.forWorkspace('');
    const named = Prisma.raw(table);
    expect(await nobody.query(z.object({}), Prisma.sql`SELECT 1 FROM ${named}`)).toEqual([]);
    expect(await nobody.execute(Prisma.sql`DELETE FROM ${named}`)).toBe(0);
  });
});

describe('a statement of another workspace', () => {
  it('finds, changes and deletes nothing, though it names the row', async () => {
    const { id } = await new SceneRepository(database).insert(newScene());
    const other = database.forWorkspace('other');
    const IdRow = z.object({ id: z.string() });
    expect(await other.query(IdRow, Prisma.sql`SELECT id FROM scene WHERE id = ${id}::uuid`)).toEqual([]);
    expect(await other.execute(Prisma.sql`UPDATE scene SET name = 'taken' WHERE id = ${id}::uuid`)).toBe(0);
    expect(await other.execute(Prisma.sql`DELETE FROM scene WHERE id = ${id}::uuid`)).toBe(0);
    const own = database.forWorkspace('default');
    expect(await own.query(IdRow, Prisma.sql`SELECT id FROM scene WHERE id = ${id}::uuid`)).toEqual([{ id }]);
    await expect(own.execute(Prisma.sql`UPDATE scene SET workspace_id = 'other'`)).rejects.toThrow(
      'row-level security',
    );
  });

  it('is kept apart from those beside it, whoever asks first', async () => {
    const NameRow = z.object({ name: z.string().nullable() });
    const named = Prisma.sql`SELECT current_setting('terraql.workspace', true) AS name`;
    const asked = Array.from({ length: 60 }, (_, index) => ['default', 'other', 'third'][index % 3]!);
    const told = await Promise.all(
      asked.map(async (workspace, index) => {
        const on = database.forWorkspace(workspace);
        const [row] = await (index % 2 === 0
          ? on.query(NameRow, named)
          : on.transaction((queries) => queries.query(NameRow, named)));
        return row!.name;
      }),
    );
    expect(told).toEqual(asked);
  });

  it('leaves the owner unbound', async () => {
    const UserRow = z.object({ bound: z.boolean() });
    const bound = Prisma.sql`SELECT current_user = 'terraql_request' AS bound`;
    expect(await database.forWorkspace('other').query(UserRow, bound)).toEqual([{ bound: true }]);
    expect(await database.forRuns.query(UserRow, bound)).toEqual([{ bound: false }]);
  });
});
