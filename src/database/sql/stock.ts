import { z } from 'zod';
import { QuotaExceededError, type Stock } from '../../quota.ts';
import { Prisma, type Queries } from '../database.ts';
import type { Scope } from '../scope.ts';

const UsedRow = z.object({ used: z.number() });

/**
 * What a workspace has now. Uses `segmentation_waiting`, `segmentation_features`, `scene_copies` and `export_workspace`.
 */
export async function usedStock(queries: Pick<Queries, 'query' | 'scope'>, stock: Stock): Promise<number> {
  const [row] = await queries.query(UsedRow, USED[stock](queries.scope));
  return row?.used ?? 0;
}

const USED: Readonly<Record<Stock, (scope: Scope) => Prisma.Sql>> = {
  WAITING_WINDOWS: (scope) => Prisma.sql`
    SELECT coalesce(sum(greatest(s.windows_planned, s.windows_total) - s.windows_done), 0)::float8 AS used
    FROM ${scope.rows('segmentation')} AS s WHERE s.state IN ('QUEUED', 'RUNNING')`,
  FEATURES: (scope) => Prisma.sql`
    SELECT coalesce(sum(s.feature_count), 0)::float8 AS used
    FROM ${scope.rows('segmentation')} AS s WHERE s.feature_count > 0`,
  BYTES_STORED: (scope) => Prisma.sql`
    SELECT (SELECT coalesce(sum(s.blob_bytes), 0) FROM ${scope.rows('scene')} AS s WHERE s.blob_bytes IS NOT NULL)::float8
         + (SELECT coalesce(sum(e.size_bytes), 0) FROM ${scope.rows('export')} AS e)::float8 AS used`,
};

/**
 * Lets a transaction add to what its workspace has. Transactions that do so for one workspace wait for one another.
 * @param limit null: unlimited
 * @param argument of the request that asks for it
 * @throws {QuotaExceededError}
 */
export async function requireRoom(
  queries: Queries,
  stock: Stock,
  added: number,
  { limit, argument }: { readonly limit: number | null | undefined; readonly argument: string },
): Promise<void> {
  if (limit === null || limit === undefined) return;
  const name = `quota ${stock} ${queries.workspace}`;
  await queries.execute(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  const value = (await usedStock(queries, stock)) + added;
  if (value > limit) throw new QuotaExceededError(stock, argument, { value, added, limit });
}
