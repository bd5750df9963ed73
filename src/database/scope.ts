import { Prisma } from './generated/client.ts';

/** Tables of which each row belongs to a workspace, in its column `workspace_id`. */
export const WORKSPACE_TABLES = [
  'scene',
  'segmentation',
  'segment_request',
  'mask',
  'feature',
  'feature_adjacency',
  'view',
  'review',
  'export',
  'job',
  'job_item',
  'job_run',
  'event',
  'webhook',
  'webhook_delivery',
  'deletion',
] as const;
export type WorkspaceTable = (typeof WORKSPACE_TABLES)[number];

/** The workspace that exists from the start, and owns what was stored before there were workspaces. */
export const DEFAULT_WORKSPACE = 'default';

/**
 * The rows that statements may read and change. Every statement of a request names its tables through the scope of its
 * connection, so that it cannot reach what belongs to another workspace.
 */
export interface Scope {
  /** A table to read from, as in `FROM ${scope.rows('feature')} AS f`. */
  rows(table: WorkspaceTable): Prisma.Sql;
  /** Condition on rows to change or lock. @param alias of the table in the statement, or its name */
  owns(alias: string): Prisma.Sql;
}

/** The rows of one workspace. */
export function scopeOf(workspace: string): Scope {
  return {
    rows: (table) => Prisma.sql`(SELECT * FROM ${Prisma.raw(table)} WHERE workspace_id = ${workspace}::text)`,
    owns: (alias) => Prisma.sql`${Prisma.raw(alias)}.workspace_id = ${workspace}::text`,
  };
}

/** All rows, for workers and sweepers, which serve every workspace. */
export const EVERY_WORKSPACE: Scope = {
  rows: (table) => Prisma.raw(table),
  owns: () => Prisma.sql`TRUE`,
};
