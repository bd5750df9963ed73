import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { madeValidSql } from '../database/sql/valid-geometry.ts';
import { commonAreaSql } from '../feature/overlay.repository.ts';
import type { ChangeStore, FeatureOverlap, FeaturePart } from './change.ts';

const ShareRow = z.object({ share: z.number() });
const PartRow = z.object({ id: z.string(), segmentationId: z.string(), areaM2: z.number() });
const OverlapRow = z.object({ fromId: z.string(), toId: z.string(), areaM2: z.number() });

/** Comparisons of outlines in PostGIS: overlays in longitude and latitude, areas on the ellipsoid. */
export class ChangeRepository implements ChangeStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  /** Uses primary keys. */
  async commonShare(fromId: string, toId: string): Promise<number> {
    const [row] = await this.database.query(
      ShareRow,
      Prisma.sql`
        WITH ${lookedAtSql(this.database.scope, fromId, toId)}
        SELECT ground_area_m2(${commonAreaSql(Prisma.sql`a.ground`, Prisma.sql`b.ground`)})
               / NULLIF(LEAST(ground_area_m2(a.ground), ground_area_m2(b.ground)), 0) AS share
        FROM looked_at AS a, looked_at AS b WHERE a.id = ${fromId}::uuid AND b.id = ${toId}::uuid`,
    );
    return row?.share ?? 0;
  }

  /** Uses the unique index `feature_label`. */
  parts(fromId: string, toId: string): Promise<FeaturePart[]> {
    return this.database.query(
      PartRow,
      Prisma.sql`
        WITH ${lookedAtSql(this.database.scope, fromId, toId)}, ${commonSql(fromId, toId)}
        SELECT id, "segmentationId", "areaM2" FROM (
          SELECT f.id, f.segmentation_id AS "segmentationId", f.area_m2 AS whole,
                 CASE WHEN common.ground IS NULL OR ST_CoveredBy(f.geometry, common.ground) THEN f.area_m2
                   ELSE ground_area_m2(${commonAreaSql(Prisma.sql`f.geometry`, Prisma.sql`common.ground`)})
                 END AS "areaM2"
          FROM common, ${this.database.scope.rows('feature')} AS f
          WHERE f.segmentation_id IN (${fromId}::uuid, ${toId}::uuid)
        ) AS part
        WHERE "areaM2" > whole / 1000`,
    );
  }

  /**
   * Features before by `feature_label`, those that they meet by `feature_geometry_gist` alone: together with another index
   * it would be searched for all features afterwards once for each before.
   */
  overlaps(fromId: string, toId: string): Promise<FeatureOverlap[]> {
    const both = commonAreaSql(Prisma.sql`a.geometry`, Prisma.sql`b.geometry`);
    return this.database.query(
      OverlapRow,
      Prisma.sql`
        WITH ${lookedAtSql(this.database.scope, fromId, toId)}, ${commonSql(fromId, toId)}, before AS MATERIALIZED (
          SELECT f.id, f.geometry, f.area_m2 FROM ${this.database.scope.rows('feature')} AS f WHERE f.segmentation_id = ${fromId}::uuid
        )
        SELECT "fromId", "toId", "areaM2" FROM (
          SELECT a.id AS "fromId", b.id AS "toId",
                 CASE WHEN common.ground IS NOT NULL
                   THEN ground_area_m2(${commonAreaSql(both, Prisma.sql`common.ground`)})
                   WHEN a.geometry = b.geometry THEN a.area_m2
                   ELSE ground_area_m2(${both})
                 END AS "areaM2"
          FROM common, before AS a
          CROSS JOIN LATERAL (
            SELECT f.id, f.segmentation_id, f.geometry FROM ${this.database.scope.rows('feature')} AS f WHERE f.geometry && a.geometry OFFSET 0
          ) AS b
          WHERE b.segmentation_id = ${toId}::uuid AND ST_Intersects(b.geometry, a.geometry)
        ) AS overlap
        WHERE "areaM2" > 0`,
    );
  }
}

/** What each segmentation looked at, as `looked_at (id, scene_id, area_of_interest, ground)`. */
function lookedAtSql(scope: Scope, fromId: string, toId: string): Prisma.Sql {
  return Prisma.sql`looked_at AS (
    SELECT s.id, s.scene_id, s.area_of_interest,
           CASE WHEN s.area_of_interest IS NULL THEN scene.footprint
             ELSE ${commonAreaSql(Prisma.sql`scene.footprint`, madeValidSql(Prisma.sql`ST_GeomFromGeoJSON(s.area_of_interest::text)`))}
           END AS ground
    FROM ${scope.rows('segmentation')} AS s JOIN ${scope.rows('scene')} AS scene ON scene.id = s.scene_id
    WHERE s.id IN (${fromId}::uuid, ${toId}::uuid))`;
}

/** Where both looked, as `common (ground)`; null when they looked at the same ground, so that nothing is cut off. */
function commonSql(fromId: string, toId: string): Prisma.Sql {
  return Prisma.sql`common AS MATERIALIZED (
    SELECT CASE WHEN NOT ST_Equals(a.ground, b.ground)
             THEN ${commonAreaSql(Prisma.sql`a.ground`, Prisma.sql`b.ground`)} END AS ground
    FROM looked_at AS a, looked_at AS b WHERE a.id = ${fromId}::uuid AND b.id = ${toId}::uuid)`;
}
