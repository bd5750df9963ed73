import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { requireIdentifier } from '../database/sql/identifier.ts';
import { answersSearchSql } from '../database/sql/text-search.ts';
import { featureAttributeSql } from './feature-record.repository.ts';
import { bboxPartsSql } from './box-condition.repository.ts';
import {
  type FeatureFilter,
  type FloatRange,
  isBounding,
  type OwnCondition,
  REVIEW_STATUSES,
  type ReviewStatus,
  splitRanges,
} from './feature.filter.ts';
import { type Connective, eachFilter } from './filter-walk.ts';
import { type RangeName, SORTED_MEASURES, type SortedMeasure } from './measures.ts';
import { measureSql, sortedSql } from './measures.repository.ts';
import { besideSql, hasNeighbourSql, neighbourCountSql, type NeighbourReach } from './neighbour-pairs.repository.ts';
import { distinctSql, spatialSql } from './spatial-condition.repository.ts';

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
 * The filter as a condition on a row `f` of `feature`; a range uses the index of the order by its value. Subqueries name
 * their own feature `f` too, which hides the outer one, so that nested conditions need no names of their own.
 */
export function conditionSql(filter: FeatureFilter, scope: Scope, place: FilterPlace = ALONE): Prisma.Sql {
  const [ranges, { and = [], or, not, ...own }] = splitRanges(filter);
  const { neighbourCount, adjacentTo, adjacentWithinM, adjacentReachM, ...others } = own;
  const { ids, sceneId, sceneIds, segmentationId, prompt, promptContains, modelId, acquired, created, ...told } =
    others;
  const { updated, review, label, attributes = [], georeferenced, distinct, ...spatial } = told;
  const owners = { ids, sceneId, sceneIds, segmentationId, prompt, promptContains, modelId, acquired, created };
  const { bbox, near, intersects, within, contains, touches, overlaps, crosses, disjoint, ...unhandled } = spatial;
  unhandled satisfies Record<string, never>;
  const bounded = place.bounded || [filter, ...and].some(isBounding);
  const beside = { bounded, required: place.required };
  const either = (one: FeatureFilter): Prisma.Sql => conditionSql(one, scope, { bounded, required: false });
  const conditions = [
    ...ownershipSql(owners, scope, place.required),
    ...updatedSql(updated, scope),
    ...reviewSql(review, label, scope),
    ...attributes.map((one) => featureAttributeSql(one, scope)),
    ...georeferencedSql(georeferenced),
    ...spatialSql({ intersects, within, contains, touches, overlaps, crosses, disjoint }, bbox, near),
    ...SORTED_MEASURES.flatMap((measure) => measureRangeSql(measure, ranges[measure.name])),
    ...rangeSql(neighbourCountSql(scope), neighbourCount),
    ...adjacencySql(adjacentTo, scope, { withinM: adjacentWithinM, reachM: adjacentReachM }, beside),
    ...and.map((one) => conditionSql(one, scope, beside)),
    ...(distinct ? [distinctSql(conditionSql({ ...filter, distinct: false }, scope, BOUNDED), scope)] : []),
  ];
  if (or) conditions.push(or.length > 0 ? Prisma.sql`(${Prisma.join(or.map(either), ' OR ')})` : Prisma.sql`FALSE`);
  if (not) conditions.push(Prisma.sql`(${either(not)} IS NOT TRUE)`);
  return conditions.length > 0 ? Prisma.sql`(${Prisma.join(conditions, ' AND ')})` : Prisma.sql`TRUE`;
}

/** Conditions on what `feature_cell` holds, which is all that features are grouped by and that is summed. */
const OF_CELL_INDEX: ReadonlySet<string> = new Set<OwnCondition | RangeName>([
  'sceneId',
  'sceneIds',
  'segmentationId',
  'prompt',
  'promptContains',
  'modelId',
  'acquired',
  'created',
  'areaM2',
  'perimeterM',
  'meanProbability',
]);
const COMBINING: ReadonlySet<string> = new Set<Connective>(['and', 'or', 'not']);

function isOfCellIndex(filter: FeatureFilter): boolean {
  for (const { filter: one } of eachFilter(filter)) {
    for (const [name, condition] of Object.entries(one)) {
      if (condition !== undefined && !OF_CELL_INDEX.has(name) && !COMBINING.has(name)) return false;
    }
  }
  return true;
}

/**
 * The filter as conditions of which exactly one holds for each match, so that counts and sums can be made of each and
 * added: in a `bbox` they are read from `feature_cell`, but for the features at its edge.
 */
export function conditionPartsSql(filter: FeatureFilter, scope: Scope): Prisma.Sql[] {
  const { bbox, ...others } = filter;
  const parts = bbox && isOfCellIndex(others) ? bboxPartsSql(bbox) : null;
  return (
    parts?.map((part) => Prisma.sql`${part} AND ${conditionSql(others, scope, BOUNDED)}`) ?? [
      conditionSql(filter, scope),
    ]
  );
}

type OwnerName =
  | 'ids'
  | 'sceneId'
  | 'sceneIds'
  | 'segmentationId'
  | 'prompt'
  | 'promptContains'
  | 'modelId'
  | 'acquired'
  | 'created';
type Ownership = { readonly [Name in OwnerName]: FeatureFilter[Name] | undefined };

/**
 * Uses the primary key, `feature_scene` and `feature_label`; prompts, models and times of storing are looked up in
 * `segmentation`, times of the image in `scene`.
 */
function ownershipSql(filter: Ownership, scope: Scope, required: boolean): Prisma.Sql[] {
  const { ids, sceneId, sceneIds, segmentationId, prompt, promptContains, modelId, acquired, created } = filter;
  const conditions: Prisma.Sql[] = [];
  if (ids !== undefined) conditions.push(Prisma.sql`f.id = ANY(${identifiersSql('ids', ids)})`);
  if (sceneIds !== undefined) conditions.push(Prisma.sql`f.scene_id = ANY(${identifiersSql('sceneIds', sceneIds)})`);
  if (prompt !== undefined) conditions.push(segmentationSql(Prisma.sql`s.prompt = ${prompt}::text`, scope));
  if (created) conditions.push(segmentationSql(betweenSql(Prisma.sql`s.finished_at`, created), scope));
  if (sceneId !== undefined) conditions.push(Prisma.sql`f.scene_id = ${requireIdentifier('sceneId', sceneId)}::uuid`);
  if (segmentationId !== undefined) {
    conditions.push(Prisma.sql`f.segmentation_id = ${requireIdentifier('segmentationId', segmentationId)}::uuid`);
  }
  if (promptContains !== undefined) {
    conditions.push(segmentationSql(answersSearchSql(Prisma.sql`s.prompt`, promptContains), scope));
  }
  if (modelId !== undefined) {
    conditions.push(segmentationSql(Prisma.sql`s.model_id = ${modelId}::text`, scope));
  }
  if (acquired) {
    const scenes = Prisma.sql`SELECT s.id FROM ${scope.rows('scene')} AS s WHERE ${betweenSql(Prisma.sql`s.acquired_at`, acquired)}`;
    // A time may be that of most scenes, which the planner knows of a join alone; below `or` it cannot join.
    conditions.push(required ? Prisma.sql`f.scene_id IN (${scenes})` : Prisma.sql`f.scene_id = ANY(ARRAY(${scenes}))`);
  }
  return conditions;
}

function identifiersSql(condition: string, ids: readonly string[]): Prisma.Sql {
  const known = ids.map((id) => requireIdentifier(condition, id));
  return Prisma.sql`${`{${known.join(',')}}`}::text::uuid[]`;
}

function betweenSql(time: Prisma.Sql, range: { readonly from?: Date; readonly to?: Date }): Prisma.Sql {
  const { from = null, to = null } = range;
  return Prisma.sql`${time} >= COALESCE(${from}::timestamptz, '-infinity') AND ${time} <= COALESCE(${to}::timestamptz, 'infinity')`;
}

/** Uses `review_at` for those that were reviewed, and `feature_label` for the others. */
function updatedSql(updated: FeatureFilter['updated'], scope: Scope): Prisma.Sql[] {
  if (updated === undefined) return [];
  const reviews = Prisma.sql`${scope.rows('review')} AS r WHERE r.is_current`;
  const reviewed = Prisma.sql`f.id = ANY(ARRAY(SELECT r.feature_id FROM ${reviews} AND ${betweenSql(Prisma.sql`r.at`, updated)}))`;
  const stored = segmentationSql(betweenSql(Prisma.sql`s.finished_at`, updated), scope);
  return [Prisma.sql`(${reviewed} OR (${stored} AND NOT EXISTS (SELECT 1 FROM ${reviews} AND r.feature_id = f.id)))`];
}

/** The newest review of `f`, by `review_current`; features that nobody reviewed have none. */
function reviewSql(
  statuses: readonly ReviewStatus[] | undefined,
  label: string | undefined,
  scope: Scope,
): Prisma.Sql[] {
  const newest = (condition: Prisma.Sql): Prisma.Sql =>
    Prisma.sql`EXISTS (SELECT 1 FROM ${scope.rows('review')} AS r WHERE r.feature_id = f.id AND r.is_current AND ${condition})`;
  const conditions = label === undefined ? [] : [newest(Prisma.sql`r.label = ${label}::text`)];
  if (statuses === undefined) return conditions;
  const isOneOf = (wanted: readonly ReviewStatus[]): Prisma.Sql =>
    newest(Prisma.sql`r.status = ANY(${`{${wanted.join(',')}}`}::text::text[])`);
  if (!statuses.includes('UNREVIEWED')) return [...conditions, isOneOf(statuses)];
  return [...conditions, Prisma.sql`NOT ${isOneOf(REVIEW_STATUSES.filter((status) => !statuses.includes(status)))}`];
}

function georeferencedSql(georeferenced: boolean | undefined): Prisma.Sql[] {
  if (georeferenced === undefined) return [];
  return [georeferenced ? Prisma.sql`f.geometry IS NOT NULL` : Prisma.sql`f.geometry IS NULL`];
}

/** Looked up once for the whole statement: joined, prompts would be searched again for every neighbour of a feature. */
function segmentationSql(condition: Prisma.Sql, scope: Scope): Prisma.Sql {
  return Prisma.sql`f.segmentation_id = ANY(ARRAY(SELECT s.id FROM ${scope.rows('segmentation')} AS s WHERE ${condition}))`;
}

function rangeSql(value: Prisma.Sql, range: FloatRange | undefined): Prisma.Sql[] {
  if (!range) return [];
  const { min, max } = range;
  return [
    ...(min === undefined ? [] : [Prisma.sql`${value} >= ${min}::float8`]),
    ...(max === undefined ? [] : [Prisma.sql`${value} <= ${max}::float8`]),
  ];
}

/** A range of a measure; a missing value is in none. */
function measureRangeSql(measure: SortedMeasure, range: FloatRange | undefined): Prisma.Sql[] {
  const conditions = rangeSql(sortedSql(measure, true), range);
  if (conditions.length === 0 || measure.missing === 'NEVER') return conditions;
  return [...conditions, Prisma.sql`${measureSql(measure)} IS NOT NULL`];
}

/**
 * Whether a neighbour matches. Where something bounds the features that are looked for, the neighbours of each are sought;
 * else the features beside each of those that match. Uses both indexes of `feature_adjacency` for stored pairs, and
 * `feature_geography_gist` for those that are measured.
 */
function adjacencySql(
  adjacentTo: FeatureFilter | undefined,
  scope: Scope,
  reach: NeighbourReach,
  { bounded, required }: FilterPlace,
): Prisma.Sql[] {
  if (!adjacentTo) return [];
  const fromHere = bounded || Object.keys(adjacentTo).length === 0;
  if (fromHere) return [hasNeighbourSql(conditionSql(adjacentTo, scope, BOUNDED), scope, reach)];
  const beside = besideSql(conditionSql(adjacentTo, scope, ALONE), scope, reach);
  // Measured pairs may be joined from either end.
  const joined = reach.withinM !== undefined || !required;
  return [joined ? Prisma.sql`f.id IN (${beside})` : Prisma.sql`f.id = ANY(ARRAY(${beside}))`];
}
