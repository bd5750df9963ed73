import { OwnedCountRow } from '../database/count-row.ts';
import { Prisma, type Queries } from '../database/database.ts';
import { requireIdentifier } from '../database/identifier.ts';
import { type KeysetColumns, keysetSql, pagesByOwner } from '../database/keyset.ts';
import { uuidsSql } from '../database/uuids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { FeatureNeighbour } from './feature.ts';
import type { NeighbourFilter } from './feature.filter.ts';
import { FEATURE_COLUMNS, NeighbourRow } from './feature.row.ts';
import { commonBorderSql, gapSql } from './overlay.repository.ts';

/** Features that touch are looked for within this, as geodesics and the straight lines of a map differ by millimetres. */
const TOUCH_REACH_M = 1;

const NEAREST: KeysetColumns = {
  name: 'nearest',
  id: Prisma.sql`pair.id`,
  key: { sql: Prisma.sql`COALESCE(pair.gap_m, 0)`, missing: Prisma.sql`0::float8` },
  descending: false,
};

/**
 * The same page of the neighbours of each feature, in one statement; leans on the indexes of {@link pairsSql}. The common
 * outline of a pair that is not stored is measured for the pairs of the page alone.
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
      SELECT origin.id AS "ownerId", ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM", pair.relation,
             CASE WHEN pair.relation = 'TOUCHES' THEN COALESCE(pair.shared_border_m, ST_Length(
               ${commonBorderSql(Prisma.sql`origin.geometry`, Prisma.sql`f.geometry`)}::geography))
             END AS "sharedBorderM",
             pair.gap_m AS "gapM", bearing(origin.centroid, f.centroid) AS "neighbourBearingDeg"
      FROM feature AS origin
      CROSS JOIN LATERAL (
        SELECT pair.* FROM (${pairsSql(filter)}) AS pair
        WHERE ${conditionSql(filter)} AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int
      ) AS pair
      JOIN feature AS f ON f.id = pair.id
      WHERE origin.id = ANY(${uuidsSql(ids)}) ORDER BY origin.id, ${orderBy}`,
  );
  return pagesByOwner(ids, rows, page, NEAREST.name, ({ neighbour }) => ({
    node: neighbour,
    position: { value: neighbour.gapM ?? 0, id: neighbour.node.id },
  }));
}

/** Leans on the same indexes as {@link readNeighbours}. */
export async function countNeighbours(
  queries: Queries,
  ids: readonly string[],
  filter: NeighbourFilter,
): Promise<Map<string, number>> {
  const rows = await queries.query(
    OwnedCountRow,
    Prisma.sql`
      SELECT origin.id AS "ownerId",
             (SELECT count(*) FROM (${pairsSql(filter)}) AS pair WHERE ${conditionSql(filter)})::float8 AS count
      FROM feature AS origin WHERE origin.id = ANY(${uuidsSql(ids)})`,
  );
  return new Map(rows.map(({ ownerId, count }) => [ownerId, count]));
}

/** Neighbours `id` of a feature `origin`, with relation, shared_border_m and gap_m. */
function pairsSql({ relation, withinM, reachM }: NeighbourFilter): Prisma.Sql {
  if (withinM !== undefined) return measuredPairsSql(Prisma.sql`other.id <> origin.id`, withinM);
  const reach = relation === 'TOUCHES' ? Math.min(TOUCH_REACH_M, reachM) : reachM;
  return Prisma.sql`${STORED_PAIRS} UNION ALL ${measuredPairsSql(Prisma.sql`other.scene_id <> origin.scene_id`, reach)}`;
}

/** Pairs are stored once; leans on the primary key from one side and on `feature_adjacency_b` from the other. */
const STORED_PAIRS = Prisma.sql`
  SELECT feature_b AS id, relation, shared_border_m, gap_m FROM feature_adjacency WHERE feature_a = origin.id
  UNION ALL
  SELECT feature_a AS id, relation, shared_border_m, gap_m FROM feature_adjacency WHERE feature_b = origin.id`;

/** Leans on `feature_geography_gist`; what is stored of a pair is added by the primary key, and taken for true. */
function measuredPairsSql(others: Prisma.Sql, reachM: number): Prisma.Sql {
  return Prisma.sql`
    SELECT other.id, COALESCE(known.relation, CASE WHEN measured.gap_m = 0 THEN 'TOUCHES' ELSE 'NEAR' END) AS relation,
           known.shared_border_m, COALESCE(known.gap_m, measured.gap_m) AS gap_m
    FROM feature AS other
    CROSS JOIN LATERAL (
      SELECT ${gapSql(Prisma.sql`other.geometry`, Prisma.sql`origin.geometry`)} AS gap_m
    ) AS measured
    LEFT JOIN feature_adjacency AS known
      ON known.feature_a = LEAST(origin.id, other.id) AND known.feature_b = GREATEST(origin.id, other.id)
    WHERE ${others} AND ST_DWithin(other.geometry::geography, origin.geometry::geography, ${reachM}::float8)`;
}

function conditionSql({ relation, inSegmentationId }: NeighbourFilter): Prisma.Sql {
  const conditions = [Prisma.sql`TRUE`];
  if (relation !== undefined) conditions.push(Prisma.sql`pair.relation = ${relation}::text`);
  if (inSegmentationId !== undefined) {
    const segmentationId = requireIdentifier('inSegmentationId', inSegmentationId);
    conditions.push(Prisma.sql`
      EXISTS (SELECT 1 FROM feature AS f WHERE f.id = pair.id AND f.segmentation_id = ${segmentationId}::uuid)`);
  }
  return Prisma.join(conditions, ' AND ');
}
