import { z } from 'zod';
import { type Database, Prisma } from '../database/database.ts';
import { conditionSql } from '../feature/feature-condition.repository.ts';
import { ADJACENCY_RELATIONS } from '../feature/feature.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import { commonBorderSql, gapSql } from '../feature/overlay.repository.ts';
import type { AdjacencyEdge, AdjacencyGraphStore, EdgeFilter } from './adjacency-graph.ts';

const NodeRow = z.object({ id: z.string() });
const EdgeRow = z.object({
  fromId: z.string(),
  toId: z.string(),
  relation: z.enum(ADJACENCY_RELATIONS),
  sharedBorderM: z.number().nullable(),
  gapM: z.number().nullable(),
  bearingDeg: z.number().nullable(),
});

/** Pairs of neighbours in PostGIS. */
export class AdjacencyGraphRepository implements AdjacencyGraphStore {
  constructor(private readonly database: Database) {}

  /** Leans on the indexes of the conditions. */
  async nodes(filter: FeatureFilter, most: number): Promise<string[]> {
    const rows = await this.database.query(
      NodeRow,
      Prisma.sql`SELECT f.id FROM feature AS f WHERE ${conditionSql(filter)} ORDER BY f.id LIMIT ${most}::int`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Leans on the indexes of the conditions, and on those of {@link storedSql} and {@link measuredSql}. The common outline
   * of a pair that is not stored is measured for the edges of the answer alone.
   */
  edges(filter: FeatureFilter, wanted: EdgeFilter, most: number): Promise<AdjacencyEdge[]> {
    const { relation } = wanted;
    return this.database.query(
      EdgeRow,
      Prisma.sql`
        WITH node AS MATERIALIZED (SELECT f.id FROM feature AS f WHERE ${conditionSql(filter)}),
        pair AS MATERIALIZED (
          SELECT * FROM (${pairsSql(wanted)}) AS pair
          WHERE ${relation === undefined ? Prisma.sql`TRUE` : Prisma.sql`pair.relation = ${relation}::text`}
          ORDER BY pair.from_id, pair.to_id LIMIT ${most}::int
        )
        SELECT pair.from_id AS "fromId", pair.to_id AS "toId", pair.relation,
               CASE WHEN pair.relation = 'TOUCHES' THEN COALESCE(pair.shared_border_m, ST_Length(
                 ${commonBorderSql(Prisma.sql`a.geometry`, Prisma.sql`b.geometry`)}::geography))
               END AS "sharedBorderM",
               pair.gap_m AS "gapM", bearing(a.centroid, b.centroid) AS "bearingDeg"
        FROM pair JOIN feature AS a ON a.id = pair.from_id JOIN feature AS b ON b.id = pair.to_id
        ORDER BY pair.from_id, pair.to_id`,
    );
  }
}

function pairsSql({ withinM, reachM }: EdgeFilter): Prisma.Sql {
  if (withinM !== undefined) return measuredSql(Prisma.sql`TRUE`, withinM);
  return Prisma.sql`${STORED} UNION ALL ${measuredSql(Prisma.sql`other.scene_id <> origin.scene_id`, reachM)}`;
}

/**
 * Whether both ends of a pair match is looked up in a table of their identifiers, which `IS TRUE` makes sure of: joined, the
 * planner would compare every node with every other when it takes them for few.
 */
const isNodeSql = (id: Prisma.Sql): Prisma.Sql => Prisma.sql`(${id} IN (SELECT node.id FROM node)) IS TRUE`;

/** Leans on the primary key of `feature_adjacency`. */
const STORED = Prisma.sql`
  SELECT known.feature_a AS from_id, known.feature_b AS to_id, known.relation, known.shared_border_m, known.gap_m
  FROM node JOIN feature_adjacency AS known ON known.feature_a = node.id
  WHERE ${isNodeSql(Prisma.sql`known.feature_b`)}`;

/** Looks each node up in `feature_geography_gist`; what is stored of a pair comes by the primary key, and is taken for true. */
function measuredSql(others: Prisma.Sql, reachM: number): Prisma.Sql {
  return Prisma.sql`
    SELECT origin.id AS from_id, found.id AS to_id,
           COALESCE(known.relation, CASE WHEN found.gap_m = 0 THEN 'TOUCHES' ELSE 'NEAR' END) AS relation,
           known.shared_border_m, COALESCE(known.gap_m, found.gap_m) AS gap_m
    FROM node
    JOIN feature AS origin ON origin.id = node.id
    CROSS JOIN LATERAL (
      SELECT other.id, ${gapSql(Prisma.sql`other.geometry`, Prisma.sql`origin.geometry`)} AS gap_m
      FROM feature AS other
      WHERE other.id > origin.id AND ${others} AND ${isNodeSql(Prisma.sql`other.id`)}
        AND ST_DWithin(other.geometry::geography, origin.geometry::geography, ${reachM}::float8)
      OFFSET 0
    ) AS found
    LEFT JOIN feature_adjacency AS known ON known.feature_a = origin.id AND known.feature_b = found.id`;
}
