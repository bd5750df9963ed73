import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';

/** Share of a feature that another one must cover to stand for it. */
const COVERED_SHARE = 0.5;

/**
 * Whether no other feature stands for the feature `f`: one of another scene of the same day (UTC), found for the same prompt
 * by the same model, that covers at least half of it and is larger or, of the same size, older. Shares of a feature are the
 * same in degrees as on the ground. Uses `feature_geometry_gist`.
 * @param among condition on the other feature, which is called `f` there
 */
export function distinctSql(among: Prisma.Sql, scope: Scope): Prisma.Sql {
  return Prisma.sql`NOT EXISTS (
    SELECT 1
    FROM (SELECT f.id, f.geometry, f.area_m2, f.scene_id, f.segmentation_id) AS own
    JOIN ${scope.rows('feature')} AS f ON ST_Intersects(f.geometry, own.geometry)
    JOIN ${scope.rows('segmentation')} AS own_run ON own_run.id = own.segmentation_id
    JOIN ${scope.rows('segmentation')} AS run
      ON run.id = f.segmentation_id AND run.prompt = own_run.prompt AND run.model_id = own_run.model_id
    JOIN ${scope.rows('scene')} AS own_scene ON own_scene.id = own.scene_id
    JOIN ${scope.rows('scene')} AS other_scene
      ON other_scene.id = f.scene_id
      AND (other_scene.acquired_at AT TIME ZONE 'UTC')::date = (own_scene.acquired_at AT TIME ZONE 'UTC')::date
    WHERE f.scene_id <> own.scene_id
      AND (f.area_m2 > own.area_m2 OR (f.area_m2 = own.area_m2 AND f.id < own.id))
      AND ST_Area(ST_Intersection(f.geometry, own.geometry)) >= ${COVERED_SHARE}::float8 * ST_Area(own.geometry)
      AND ${among})`;
}
