import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import type { NeighbourFilter } from './feature.filter.ts';
import { MAX_COMPARED_PAIRS } from './filter-cost.ts';
import { gapSql } from './overlay.repository.ts';

/**
 * Which features are neighbours, for the filter `adjacentTo`, the field `neighbours` and the graph `adjacency` alike. Pairs
 * of one scene are stored when they touch or lie within the reach of the service, those of two of its answers a while after
 * them; until then, and for two scenes, pairs are measured up to the same reach; with a gap of the client's own every pair is measured. What is stored of a measured pair takes precedence.
 */

/** Features that touch are looked for within this, as geodesics and the straight lines of a map differ by millimetres. */
const TOUCH_REACH_M = 1;

/** Number of stored neighbours of the feature `f`. Uses the primary key and `feature_adjacency_b`. */
export const neighbourCountSql = (scope: Scope): Prisma.Sql => Prisma.sql`(
  (SELECT count(*) FROM ${scope.rows('feature_adjacency')} AS pair WHERE pair.feature_a = f.id)
  + (SELECT count(*) FROM ${scope.rows('feature_adjacency')} AS pair WHERE pair.feature_b = f.id))::float8`;

/** Ground size of a pixel of the scene of a feature, metres. Uses the primary key. */
export const pixelSizeSql = (feature: Prisma.Sql, scope: Scope): Prisma.Sql =>
  Prisma.sql`(SELECT scene.gsd_m FROM ${scope.rows('scene')} AS scene WHERE scene.id = ${feature}.scene_id)`;

/** Geodesic gap of at most `metres`. Uses `feature_geography_gist` for either of the two. */
function withinReachSql(one: Prisma.Sql, other: Prisma.Sql, metres: number): Prisma.Sql {
  return Prisma.sql`ST_DWithin(${one}.geometry::geography, ${other}.geometry::geography, ${metres}::float8)`;
}

const [ORIGIN, OTHER, F] = [Prisma.sql`origin`, Prisma.sql`other`, Prisma.sql`f`];

/** Answers that are not compared yet, looked up once in a statement. Uses `segmentation_uncompared`. */
const uncomparedSql = (scope: Scope): Prisma.Sql => Prisma.sql`
  ARRAY(SELECT waiting.id FROM ${scope.rows('segmentation')} AS waiting WHERE waiting.uncompared_below > 0)`;

/**
 * Whether a pair is of two scenes, or of two answers of one scene that are not compared yet, so that it is not stored. The
 * first part costs little, and leaves out most pairs of one scene before any is measured.
 */
const notStoredSql = (one: Prisma.Sql, other: Prisma.Sql, scope: Scope): Prisma.Sql => Prisma.sql`
  (${other}.scene_id <> ${one}.scene_id OR ${one}.segmentation_id = ANY(${uncomparedSql(scope)})
    OR ${other}.segmentation_id = ANY(${uncomparedSql(scope)}))
  AND (${other}.scene_id <> ${one}.scene_id OR ${other}.segmentation_id <> ${one}.segmentation_id AND EXISTS (
    SELECT FROM ${scope.rows('segmentation')} AS its, ${scope.rows('segmentation')} AS others
    WHERE its.id = ${one}.segmentation_id AND others.id = ${other}.segmentation_id
      AND (its.uncompared_below > others.answer_number OR others.uncompared_below > its.answer_number)))`;

/**
 * The stored pairs of a feature, from its side. A pair is stored once: uses the primary key from one side and
 * `feature_adjacency_b` from the other.
 */
function storedSql(origin: Prisma.Sql, scope: Scope): Prisma.Sql {
  return Prisma.sql`
    SELECT pair.feature_b AS id, pair.relation, pair.shared_border_m, pair.gap_m
    FROM ${scope.rows('feature_adjacency')} AS pair WHERE pair.feature_a = ${origin}.id
    UNION ALL
    SELECT pair.feature_a AS id, pair.relation, pair.shared_border_m, pair.gap_m
    FROM ${scope.rows('feature_adjacency')} AS pair WHERE pair.feature_b = ${origin}.id`;
}

/** What is known of the pair of `origin` and `other`: as stored, else as measured. */
const KNOWN_OR_MEASURED = Prisma.sql`
  COALESCE(known.relation, CASE WHEN measured.gap_m = 0 THEN 'TOUCHES' ELSE 'NEAR' END) AS relation,
  known.shared_border_m, COALESCE(known.gap_m, measured.gap_m) AS gap_m`;
const MEASURED_GAP = gapSql(Prisma.sql`other.geometry`, Prisma.sql`origin.geometry`);

/** Neighbours `id` of the feature `origin`, with relation, shared_border_m and gap_m. */
export function neighboursOfOriginSql({ relation, withinM, reachM }: NeighbourFilter, scope: Scope): Prisma.Sql {
  const measured = (others: Prisma.Sql, metres: number): Prisma.Sql => Prisma.sql`
    SELECT other.id, ${KNOWN_OR_MEASURED}
    FROM ${scope.rows('feature')} AS other
    CROSS JOIN LATERAL (SELECT ${MEASURED_GAP} AS gap_m) AS measured
    LEFT JOIN ${scope.rows('feature_adjacency')} AS known
      ON known.feature_a = LEAST(origin.id, other.id) AND known.feature_b = GREATEST(origin.id, other.id)
    WHERE ${others} AND ${withinReachSql(OTHER, ORIGIN, metres)}`;
  if (withinM !== undefined) return measured(Prisma.sql`other.id <> origin.id`, withinM);
  const reach = relation === 'TOUCHES' ? Math.min(TOUCH_REACH_M, reachM) : reachM;
  return Prisma.sql`${storedSql(ORIGIN, scope)} UNION ALL ${measured(notStoredSql(ORIGIN, OTHER, scope), reach)}`;
}

/**
 * Whether a neighbour of the feature `f` matches, the neighbours of each feature being sought.
 * @param matches condition on the neighbour, which is `f` in it
 */
export function hasNeighbourSql(matches: Prisma.Sql, scope: Scope, { withinM, reachM }: NeighbourReach): Prisma.Sql {
  if (withinM !== undefined) {
    return Prisma.sql`EXISTS (
      SELECT 1 FROM (SELECT f.id, f.geometry FROM ${scope.rows('feature')} AS f WHERE ${matches}) AS other
      WHERE other.id <> f.id AND ${withinReachSql(F, OTHER, withinM)})`;
  }
  return Prisma.sql`EXISTS (
    SELECT 1 FROM (${neighbourIdsSql(reachM, scope)}) AS neighbour JOIN ${scope.rows('feature')} AS f ON f.id = neighbour.id WHERE ${matches})`;
}

/** Identifiers of the features beside those that match, so that the planner may begin with the matches. */
export function besideSql(matches: Prisma.Sql, scope: Scope, { withinM, reachM }: NeighbourReach): Prisma.Sql {
  if (withinM !== undefined) {
    return Prisma.sql`
      SELECT other.id FROM (SELECT f.id, f.geometry FROM ${scope.rows('feature')} AS f WHERE ${matches}) AS origin
      JOIN ${scope.rows('feature')} AS other ON other.id <> origin.id AND ${withinReachSql(OTHER, ORIGIN, withinM)}`;
  }
  return Prisma.sql`
    SELECT beside.id FROM ${scope.rows('feature')} AS f CROSS JOIN LATERAL (${neighbourIdsSql(reachM, scope)} OFFSET 0) AS beside WHERE ${matches}`;
}

/** How far neighbours reach: `withinM` measures every pair; without it, stored pairs, and others up to `reachM`. */
export interface NeighbourReach {
  readonly withinM?: number | undefined;
  /** Absent: stored pairs alone. */
  readonly reachM?: number | undefined;
}

/** Identifiers of the neighbours of `f`: stored ones and, where there are any, those in other scenes and uncompared answers. */
function neighbourIdsSql(reachM: number | undefined, scope: Scope): Prisma.Sql {
  const stored = Prisma.sql`SELECT stored.id FROM (${storedSql(F, scope)}) AS stored`;
  if (reachM === undefined) return stored;
  return Prisma.sql`${stored}
    UNION ALL
    SELECT other.id FROM ${scope.rows('feature')} AS other
    WHERE ((SELECT count(*) FROM (SELECT FROM ${scope.rows('scene')} AS scene LIMIT 2) AS two) > 1 OR cardinality(${uncomparedSql(scope)}) > 0)
      AND ${notStoredSql(F, OTHER, scope)}
      AND ${withinReachSql(OTHER, F, reachM)}`;
}

/**
 * Whether both ends of a pair match is looked up in a table of their identifiers, which `IS TRUE` makes sure of: joined, the
 * planner would compare every node with every other when it takes them for few.
 */
const isNodeSql = (id: Prisma.Sql): Prisma.Sql => Prisma.sql`(${id} IN (SELECT node.id FROM node)) IS TRUE`;

/** Bytes of a vertex as it is stored. */
const VERTEX_BYTES = 16;

/**
 * What measuring the pairs of the features `node (id)` would compare, as pairs and vertices: counted by the index
 * `feature_geography_gist` and the size of the stored outlines, without reading them, and no further than one pair beyond the
 * limit.
 * @param others condition on `origin` and `other`
 */
function comparisonSql(others: Prisma.Sql, metres: number, scope: Scope): Prisma.Sql {
  return Prisma.sql`
    SELECT count(*)::float8 AS pairs, COALESCE(sum(compared.bytes), 0)::float8 / ${VERTEX_BYTES}::float8 AS vertices
    FROM (
      SELECT pg_column_size(origin.geometry) + pg_column_size(other.geometry) AS bytes
      FROM node
      JOIN ${scope.rows('feature')} AS origin ON origin.id = node.id
      CROSS JOIN LATERAL (
        SELECT other.geometry FROM ${scope.rows('feature')} AS other
        WHERE other.geometry::geography && _ST_Expand(origin.geometry::geography, ${metres}::float8) AND ${others}
      ) AS other
      LIMIT ${MAX_COMPARED_PAIRS + 1}::int
    ) AS compared`;
}

/** What {@link pairsOfNodesSql} would compare. */
export function comparisonOfNodesSql(
  { withinM, reachM }: { readonly withinM?: number; readonly reachM: number },
  scope: Scope,
): Prisma.Sql {
  const pair = Prisma.sql`other.id > origin.id AND ${isNodeSql(Prisma.sql`other.id`)}`;
  if (withinM !== undefined) return comparisonSql(pair, withinM, scope);
  return comparisonSql(Prisma.sql`${notStoredSql(ORIGIN, OTHER, scope)} AND ${pair}`, reachM, scope);
}

/** What {@link neighboursOfOriginSql} would compare for the features `node (id)` with a gap of the client's own. */
export function comparisonOfOriginsSql(withinM: number, scope: Scope): Prisma.Sql {
  return comparisonSql(Prisma.sql`other.id <> origin.id`, withinM, scope);
}

/** Pairs of the features `node (id)`, each once, as from_id, to_id, relation, shared_border_m and gap_m. */
export function pairsOfNodesSql(
  { withinM, reachM }: { readonly withinM?: number; readonly reachM: number },
  scope: Scope,
): Prisma.Sql {
  const measured = (others: Prisma.Sql, metres: number): Prisma.Sql => Prisma.sql`
    SELECT origin.id AS from_id, measured.id AS to_id, ${KNOWN_OR_MEASURED}
    FROM node
    JOIN ${scope.rows('feature')} AS origin ON origin.id = node.id
    CROSS JOIN LATERAL (
      SELECT other.id, ${MEASURED_GAP} AS gap_m
      FROM ${scope.rows('feature')} AS other
      WHERE other.id > origin.id AND ${others} AND ${isNodeSql(Prisma.sql`other.id`)}
        AND ${withinReachSql(OTHER, ORIGIN, metres)}
      OFFSET 0
    ) AS measured
    LEFT JOIN ${scope.rows('feature_adjacency')} AS known ON known.feature_a = origin.id AND known.feature_b = measured.id`;
  if (withinM !== undefined) return measured(Prisma.sql`TRUE`, withinM);
  return Prisma.sql`
    SELECT known.feature_a AS from_id, known.feature_b AS to_id, known.relation, known.shared_border_m, known.gap_m
    FROM node JOIN ${scope.rows('feature_adjacency')} AS known ON known.feature_a = node.id
    WHERE ${isNodeSql(Prisma.sql`known.feature_b`)}
    UNION ALL ${measured(notStoredSql(ORIGIN, OTHER, scope), reachM)}`;
}
