import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { validSql } from '../database/sql/valid-geometry.ts';
import { requireIdentifier } from '../database/sql/identifier.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { BOUNDED, conditionSql } from '../feature/feature-condition.repository.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import { commonAreaSql, unionSql } from '../feature/overlay.repository.ts';
import type { NearestToZone, ZoneCoverage, ZoneDescription, Zones, ZoneStore } from './zones.ts';

const DescriptionRow = z.object({
  index: z.number(),
  vertices: z.number(),
  areaM2: z.number().nullable(),
  invalid: z.string().nullable(),
});
const CoverageRow = z.object({ index: z.number(), featureCount: z.number(), coveredAreaM2: z.number() });
const NearestRow = z.object({ index: z.number(), featureId: z.string(), distanceM: z.number() });

/** Measures in zones, made by PostGIS: overlays in longitude and latitude, areas and distances on the ellipsoid. */
export class ZoneRepository implements ZoneStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  /**
   * Uses primary keys.
   */
  describe(zones: Zones): Promise<ZoneDescription[]> {
    return this.database.query(
      DescriptionRow,
      Prisma.sql`
        WITH ${zonesSql(zones, this.database.scope)}
        SELECT zone.index, COALESCE(ST_NPoints(zone.given), 0)::int AS vertices,
               ground_area_m2(zone.geometry) AS "areaM2",
               CASE WHEN NOT ST_IsValid(zone.given) THEN ST_IsValidReason(zone.given) END AS invalid
        FROM zone ORDER BY zone.index`,
    );
  }

  /**
   * Uses `feature_geometry_gist` and the indexes of the conditions. What a feature shares with the zone is nothing
   * when it is less than a millionth of the smaller of the two: neighbours along an edge that rounds differently.
   */
  async coverage(zones: Zones, filter: FeatureFilter): Promise<ReadonlyMap<number, ZoneCoverage>> {
    const rows = await this.database.query(
      CoverageRow,
      Prisma.sql`
        WITH ${zonesSql(zones, this.database.scope)}
        SELECT zone.index, count(*)::float8 AS "featureCount",
               ground_area_m2(${unionSql(Prisma.sql`shared.part`)}) AS "coveredAreaM2"
        FROM zone
        CROSS JOIN LATERAL (
          SELECT ST_Area(f.geometry) AS feature_size,
                 CASE WHEN ST_CoveredBy(f.geometry, zone.geometry) THEN f.geometry
                   ELSE ${commonAreaSql(Prisma.sql`f.geometry`, Prisma.sql`zone.geometry`)} END AS part
          FROM ${this.database.scope.rows('feature')} AS f
          WHERE ST_Intersects(f.geometry, zone.geometry) AND ${othersThan(zones)} AND ${conditionSql(filter, this.database.scope, BOUNDED)}
          OFFSET 0
        ) AS shared
        WHERE ST_Area(shared.part) > LEAST(shared.feature_size, zone.size) / 1e6
        GROUP BY zone.index`,
    );
    return new Map(rows.map(({ index, ...coverage }) => [index, coverage]));
  }

  /**
   * The first by the index order of `feature_geography_gist`, which is of distances on a sphere, gives a radius; the
   * nearest on the ellipsoid is sought within it, by the same index. At a pole and on the antimeridian PostGIS may fail
   * with `index returned tuples in wrong order`: there the nearest of a hundred that are close in degrees, by
   * `feature_geometry_gist`, gives the radius.
   */
  async nearest(zones: Zones, filter: FeatureFilter): Promise<ReadonlyMap<number, NearestToZone>> {
    const rows = await this.database.query(
      NearestRow,
      Prisma.sql`
        WITH ${zonesSql(zones, this.database.scope)}
        SELECT zone.index, nearest.id AS "featureId", nearest.distance_m AS "distanceM"
        FROM zone
        CROSS JOIN LATERAL (
          (SELECT ${DISTANCE} AS distance_m FROM ${this.database.scope.rows('feature')} AS f
           WHERE NOT zone.seam AND f.geometry IS NOT NULL AND ${othersThan(zones)} AND ${conditionSql(filter, this.database.scope, BOUNDED)}
           ORDER BY f.geometry::geography <-> zone.ground LIMIT 1)
          UNION ALL
          (SELECT min(close.distance_m) AS distance_m
           FROM (
             SELECT ${DISTANCE} AS distance_m FROM ${this.database.scope.rows('feature')} AS f
             WHERE zone.seam AND f.geometry IS NOT NULL AND ${othersThan(zones)} AND ${conditionSql(filter, this.database.scope, BOUNDED)}
             ORDER BY f.geometry <-> zone.geometry LIMIT 100
           ) AS close
           HAVING zone.seam)
        ) AS first
        CROSS JOIN LATERAL (
          SELECT f.id, ${DISTANCE} AS distance_m FROM ${this.database.scope.rows('feature')} AS f
          WHERE ST_DWithin(f.geometry::geography, zone.ground, first.distance_m + 0.001)
            AND ${othersThan(zones)} AND ${conditionSql(filter, this.database.scope, BOUNDED)}
          ORDER BY distance_m, f.id LIMIT 1
        ) AS nearest`,
    );
    return new Map(rows.map(({ index, ...nearest }) => [index, nearest]));
  }
}

const DISTANCE = Prisma.sql`
  CASE WHEN meets(f.geometry, zone.geometry) THEN 0 ELSE ST_Distance(f.geometry::geography, zone.ground) END`;

function othersThan({ kind }: Zones): Prisma.Sql {
  return kind === 'FEATURES' ? Prisma.sql`f.id <> zone.id` : Prisma.sql`TRUE`;
}

/** The zones as `zone (index, id, given, geometry, size, ground, seam)`: the outline as it is, made valid, its size in the plane, as a
 * geography, and whether it reaches a pole or the antimeridian, where the order of the index may fail. */
function zonesSql(zones: Zones, scope: Scope): Prisma.Sql {
  return Prisma.sql`zone AS MATERIALIZED (
    SELECT given.*, valid.geometry, ST_Area(valid.geometry) AS size, on_ground(valid.geometry) AS ground,
           GREATEST(ST_YMax(valid.geometry), -ST_YMin(valid.geometry)) >= 89
             OR GREATEST(ST_XMax(valid.geometry), -ST_XMin(valid.geometry)) >= 180 AS seam
    FROM (${givenSql(zones, scope)}) AS given
    CROSS JOIN LATERAL (
      SELECT ST_CollectionExtract(${validSql(Prisma.sql`given.given`)}, 3) AS geometry
    ) AS valid)`;
}

function givenSql(zones: Zones, scope: Scope): Prisma.Sql {
  if (zones.kind === 'OUTLINES') {
    const rows = zones.outlines.map((outline, index) => ({ index, outline: JSON.stringify(outline) }));
    return Prisma.sql`
      SELECT r.index, NULL::uuid AS id, ST_GeomFromGeoJSON(r.outline) AS given
      FROM json_to_recordset(${JSON.stringify(rows)}::text::json) AS r(index int, outline text)`;
  }
  const ids = zones.ids.map((id) => requireIdentifier('a zone', id));
  const outline = zones.kind === 'FEATURES' ? Prisma.sql`stored.geometry` : Prisma.sql`stored.footprint`;
  const stored = scope.rows(zones.kind === 'FEATURES' ? 'feature' : 'scene');
  return Prisma.sql`
    SELECT (asked.place - 1)::int AS index, stored.id, ${outline} AS given
    FROM unnest(${uuidsSql(ids)}) WITH ORDINALITY AS asked(id, place)
    JOIN ${stored} AS stored ON stored.id = asked.id`;
}
