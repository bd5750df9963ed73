import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import { conditionSql } from '../feature/feature-condition.repository.ts';
import type { Comparison } from '../feature/filter-cost.ts';
import { ADJACENCY_RELATIONS } from '../feature/feature.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import { comparisonOfNodesSql, pairsOfNodesSql, pixelSizeSql } from '../feature/neighbour-pairs.repository.ts';
import { borderLengthSql } from '../feature/overlay.repository.ts';
import type { AdjacencyEdge, AdjacencyGraphStore, EdgeFilter } from './adjacency-graph.ts';

const NodeRow = z.object({ id: z.string() });
const ComparisonRow = z.object({ pairs: z.number(), vertices: z.number() });
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
  constructor(private readonly database: WorkspaceDatabase) {}

  /** Uses the indexes of the conditions. */
  async nodes(filter: FeatureFilter, most: number): Promise<string[]> {
    const rows = await this.database.query(
      NodeRow,
      Prisma.sql`SELECT f.id FROM ${this.database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, this.database.scope)} ORDER BY f.id LIMIT ${most}::int`,
    );
    return rows.map(({ id }) => id);
  }

  /** Uses the indexes of the conditions and `feature_geography_gist`. */
  async comparison(filter: FeatureFilter, wanted: EdgeFilter): Promise<Comparison> {
    const [row] = await this.database.query(
      ComparisonRow,
      Prisma.sql`
        WITH node AS MATERIALIZED (SELECT f.id FROM ${this.database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, this.database.scope)})
        ${comparisonOfNodesSql(wanted, this.database.scope)}`,
    );
    return row ?? { pairs: 0, vertices: 0 };
  }

  /**
   * Uses the indexes of the conditions, the primary key of `feature_adjacency` and `feature_geography_gist`. The common
   * outline of a pair that is not stored is measured for the edges of the answer alone.
   */
  edges(filter: FeatureFilter, wanted: EdgeFilter, most: number): Promise<AdjacencyEdge[]> {
    const { relation } = wanted;
    return this.database.query(
      EdgeRow,
      Prisma.sql`
        WITH node AS MATERIALIZED (SELECT f.id FROM ${this.database.scope.rows('feature')} AS f WHERE ${conditionSql(filter, this.database.scope)}),
        pair AS MATERIALIZED (
          SELECT * FROM (${pairsOfNodesSql(wanted, this.database.scope)}) AS pair
          WHERE ${relation === undefined ? Prisma.sql`TRUE` : Prisma.sql`pair.relation = ${relation}::text`}
          ORDER BY pair.from_id, pair.to_id LIMIT ${most}::int
        )
        SELECT pair.from_id AS "fromId", pair.to_id AS "toId", pair.relation,
               CASE WHEN pair.relation = 'TOUCHES' THEN COALESCE(pair.shared_border_m,
                 ${borderLengthSql(Prisma.sql`a`, Prisma.sql`b`, pixelSizeSql(Prisma.sql`a`, this.database.scope))})
               END AS "sharedBorderM",
               pair.gap_m AS "gapM", bearing(a.centroid, b.centroid) AS "bearingDeg"
        FROM pair JOIN ${this.database.scope.rows('feature')} AS a ON a.id = pair.from_id JOIN ${this.database.scope.rows('feature')} AS b ON b.id = pair.to_id
        ORDER BY pair.from_id, pair.to_id`,
    );
  }
}
