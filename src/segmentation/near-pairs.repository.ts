import { Prisma, type Queries } from '../database/database.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { commonBorderSql } from '../feature/overlay.repository.ts';

/**
 * How far the plane of a feature may stretch distances within its reach, as a share: beyond it, pairs are measured on the
 * ellipsoid. The plane keeps the length of a degree of longitude that holds at the middle latitude.
 */
const PLANE_ERROR = 0.005;
/** Features of one scene that meet across the antimeridian or a pole are looked for within this, metres. */
const TOUCH_REACH_M = 1;

/** The segmentation that a result or its pairs are stored for. */
export interface Target {
  readonly id: string;
  readonly sceneId: string;
  /** All that is stored belongs to it too. */
  readonly workspace: string;
}

/**
 * Stores pairs of the features of an answer that are at most `nearM` apart; pairs found in the mask are stored already.
 * @param earlier answers of the scene to find them in, instead of the answer itself
 */
export async function insertNear(
  queries: Queries,
  target: Target,
  nearM: number,
  earlier: readonly string[] | null = null,
): Promise<void> {
  const others = othersSql(target, earlier);
  // Whatever the statistics say.
  await queries.execute(Prisma.sql`SET LOCAL enable_seqscan = off`);
  if (nearM > 0) await insertNearInPlane(queries, target, others, nearM);
  await insertNearOnEllipsoid(queries, target, others, Math.max(nearM, TOUCH_REACH_M), nearM);
  await queries.execute(Prisma.sql`SET LOCAL enable_seqscan = on`);
}

/**
 * New features with `reach`, their bounds grown by `nearM`, and `is_plain`: whether the reach ends before the antimeridian and
 * a plane is true enough in it. Of the latitude farthest from the equator, the tangent times the height of the reach is by how
 * much a degree of longitude differs from that at the middle.
 */
const reachesSql = (id: string, nearM: number): Prisma.Sql => Prisma.sql`
  SELECT reaching.*,
         ST_XMin(reach) > -180 AND ST_XMax(reach) < 180
         AND CASE WHEN GREATEST(ST_YMax(reach), -ST_YMin(reach)) < 90
               THEN tan(radians(GREATEST(ST_YMax(reach), -ST_YMin(reach))))
                    * radians(ST_YMax(reach) - ST_YMin(reach)) / 2 < ${PLANE_ERROR}::float8
               ELSE FALSE END AS is_plain
  FROM (
    SELECT id, segmentation_id, centroid, geometry, east, north,
           ST_Expand(geometry, 1.01 * ${nearM}::float8 / east, 1.01 * ${nearM}::float8 / north) AS reach
    FROM feature, metres_per_degree((ST_YMin(geometry) + ST_YMax(geometry)) / 2)
    WHERE segmentation_id = ${id}::uuid
    OFFSET 0
  ) AS reaching
  OFFSET 0`;

/** Features `g` that the feature `f` of an answer is compared with: others of that answer, or those of earlier ones. */
const othersSql = ({ id }: Target, earlier: readonly string[] | null): Prisma.Sql => Prisma.sql`
  ${
    earlier
      ? Prisma.sql`g.segmentation_id = ANY(${uuidsSql(earlier)})`
      : Prisma.sql`g.segmentation_id = ${id}::uuid AND f.id < g.id`
  }
  AND NOT EXISTS (
    SELECT 1 FROM feature_adjacency AS known
    WHERE known.feature_a = LEAST(f.id, g.id) AND known.feature_b = GREATEST(f.id, g.id)
  )`;

const BEARING = Prisma.sql`
  CASE WHEN f.id < g.id THEN bearing(f.centroid, g.centroid) ELSE bearing(g.centroid, f.centroid) END`;

/**
 * The closest points of two outlines are found in a plane tangent to the ellipsoid at the new feature, and the line between
 * them is measured on the ellipsoid, since geodesic distances of whole outlines cost a hundred times more. Uses
 * `feature_geometry_gist`.
 */
async function insertNearInPlane(
  queries: Queries,
  { id, sceneId, workspace }: Target,
  others: Prisma.Sql,
  nearM: number,
): Promise<void> {
  await queries.execute(Prisma.sql`
    INSERT INTO feature_adjacency (workspace_id, feature_a, feature_b, scene_id, relation, gap_m, bearing_deg)
    SELECT ${workspace}::text, LEAST(f.id, g.id), GREATEST(f.id, g.id), ${sceneId}::uuid, 'NEAR', shortest.gap_m, ${BEARING}
    FROM (
      SELECT reaching.*, ST_Scale(geometry, east, north) AS plane FROM (${reachesSql(id, nearM)}) AS reaching
      WHERE is_plain OFFSET 0
    ) AS f
    CROSS JOIN LATERAL (
      SELECT g.id, g.centroid, g.geometry FROM feature AS g WHERE g.geometry && f.reach AND ${others} OFFSET 0
    ) AS g
    CROSS JOIN LATERAL (
      SELECT ST_Length(ST_Scale(line, 1 / f.east, 1 / f.north)::geography) AS gap_m
      FROM ST_ShortestLine(f.plane, ST_Scale(g.geometry, f.east, f.north)) AS line
      OFFSET 0
    ) AS shortest
    WHERE shortest.gap_m <= ${nearM}::float8`);
}

/**
 * Pairs of the other features: on both sides of the antimeridian, at a pole, or of a height that no plane is true for. They may
 * also touch where the mask does not show it: at the two ends of a scene around the Earth. Uses `feature_geography_gist`.
 */
async function insertNearOnEllipsoid(
  queries: Queries,
  { id, sceneId, workspace }: Target,
  others: Prisma.Sql,
  reachM: number,
  nearM: number,
): Promise<void> {
  await queries.execute(Prisma.sql`
    INSERT INTO feature_adjacency (workspace_id, feature_a, feature_b, scene_id, relation, gap_m, shared_border_m, bearing_deg)
    SELECT ${workspace}::text, LEAST(f.id, g.id), GREATEST(f.id, g.id), ${sceneId}::uuid,
           CASE WHEN measured.gap_m = 0 THEN 'TOUCHES' ELSE 'NEAR' END, measured.gap_m,
           CASE WHEN measured.gap_m = 0 THEN
             ST_Length(${commonBorderSql(Prisma.sql`f.geometry`, Prisma.sql`g.geometry`)}::geography) END,
           ${BEARING}
    FROM (
      SELECT reaching.*, on_ground(geometry) AS ground FROM (${reachesSql(id, reachM)}) AS reaching
      WHERE NOT is_plain OFFSET 0
    ) AS f
    CROSS JOIN LATERAL (
      SELECT g.id, g.centroid, g.geometry FROM feature AS g
      WHERE ST_DWithin(g.geometry::geography, f.ground, ${reachM}::float8) AND ${others} OFFSET 0
    ) AS g
    CROSS JOIN LATERAL (
      SELECT CASE WHEN meets(f.geometry, g.geometry) THEN 0 ELSE ST_Distance(f.ground, on_ground(g.geometry)) END AS gap_m
      OFFSET 0
    ) AS measured
    WHERE measured.gap_m = 0 OR measured.gap_m <= ${nearM}::float8`);
}
