import { type Database, Prisma, type WorkspaceDatabase } from '../../src/database/database.ts';
import { EVERY_WORKSPACE, type Scope, scopeOf, WORKSPACE_TABLES } from '../../src/database/scope.ts';

function bound(database: WorkspaceDatabase, workspace: string, scope: Scope): WorkspaceDatabase {
  return {
    ...database,
    workspace,
    scope,
    transaction: (work, signal) => database.transaction((queries) => work({ ...queries, workspace, scope }), signal),
  };
}

/** A database whose statements name every row, so that row-level security alone keeps workspaces apart. */
export function onlyRowSecurity(database: Database): Database {
  return {
    ...database,
    forWorkspace: (workspace) => bound(database.forWorkspace(workspace), workspace, EVERY_WORKSPACE),
  };
}

/** A database whose requests run as the owner of the tables, so that the scope of statements alone keeps workspaces apart. */
export function onlyScope(database: Database): Database {
  return { ...database, forWorkspace: (workspace) => bound(database, workspace, scopeOf(workspace)) };
}

/** Every row of a workspace, as `text`. */
export const WORKSPACE_ROWS = (workspace: string): Prisma.Sql =>
  Prisma.join(
    [...WORKSPACE_TABLES, 'api_key', 'quota'].map(
      (table) =>
        Prisma.sql`SELECT ${table}::text || ' ' || t::text AS text FROM ${Prisma.raw(table)} AS t WHERE workspace_id = ${workspace}::text`,
    ),
    ' UNION ALL ',
  );
