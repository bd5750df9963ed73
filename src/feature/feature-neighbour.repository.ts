import { z } from 'zod';
import { OwnedCountRow } from '../database/sql/count-row.ts';
import { Prisma, type Queries } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { requireIdentifier } from '../database/sql/identifier.ts';
import { type KeysetColumns, keysetSql, pagesByOwner } from '../database/sql/keyset.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Comparison } from './filter-cost.ts';
import type { FeatureNeighbour } from './feature.ts';
import type { NeighbourFilter } from './feature.filter.ts';
import { FEATURE_COLUMNS, NeighbourRow } from './feature.row.ts';
import { comparisonOfOriginsSql, neighboursOfOriginSql, pixelSizeSql } from './neighbour-pairs.repository.ts';
import { borderLengthSql } from './overlay.repository.ts';

const NEAREST: KeysetColumns = {
  name: 'nearest',
  id: Prisma.sql`pair.id`,
  key: { sql: Prisma.sql`COALESCE(pair.gap_m, 0)`, missing: Prisma.sql`0::float8` },
  descending: false,
};

/**
 * The same page of the neighbours of each feature, in one statement, in which each is searched for once whatever the planner
 * expects. Uses the indexes of
 * {@link neighboursOfOriginSql}. The common outline of a pair that is not stored is measured for the pairs of the page alone.
 */
export async function readNeighbours(
  queries: Queries,
  ids: readonly string[],
  filter: NeighbourFilter,
  page: PageRequest,
): Promise<Map<string, Page<FeatureNeighbour>>> {
  const { between, orderBy, limit } = keysetSql(NEAREST, page);
  const rows = await queries.query(
    NeighbourRow,
    Prisma.sql`
      WITH pair AS MATERIALIZED (
        SELECT origin.id AS owner_id, pair.*
        FROM ${queries.scope.rows('feature')} AS origin
        CROSS JOIN LATERAL (
          SELECT pair.* FROM (${neighboursOfOriginSql(filter, queries.scope)}) AS pair
          WHERE ${conditionSql(filter, queries.scope)} AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int
        ) AS pair
        WHERE origin.id = ANY(${uuidsSql(ids)})
      )
      SELECT origin.id AS "ownerId", ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM", pair.relation,
             CASE WHEN pair.relation = 'TOUCHES' THEN COALESCE(pair.shared_border_m,
               ${borderLengthSql(Prisma.sql`origin`, Prisma.sql`f`, pixelSizeSql(Prisma.sql`origin`, queries.scope))})
             END AS "sharedBorderM",
             pair.gap_m AS "gapM", bearing(origin.centroid, f.centroid) AS "neighbourBearingDeg"
      FROM pair
      JOIN ${queries.scope.rows('feature')} AS origin ON origin.id = pair.owner_id
      JOIN ${queries.scope.rows('feature')} AS f ON f.id = pair.id
      ORDER BY origin.id, ${orderBy}`,
  );
  return pagesByOwner(ids, rows, page, NEAREST.name, ({ neighbour }) => ({
    node: neighbour,
    position: { value: neighbour.gapM ?? 0, id: neighbour.node.id },
  }));
}

const ComparisonRow = z.object({ pairs: z.number(), vertices: z.number() });

/** What measuring every pair of some features with others within a gap would compare. Uses `feature_geography_gist`. */
export async function compareNeighbours(
  queries: Queries,
  ids: readonly string[],
  withinM: number,
): Promise<Comparison> {
  const [row] = await queries.query(
    ComparisonRow,
    Prisma.sql`
      WITH node AS MATERIALIZED (SELECT unnest(${uuidsSql(ids)}) AS id) ${comparisonOfOriginsSql(withinM, queries.scope)}`,
  );
  return row ?? { pairs: 0, vertices: 0 };
}

/** Uses the same indexes as {@link readNeighbours}. */
export async function countNeighbours(
  queries: Queries,
  ids: readonly string[],
  filter: NeighbourFilter,
): Promise<Map<string, number>> {
  const rows = await queries.query(
    OwnedCountRow,
    Prisma.sql`
      SELECT origin.id AS "ownerId",
             (SELECT count(*) FROM (${neighboursOfOriginSql(filter, queries.scope)}) AS pair WHERE ${conditionSql(filter, queries.scope)})::float8 AS count
      FROM ${queries.scope.rows('feature')} AS origin WHERE origin.id = ANY(${uuidsSql(ids)})`,
  );
  return new Map(rows.map(({ ownerId, count }) => [ownerId, count]));
}

function conditionSql({ relation, inSegmentationId }: NeighbourFilter, scope: Scope): Prisma.Sql {
  const conditions = [Prisma.sql`TRUE`];
  if (relation !== undefined) conditions.push(Prisma.sql`pair.relation = ${relation}::text`);
  if (inSegmentationId !== undefined) {
    const segmentationId = requireIdentifier('inSegmentationId', inSegmentationId);
    conditions.push(Prisma.sql`
      EXISTS (SELECT 1 FROM ${scope.rows('feature')} AS f WHERE f.id = pair.id AND f.segmentation_id = ${segmentationId}::uuid)`);
  }
  return Prisma.join(conditions, ' AND ');
}
