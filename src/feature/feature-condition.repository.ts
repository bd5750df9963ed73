import { Prisma } from '../database/database.ts';
import { requireIdentifier } from '../database/identifier.ts';
import { answersSearchSql } from '../database/text-search.ts';
import { bboxPartsSql } from './box-condition.repository.ts';
import { type FeatureFilter, type FloatRange, isBounding } from './feature.filter.ts';
import { spatialSql } from './spatial-condition.repository.ts';

/** Number of stored neighbours of the feature `f`. Leans on the primary key and on `feature_adjacency_b`. */
export const NEIGHBOUR_COUNT = Prisma.sql`(
  (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_a = f.id)
  + (SELECT count(*) FROM feature_adjacency AS pair WHERE pair.feature_b = f.id))::float8`;

/** Where a filter stands in the whole condition. */
export interface FilterPlace {
  /** Whether something around it keeps features to a place or an owner, so that there are few to be looked at. */
  readonly bounded: boolean;
  /** Whether every match meets it, which is not so below `or` and `not`. */
  readonly required: boolean;
}

const ALONE: FilterPlace = { bounded: false, required: true };
/** Beside a condition that bounds the features. */
export const BOUNDED: FilterPlace = { bounded: true, required: true };

/**
 * The filter as a condition on a row `f` of `feature`; a range leans on the index of the order by its value. Subqueries
 * name their own feature `f` too, which hides the outer one, so that conditions nest without names being made up.
 */
export function conditionSql(filter: FeatureFilter, place: FilterPlace = ALONE): Prisma.Sql {
  const { and = [], or, not } = filter;
  const bounded = place.bounded || [filter, ...and].some(isBounding);
  const beside = { bounded, required: place.required };
  const either = (one: FeatureFilter): Prisma.Sql => conditionSql(one, { bounded, required: false });
  const conditions = [
    ...ownershipSql(filter, place.required),
    ...spatialSql(filter),
    ...presentRangeSql(Prisma.sql`f.area_m2`, filter.areaM2),
    ...presentRangeSql(Prisma.sql`f.perimeter_m`, filter.perimeterM),
    ...rangeSql(Prisma.sql`f.mean_probability`, filter.meanProbability),
    ...presentRangeSql(Prisma.sql`f.compactness`, filter.compactness),
    ...rangeSql(NEIGHBOUR_COUNT, filter.neighbourCount),
    ...adjacencySql(filter, beside),
    ...and.map((one) => conditionSql(one, beside)),
  ];
  if (or) conditions.push(or.length > 0 ? Prisma.sql`(${Prisma.join(or.map(either), ' OR ')})` : Prisma.sql`FALSE`);
  if (not) conditions.push(Prisma.sql`(${either(not)} IS NOT TRUE)`);
  return conditions.length > 0 ? Prisma.sql`(${Prisma.join(conditions, ' AND ')})` : Prisma.sql`TRUE`;
}

/** Conditions on what `feature_cell` holds, which is all that features are grouped by and that is summed. */
const OF_CELL_INDEX: ReadonlySet<string> = new Set<keyof FeatureFilter>([
  'sceneId',
  'segmentationId',
  'promptContains',
  'modelId',
  'acquired',
  'areaM2',
  'perimeterM',
  'meanProbability',
]);

function isOfCellIndex({ and = [], or = [], not, ...own }: FeatureFilter): boolean {
  const named = Object.entries(own).filter(([, condition]) => condition !== undefined);
  const nested = [...and, ...or, ...(not ? [not] : [])];
  return named.every(([name]) => OF_CELL_INDEX.has(name)) && nested.every(isOfCellIndex);
}

/**
 * The filter as conditions of which exactly one holds for each match, so that counts and sums can be made of each and
 * added: in a `bbox` they are read from `feature_cell`, but for the features at its edge.
 */
export function conditionPartsSql(filter: FeatureFilter): Prisma.Sql[] {
  const { bbox, ...others } = filter;
  const parts = bbox && isOfCellIndex(others) ? bboxPartsSql(bbox) : null;
  return parts?.map((part) => Prisma.sql`${part} AND ${conditionSql(others, BOUNDED)}`) ?? [conditionSql(filter)];
}

/** Lean on `feature_scene` and `feature_label`; prompts and models are looked up in `segmentation`, times in `scene`. */
function ownershipSql(filter: FeatureFilter, required: boolean): Prisma.Sql[] {
  const { sceneId, segmentationId, promptContains, modelId, acquired } = filter;
  const conditions: Prisma.Sql[] = [];
  if (sceneId !== undefined) conditions.push(Prisma.sql`f.scene_id = ${requireIdentifier('sceneId', sceneId)}::uuid`);
  if (segmentationId !== undefined) {
    conditions.push(Prisma.sql`f.segmentation_id = ${requireIdentifier('segmentationId', segmentationId)}::uuid`);
  }
  if (promptContains !== undefined) {
    conditions.push(segmentationSql(answersSearchSql(Prisma.sql`s.prompt`, promptContains)));
  }
  if (modelId !== undefined) {
    conditions.push(segmentationSql(Prisma.sql`s.model_id = ${modelId}::text`));
  }
  if (acquired) {
    const { from = null, to = null } = acquired;
    const scenes = Prisma.sql`
      SELECT s.id FROM scene AS s
      WHERE s.acquired_at >= COALESCE(${from}::timestamptz, '-infinity') AND s.acquired_at <= COALESCE(${to}::timestamptz, 'infinity')`;
    // A time may be that of most scenes, which the planner knows of a join alone; below `or` it cannot join.
    conditions.push(required ? Prisma.sql`f.scene_id IN (${scenes})` : Prisma.sql`f.scene_id = ANY(ARRAY(${scenes}))`);
  }
  return conditions;
}

/** Looked up once for the whole statement: joined, prompts would be searched again for every neighbour of a feature. */
function segmentationSql(condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`f.segmentation_id = ANY(ARRAY(SELECT s.id FROM segmentation AS s WHERE ${condition}))`;
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

/**
 * Whether a neighbour matches. Where something bounds the features that are looked for, the neighbours of each are sought;
 * else the features beside each of those that match. Leans on both indexes of `feature_adjacency` for stored pairs, and
 * on `feature_geography_gist` for those that are measured.
 */
function adjacencySql(filter: FeatureFilter, { bounded, required }: FilterPlace): Prisma.Sql[] {
  const { adjacentTo, adjacentWithinM } = filter;
  if (!adjacentTo) return [];
  const fromHere = bounded || Object.keys(adjacentTo).length === 0;
  const matches = conditionSql(adjacentTo, fromHere ? BOUNDED : ALONE);
  if (adjacentWithinM !== undefined)
    return [fromHere ? nearMatchSql(matches, adjacentWithinM) : besideNearSql(matches, adjacentWithinM)];
  const neighbours = neighboursSql(filter.adjacentReachM);
  if (fromHere) {
    return [
      Prisma.sql`EXISTS (
      SELECT 1 FROM (${neighbours}) AS neighbour JOIN feature AS f ON f.id = neighbour.id WHERE ${matches})`,
    ];
  }
  const beside = Prisma.sql`
    SELECT beside.id FROM feature AS f CROSS JOIN LATERAL (${neighbours} OFFSET 0) AS beside WHERE ${matches}`;
  return [required ? Prisma.sql`f.id = ANY(ARRAY(${beside}))` : Prisma.sql`f.id IN (${beside})`];
}

/** A match lies within a geodesic gap of `f`. */
function nearMatchSql(matches: Prisma.Sql, withinM: number): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM (SELECT f.id, f.geometry FROM feature AS f WHERE ${matches}) AS neighbour
    WHERE neighbour.id <> f.id AND ST_DWithin(f.geometry::geography, neighbour.geometry::geography, ${withinM}::float8))`;
}

/** As {@link nearMatchSql}, written so that the planner may begin with the matches. */
function besideNearSql(matches: Prisma.Sql, withinM: number): Prisma.Sql {
  return Prisma.sql`f.id IN (
    SELECT beside.id FROM (SELECT f.id, f.geometry FROM feature AS f WHERE ${matches}) AS neighbour
    JOIN feature AS beside ON beside.id <> neighbour.id
      AND ST_DWithin(beside.geometry::geography, neighbour.geometry::geography, ${withinM}::float8))`;
}

/** Identifiers of the neighbours of `f`: stored ones and, where there is more than one scene, those in others. */
function neighboursSql(reachM: number | undefined): Prisma.Sql {
  const stored = Prisma.sql`
    SELECT pair.feature_b AS id FROM feature_adjacency AS pair WHERE pair.feature_a = f.id
    UNION ALL
    SELECT pair.feature_a AS id FROM feature_adjacency AS pair WHERE pair.feature_b = f.id`;
  if (reachM === undefined) return stored;
  return Prisma.sql`${stored}
    UNION ALL
    SELECT other.id FROM feature AS other
    WHERE (SELECT count(*) FROM (SELECT FROM scene LIMIT 2) AS two) > 1 AND other.scene_id <> f.scene_id
      AND ST_DWithin(other.geometry::geography, f.geometry::geography, ${reachM}::float8)`;
}
