import type { Geometry } from 'geojson';
import { Prisma } from '../database/database.ts';
import { requireIdentifier } from '../database/identifier.ts';
import { containing } from '../database/pattern.ts';
import type { Bbox } from './feature.ts';
import { type FeatureFilter, type FloatRange, SPATIAL_PREDICATES, type SpatialPredicate } from './feature.filter.ts';

/** A WGS 84 geometry as a constant of the statement; folded when it is planned. */
export function geometrySql(geometry: Geometry): Prisma.Sql {
  return Prisma.sql`ST_GeomFromGeoJSON(${JSON.stringify(geometry)}::text)`;
}

/** Number of stored neighbours of the feature `f`. Leans on the primary key and on `feature_adjacency_b`. */
export const NEIGHBOUR_COUNT = Prisma.sql`(
  (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_a = f.id)
  + (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_b = f.id))::float8`;

/** Each leans on `feature_geometry_gist`, but for ST_Disjoint, which no index can answer. */
const PREDICATES: Record<SpatialPredicate, (geometry: Prisma.Sql) => Prisma.Sql> = {
  intersects: (geometry) => Prisma.sql`ST_Intersects(f.geometry, ${geometry})`,
  within: (geometry) => Prisma.sql`ST_Within(f.geometry, ${geometry})`,
  contains: (geometry) => Prisma.sql`ST_Contains(f.geometry, ${geometry})`,
  touches: (geometry) => Prisma.sql`ST_Touches(f.geometry, ${geometry})`,
  overlaps: (geometry) => Prisma.sql`ST_Overlaps(f.geometry, ${geometry})`,
  crosses: (geometry) => Prisma.sql`ST_Crosses(f.geometry, ${geometry})`,
  disjoint: (geometry) => Prisma.sql`ST_Disjoint(f.geometry, ${geometry})`,
};

/**
 * The filter as a condition on a row `f` of `feature`. Subqueries name their own feature `f` too, which hides the outer
 * one, so that conditions nest without names being made up.
 */
export function conditionSql(filter: FeatureFilter): Prisma.Sql {
  const { and = [], or, not } = filter;
  const conditions = [
    ...ownershipSql(filter),
    ...spatialSql(filter),
    ...rangeSql(Prisma.sql`f.area_m2`, filter.areaM2),
    ...rangeSql(Prisma.sql`f.perimeter_m`, filter.perimeterM),
    ...rangeSql(Prisma.sql`f.mean_probability`, filter.meanProbability),
    ...rangeSql(Prisma.sql`f.compactness`, filter.compactness),
    ...rangeSql(NEIGHBOUR_COUNT, filter.neighbourCount),
    ...adjacencySql(filter),
    ...and.map(conditionSql),
  ];
  if (or)
    conditions.push(or.length > 0 ? Prisma.sql`(${Prisma.join(or.map(conditionSql), ' OR ')})` : Prisma.sql`FALSE`);
  if (not) conditions.push(Prisma.sql`(${conditionSql(not)} IS NOT TRUE)`);
  return conditions.length > 0 ? Prisma.sql`(${Prisma.join(conditions, ' AND ')})` : Prisma.sql`TRUE`;
}

/** Lean on `feature_scene` and `feature_label`; prompts and models are looked up in `segmentation`, times in `scene`. */
function ownershipSql({ sceneId, segmentationId, promptContains, modelId, acquired }: FeatureFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (sceneId !== undefined) conditions.push(Prisma.sql`f.scene_id = ${requireIdentifier('sceneId', sceneId)}::uuid`);
  if (segmentationId !== undefined) {
    conditions.push(Prisma.sql`f.segmentation_id = ${requireIdentifier('segmentationId', segmentationId)}::uuid`);
  }
  if (promptContains !== undefined) {
    const pattern = containing(promptContains);
    conditions.push(
      Prisma.sql`f.segmentation_id IN (SELECT s.id FROM segmentation AS s WHERE s.prompt ILIKE ${pattern}::text)`,
    );
  }
  if (modelId !== undefined) {
    conditions.push(
      Prisma.sql`f.segmentation_id IN (SELECT s.id FROM segmentation AS s WHERE s.model_id = ${modelId}::text)`,
    );
  }
  if (acquired) {
    const { from = null, to = null } = acquired;
    conditions.push(Prisma.sql`f.scene_id IN (
      SELECT s.id FROM scene AS s
      WHERE s.acquired_at >= COALESCE(${from}::timestamptz, '-infinity') AND s.acquired_at <= COALESCE(${to}::timestamptz, 'infinity'))`);
  }
  return conditions;
}

/** Geodesic distance leans on `feature_geography_gist`. */
function spatialSql(filter: FeatureFilter): Prisma.Sql[] {
  const { bbox, near } = filter;
  const conditions = SPATIAL_PREDICATES.flatMap((predicate) => {
    const geometry = filter[predicate];
    return geometry ? [PREDICATES[predicate](geometrySql(geometry))] : [];
  });
  if (bbox) conditions.push(bboxSql(bbox));
  if (near) {
    conditions.push(
      Prisma.sql`ST_DWithin(f.geometry::geography, ${geometrySql(near.geometry)}::geography, ${near.withinM}::float8)`,
    );
  }
  return conditions;
}

/** A box across the antimeridian is asked as two, each of which leans on `feature_geometry_gist`. */
function bboxSql([west, south, east, north]: Bbox): Prisma.Sql {
  const meets = (from: number, to: number): Prisma.Sql =>
    Prisma.sql`ST_Intersects(f.geometry, ST_MakeEnvelope(${from}::float8, ${south}::float8, ${to}::float8, ${north}::float8, 4326))`;
  return west <= east ? meets(west, east) : Prisma.sql`(${meets(west, 180)} OR ${meets(-180, east)})`;
}

function rangeSql(value: Prisma.Sql, range: FloatRange | undefined): Prisma.Sql[] {
  if (!range) return [];
  const { min, max } = range;
  return [
    ...(min === undefined ? [] : [Prisma.sql`${value} >= ${min}::float8`]),
    ...(max === undefined ? [] : [Prisma.sql`${value} <= ${max}::float8`]),
  ];
}

/** Stored neighbours by both indexes of `feature_adjacency`; those within a distance by `feature_geography_gist`. */
function adjacencySql({ adjacentTo, adjacentWithinM }: FeatureFilter): Prisma.Sql[] {
  if (!adjacentTo) return [];
  const matches = conditionSql(adjacentTo);
  if (adjacentWithinM === undefined) {
    return [
      Prisma.sql`f.id IN (
        SELECT pair.feature_a FROM feature_adjacency AS pair JOIN feature AS f ON f.id = pair.feature_b WHERE ${matches}
        UNION ALL
        SELECT pair.feature_b FROM feature_adjacency AS pair JOIN feature AS f ON f.id = pair.feature_a WHERE ${matches})`,
    ];
  }
  return [
    Prisma.sql`EXISTS (
      SELECT 1 FROM (SELECT f.id, f.geometry FROM feature AS f WHERE ${matches}) AS neighbour
      WHERE neighbour.id <> f.id
        AND ST_DWithin(f.geometry::geography, neighbour.geometry::geography, ${adjacentWithinM}::float8))`,
  ];
}
