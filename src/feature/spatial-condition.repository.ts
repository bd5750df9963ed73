import type { Geometry, GeometryCollection } from 'geojson';
import { coordAll } from '@turf/turf';
import { geoJSONToWkt } from 'betterknown';
import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { bboxSql } from './box-condition.repository.ts';
import { type FeatureFilter, SPATIAL_PREDICATES, type SpatialPredicate } from './feature.filter.ts';
import { dissolvedSql } from './overlay.repository.ts';

/**
 * A WGS 84 geometry as a constant of the statement; folded when it is planned. As WKT, for `ST_GeomFromGeoJSON` searches the
 * table of coordinate systems each time, for milliseconds.
 */
function geometrySql(geometry: Geometry): Prisma.Sql {
  return Prisma.sql`ST_GeomFromText(${geoJSONToWkt(geometry)}::text, 4326)`;
}

/** A WGS 84 geometry as a constant of the statement, to measure distances from. */
export function groundSql(geometry: Geometry): Prisma.Sql {
  return Prisma.sql`on_ground(${geometrySql(geometry)})`;
}

/** Conditions of place on `f`. Uses `feature_geography_gist` for geodesic distance, else `feature_geometry_gist`. */
export function spatialSql(
  predicates: Readonly<Record<SpatialPredicate, Geometry | undefined>>,
  bbox: FeatureFilter['bbox'],
  near: FeatureFilter['near'],
): Prisma.Sql[] {
  const conditions = SPATIAL_PREDICATES.flatMap((predicate) => {
    const geometry = predicates[predicate];
    return geometry ? [predicateSql(predicate, geometry)] : [];
  });
  if (bbox) conditions.push(bboxSql(bbox));
  if (near) {
    const isNear = Prisma.sql`ST_DWithin(f.geometry::geography, ${groundSql(near.geometry)}, ${near.withinM}::float8)`;
    // Where coordinates differ, the distance of what meets is a rounding error, and not 0.
    conditions.push(reachesSeam(near.geometry) ? any([isNear, twinSql(near.geometry)]) : isNear);
  }
  return conditions;
}

function predicateSql(predicate: SpatialPredicate, geometry: Geometry): Prisma.Sql {
  if (geometry.type === 'GeometryCollection') return collectionSql(predicate, geometry);
  return PREDICATES[predicate](geometrySql(geometry));
}

/** Whether a geometry has places with more than one pair of coordinates: on the antimeridian, or a pole. */
function reachesSeam(geometry: Geometry): boolean {
  if (geometry.type === 'GeometryCollection') return geometry.geometries.some(reachesSeam);
  return coordAll(geometry).some(([longitude, latitude]) => Math.abs(longitude!) === 180 || Math.abs(latitude!) === 90);
}

/** Features at the other coordinates of those places. */
const twinSql = (geometry: Geometry): Prisma.Sql => intersects(Prisma.sql`seam_twin(${geometrySql(geometry)})`);

const intersects = (geometry: Prisma.Sql): Prisma.Sql => Prisma.sql`ST_Intersects(f.geometry, ${geometry})`;
const within = (geometry: Prisma.Sql): Prisma.Sql => Prisma.sql`ST_Within(f.geometry, ${geometry})`;
const contains = (geometry: Prisma.Sql): Prisma.Sql => Prisma.sql`ST_Contains(f.geometry, ${geometry})`;
const covers = (geometry: Prisma.Sql): Prisma.Sql => Prisma.sql`ST_Covers(f.geometry, ${geometry})`;
const touches = (geometry: Prisma.Sql): Prisma.Sql => Prisma.sql`ST_Touches(f.geometry, ${geometry})`;

/** No index can answer `disjoint`: most features are. */
const PREDICATES: Record<SpatialPredicate, (geometry: Prisma.Sql) => Prisma.Sql> = {
  intersects,
  disjoint: (geometry) => Prisma.sql`(NOT ${intersects(geometry)})`,
  within,
  contains,
  touches,
  overlaps: (geometry) => Prisma.sql`ST_Overlaps(f.geometry, ${geometry})`,
  crosses: (geometry) => Prisma.sql`ST_Crosses(f.geometry, ${geometry})`,
};

const all = (conditions: readonly Prisma.Sql[]): Prisma.Sql => Prisma.sql`(${Prisma.join([...conditions], ' AND ')})`;
const any = (conditions: readonly Prisma.Sql[]): Prisma.Sql => Prisma.sql`(${Prisma.join([...conditions], ' OR ')})`;

/**
 * Simple Features defines its predicates for one dimension at a time; PostGIS refuses collections, or fails where their
 * members overlap. A collection stands for the union of its members: its points, lines and areas are each made one
 * geometry, and the predicate is put together of what holds between the feature, which is an area, and each of them.
 * @see https://www.ogc.org/standard/sfa/ (06-103r4, 6.1.15)
 */
function collectionSql(predicate: SpatialPredicate, collection: GeometryCollection): Prisma.Sql {
  const whole = geometrySql(collection);
  const dimensions = dimensionsOf(collection);
  const parts = dimensions.map((type) => dissolvedSql(Prisma.sql`ST_CollectionExtract(${whole}, ${type}::int)`));
  const area = dimensions.includes(AREAS) ? parts.at(-1) : undefined;
  const meetsInside = (part: Prisma.Sql): Prisma.Sql => Prisma.sql`(${intersects(part)} AND NOT ${touches(part)})`;
  const isCovered = all(parts.map(covers));
  const meets = any(parts.map(intersects));
  const never = Prisma.sql`FALSE`;
  const answers: Record<SpatialPredicate, Prisma.Sql> = {
    intersects: meets,
    disjoint: Prisma.sql`(NOT ${meets})`,
    within: area ? within(area) : never,
    contains: all([isCovered, any(parts.map(contains))]),
    touches: all([meets, ...parts.map((part) => Prisma.sql`NOT ${meetsInside(part)}`)]),
    overlaps: area ? all([meetsInside(area), Prisma.sql`NOT ${within(area)}`, Prisma.sql`NOT ${isCovered}`]) : never,
    crosses: area ? never : all([any(parts.map(meetsInside)), Prisma.sql`NOT ${isCovered}`]),
  };
  return answers[predicate];
}

/** What `ST_CollectionExtract` calls polygons; points are 1 and lines 2. */
const AREAS = 3;

/** @returns which of points, lines and areas a geometry has, in this order, as `ST_CollectionExtract` numbers them */
function dimensionsOf(geometry: Geometry): number[] {
  if (geometry.type === 'GeometryCollection') {
    return [...new Set(geometry.geometries.flatMap(dimensionsOf))].toSorted((a, b) => a - b);
  }
  return [geometry.type.endsWith('Point') ? 1 : geometry.type.endsWith('LineString') ? 2 : AREAS];
}

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
