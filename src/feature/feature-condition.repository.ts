import { Prisma } from '../database/database.ts';
import { requireIdentifier } from '../database/identifier.ts';
import { answersSearchSql } from '../database/text-search.ts';
import type { FeatureFilter, FloatRange } from './feature.filter.ts';
import { spatialSql } from './spatial-condition.repository.ts';

/** Number of stored neighbours of the feature `f`. Leans on the primary key and on `feature_adjacency_b`. */
export const NEIGHBOUR_COUNT = Prisma.sql`(
  (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_a = f.id)
  + (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_b = f.id))::float8`;

/**
 * The filter as a condition on a row `f` of `feature`; a range leans on the index of the order by its value. Subqueries
 * name their own feature `f` too, which hides the outer one, so that conditions nest without names being made up.
 */
export function conditionSql(filter: FeatureFilter): Prisma.Sql {
  const { and = [], or, not } = filter;
  const conditions = [
    ...ownershipSql(filter),
    ...spatialSql(filter),
    ...presentRangeSql(Prisma.sql`f.area_m2`, filter.areaM2),
    ...presentRangeSql(Prisma.sql`f.perimeter_m`, filter.perimeterM),
    ...rangeSql(Prisma.sql`f.mean_probability`, filter.meanProbability),
    ...presentRangeSql(Prisma.sql`f.compactness`, filter.compactness),
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
    const answers = answersSearchSql(Prisma.sql`s.prompt`, promptContains);
    conditions.push(Prisma.sql`f.segmentation_id IN (SELECT s.id FROM segmentation AS s WHERE ${answers})`);
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

function rangeSql(value: Prisma.Sql, range: FloatRange | undefined): Prisma.Sql[] {
  if (!range) return [];
  const { min, max } = range;
  return [
    ...(min === undefined ? [] : [Prisma.sql`${value} >= ${min}::float8`]),
    ...(max === undefined ? [] : [Prisma.sql`${value} <= ${max}::float8`]),
  ];
}

/** A range of a value that features may lack, over the expression that the index of the order has. */
function presentRangeSql(value: Prisma.Sql, range: FloatRange | undefined): Prisma.Sql[] {
  const conditions = rangeSql(Prisma.sql`COALESCE(${value}, '-Infinity'::double precision)`, range);
  return conditions.length > 0 ? [...conditions, Prisma.sql`${value} IS NOT NULL`] : [];
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
