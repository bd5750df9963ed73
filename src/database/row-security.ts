import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { MigrationSession } from './migrate.ts';

/** The role that requests run as: it may log in nowhere, owns nothing, and row-level security binds it. */
export const REQUEST_ROLE = 'terraql_request';

/** Variable of a connection that names the workspace of the request. */
const WORKSPACE = 'terraql.workspace';

/** Sets a connection for the requests of a workspace; null: for the owner of the tables. */
export function servingSql(workspace: string | null): [sql: string, values: string[]] {
  if (workspace === null) return ["SELECT set_config('role', 'none', false)", []];
  return [`SELECT set_config('role', '${REQUEST_ROLE}', false), set_config('${WORKSPACE}', $1, false)`, [workspace]];
}

/** The user of `DATABASE_URL` may not make the role of requests, or not take it. */
export class RequestRoleError extends AppError {
  readonly code = 'DATABASE_ROLE';
  /** @param remedy what an administrator of the server should run */
  constructor(reason: string, remedy: string, options?: ErrorOptions) {
    super(
      `Requests run as the database role ${REQUEST_ROLE}, but ${reason}. Ask an administrator of the server to run ` +
        `\`${remedy}\`, or set TERRAQL_ROW_SECURITY=off.`,
      options,
    );
  }
}

/** What requests may do with a table; with all others of `workspace_id` they may read, add, change and delete. */
const PRIVILEGES: Readonly<Record<string, string>> = { audit: 'SELECT, INSERT', usage: 'SELECT' };
const ALL_PRIVILEGES = 'SELECT, INSERT, UPDATE, DELETE';

/** Tables without `workspace_id` that requests need, and which of their rows. */
const OTHER_TABLES = [
  { table: 'workspace', owns: 'id', privileges: 'SELECT' },
  { table: 'terraql_queue.job', owns: "(data->>'workspace')", privileges: 'SELECT, INSERT' },
] as const;

/**
 * Functions behind the conditions that indexes answer. Below a policy PostgreSQL uses an index only for functions that are
 * known to tell nothing of their arguments but by their result; those of PostGIS and of text search are not marked so.
 * @see https://www.postgresql.org/docs/current/rules-privileges.html
 */
const OF_INDEXES = [
  'geometry_overlaps(geometry,geometry)',
  'geography_overlaps(geography,geography)',
  'geography(geometry)',
  ...['intersects', 'within', 'contains', 'covers', 'coveredby', 'touches', 'overlaps', 'crosses'].map(
    (predicate) => `st_${predicate}(geometry,geometry)`,
  ),
  'st_dwithin(geography,geography,double precision,boolean)',
  'texticlike(text,text)',
  'to_tsvector(regconfig,text)',
  'ts_match_vq(tsvector,tsquery)',
  'word_similarity_commutator_op(text,text)',
] as const;

const UserRow = z.object({
  user: z.string(),
  schema: z.string(),
  schemas: z.array(z.string()),
  superuser: z.boolean(),
});
const RoleRow = z.object({ unbound: z.boolean() });
const TableRow = z.object({ table: z.string(), name: z.string(), referring: z.boolean() });
const FunctionRow = z.object({ signature: z.string() });

/**
 * Puts every table with a column `workspace_id` behind row-level security, forced, has it refer to `workspace`, and grants the
 * role of requests what it needs. Changes nothing that is in order.
 * @returns statements that an administrator should run, so that indexes are used; none when all is well
 * @throws {RequestRoleError}
 */
export async function raiseWalls(session: MigrationSession): Promise<string[]> {
  const [me] = z.array(UserRow).parse(
    await session.query(
      `SELECT current_user::text AS user, current_schema()::text AS schema, current_schemas(false)::text[] AS schemas, rolsuper AS superuser
       FROM pg_roles WHERE rolname = current_user`,
      [],
    ),
  );
  if (!me) throw new Error('the database returned no user');
  await makeRole(session, me.user);
  const open = z.array(TableRow).parse(await session.query(OPEN_TABLES, [me.user]));
  const others = OTHER_TABLES.map(({ table }) => table as string);
  if (open.length > 0) {
    const owned = open.filter(({ table }) => !others.includes(table));
    await session.script(
      [
        `GRANT USAGE ON SCHEMA terraql_queue, ${me.schemas.map(quoted).join(', ')} TO ${REQUEST_ROLE}`,
        `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${quoted(me.schema)} TO ${REQUEST_ROLE}`,
        `GRANT SELECT ON terraql_queue.queue TO ${REQUEST_ROLE}`,
        ...owned.flatMap(({ table, referring }) =>
          referring ? [] : [`ALTER TABLE ${table} ADD FOREIGN KEY (workspace_id) REFERENCES workspace`],
        ),
        ...owned.map(({ table, name }) => wallSql(table, 'workspace_id', PRIVILEGES[name] ?? ALL_PRIVILEGES)),
        ...OTHER_TABLES.map(({ table, owns, privileges }) => wallSql(table, owns, privileges)),
      ].join(';\n'),
    );
  }
  return markFunctions(session, me.superuser);
}

/**
 * Tables of workspaces that are not behind forced row-level security, with policies for the role and for the owner; and
 * whether a foreign key keeps each to workspaces that there are.
 */
const OPEN_TABLES = `
  SELECT c.oid::regclass::text AS table, c.relname::text AS name, EXISTS (
      SELECT FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
      WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attname = 'workspace_id') AS referring
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND (EXISTS (
      SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
        AND n.nspname = current_schema()
    ) OR c.oid::regclass::text IN (${OTHER_TABLES.map(({ table }) => `'${table}'`).join(', ')}))
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity
      AND EXISTS (
        SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'workspace_rows'
          AND (SELECT oid FROM pg_roles WHERE rolname = '${REQUEST_ROLE}') = ANY (p.polroles))
      AND EXISTS (
        SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'every_row'
          AND (SELECT oid FROM pg_roles WHERE rolname = $1::text) = ANY (p.polroles)))
  ORDER BY 1`;

function wallSql(table: string, owner: string, privileges: string): string {
  const mine = `${owner} = (SELECT current_setting('${WORKSPACE}', true))`;
  return `
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    DROP POLICY IF EXISTS workspace_rows ON ${table};
    CREATE POLICY workspace_rows ON ${table} TO ${REQUEST_ROLE} USING (${mine}) WITH CHECK (${mine});
    DROP POLICY IF EXISTS every_row ON ${table};
    CREATE POLICY every_row ON ${table} TO CURRENT_USER USING (true) WITH CHECK (true);
    GRANT ${privileges} ON ${table} TO ${REQUEST_ROLE}`;
}

/** Makes the role where it is missing, and lets the user take it. Several processes may do so at a time. */
async function makeRole(session: MigrationSession, user: string): Promise<void> {
  const find = async (): Promise<z.infer<typeof RoleRow> | undefined> =>
    z
      .array(RoleRow)
      .parse(
        await session.query('SELECT rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname = $1', [
          REQUEST_ROLE,
        ]),
      )[0];
  const create = `CREATE ROLE ${REQUEST_ROLE} NOLOGIN NOBYPASSRLS`;
  const grant = `GRANT ${REQUEST_ROLE} TO ${quoted(user)};`;
  if (!(await find())) {
    const failed = await attempt(session, create);
    if (failed && !(await find())) {
      throw new RequestRoleError(`"${user}" may not create it`, `${create}; ${grant}`, { cause: failed });
    }
  }
  if ((await find())?.unbound) {
    const bind = `ALTER ROLE ${REQUEST_ROLE} NOSUPERUSER NOBYPASSRLS;`;
    throw new RequestRoleError('row-level security does not bind that role', bind);
  }
  const takeIt = `SET ROLE ${REQUEST_ROLE}; RESET ROLE`;
  if (!(await attempt(session, takeIt))) return;
  await attempt(session, `GRANT ${REQUEST_ROLE} TO CURRENT_USER`);
  const refused = await attempt(session, takeIt);
  if (refused) throw new RequestRoleError(`"${user}" may not switch to it`, grant, { cause: refused });
}

/** @returns the error of a script that failed; null when it did not */
async function attempt(session: MigrationSession, sql: string): Promise<unknown> {
  try {
    await session.script(sql);
    return null;
  } catch (error) {
    return error ?? new Error('it failed without a reason');
  }
}

async function markFunctions(session: MigrationSession, superuser: boolean): Promise<string[]> {
  const found = z.array(FunctionRow).parse(
    await session.query(
      `SELECT p.oid::regprocedure::text AS signature
       FROM unnest($1::text[]) AS wanted (name) JOIN pg_proc AS p ON p.oid = to_regprocedure(wanted.name)
       WHERE NOT p.proleakproof ORDER BY 1`,
      [`{${OF_INDEXES.map((signature) => `"${signature}"`).join(',')}}`],
    ),
  );
  const statements = found.map(({ signature }) => `ALTER FUNCTION ${signature} LEAKPROOF`);
  if (!superuser || statements.length === 0) return statements;
  await session.script(statements.join(';\n'));
  return [];
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
