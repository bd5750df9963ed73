import type { Geometry } from 'geojson';
import type { AttributeCondition } from '../cql2/condition.ts';
import type { AdjacencyRelation, Bbox } from './feature.ts';
import type { NestedFilters } from './filter-walk.ts';
import { type MeasureSortKey, RANGE_NAMES, type RangeName, SORTED_MEASURES } from './measures.ts';

/** Both ends included. */
export interface FloatRange {
  readonly min?: number;
  readonly max?: number;
}

/** What people said of features; UNREVIEWED also takes a verdict back. */
export const REVIEW_STATUSES = ['UNREVIEWED', 'ACCEPTED', 'REJECTED'] as const;
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];

/** Predicates of OGC Simple Features between the feature and a WGS 84 geometry; `within`: the feature lies in it. */
export const SPATIAL_PREDICATES = [
  'intersects',
  'within',
  'contains',
  'touches',
  'overlaps',
  'crosses',
  'disjoint',
] as const;
export type SpatialPredicate = (typeof SPATIAL_PREDICATES)[number];

/**
 * Conditions on features; every one given must hold. Features without georeference satisfy no condition on place or
 * metres; `not` matches exactly what its condition does not. A new condition does not compile until every consumer handles
 * it: checks, costs, SQL, geometries, and {@link isBounding}.
 */
export interface FeatureFilter
  extends
    Partial<Record<SpatialPredicate, Geometry>>,
    Partial<Record<RangeName, FloatRange>>,
    NestedFilters<FeatureFilter> {
  /** Any of these features. */
  readonly ids?: readonly string[];
  readonly sceneId?: string;
  /** Any of these scenes. */
  readonly sceneIds?: readonly string[];
  readonly segmentationId?: string;
  /** The whole prompt, to the letter. */
  readonly prompt?: string;
  /** Words of the prompt by the syntax of web searches, or a part of it; see `answersSearchSql`. */
  readonly promptContains?: string;
  readonly modelId?: string;
  /** Time of the scene, both ends included; scenes without a date match neither. */
  readonly acquired?: { readonly from?: Date; readonly to?: Date };
  /** When the feature was stored, both ends included. */
  readonly created?: { readonly from?: Date; readonly to?: Date };
  /** When the feature was stored or last reviewed, whichever is later; both ends included. */
  readonly updated?: { readonly from?: Date; readonly to?: Date };
  /** Newest review of the feature is one of these; features that nobody reviewed are UNREVIEWED. */
  readonly review?: readonly ReviewStatus[];
  /** Label of the newest review, to the letter. */
  readonly label?: string;
  /** Conditions on attributes that no other member says. Their names are those of `FEATURE_QUERYABLES`. */
  readonly attributes?: readonly AttributeCondition[];
  /** Whether the feature has a place on the ground. */
  readonly georeferenced?: boolean;
  /**
   * Leaves out what another feature that matches stands for: one of another scene of the same day, for the same prompt and
   * model, that covers at least half of it and is larger.
   */
  readonly distinct?: boolean;
  /** Features that meet the box. */
  readonly bbox?: Bbox;
  /** Geodesic. */
  readonly near?: { readonly geometry: Geometry; readonly withinM: number };
  /** Stored neighbours of either relation, which are those in the same scene. */
  readonly neighbourCount?: FloatRange;
  /**
   * A neighbour matches: a stored one or, within `adjacentReachM`, a feature of another scene; with `adjacentWithinM` any
   * feature within that geodesic gap instead.
   */
  readonly adjacentTo?: FeatureFilter;
  readonly adjacentWithinM?: number;
  /** Largest gap to features of other scenes, metres, as in {@link NeighbourFilter}; absent: stored pairs alone. */
  readonly adjacentReachM?: number;
}

/** The ranges of measures in a filter, and its other conditions. */
export function splitRanges<Filter extends Partial<Record<RangeName, FloatRange>>>(
  filter: Filter,
): [ranges: Partial<Record<RangeName, FloatRange>>, others: Omit<Filter, RangeName>] {
  const ranges: Partial<Record<RangeName, FloatRange>> = {};
  const others: Filter = { ...filter };
  for (const name of RANGE_NAMES) {
    if (filter[name]) ranges[name] = filter[name];
    delete others[name];
  }
  return [ranges, others];
}

/** The conditions of a filter itself, without those of measures and of the filters in it. */
export type OwnCondition = Exclude<keyof FeatureFilter, RangeName | keyof NestedFilters<unknown>>;

/** Whether a condition keeps features to a place or an owner. */
const BOUNDS: Readonly<Record<OwnCondition, boolean>> = {
  ids: true,
  sceneId: true,
  sceneIds: true,
  segmentationId: true,
  bbox: true,
  near: true,
  intersects: true,
  within: true,
  contains: false,
  touches: false,
  overlaps: false,
  crosses: false,
  disjoint: false,
  prompt: false,
  promptContains: false,
  modelId: false,
  acquired: false,
  created: false,
  updated: false,
  review: false,
  label: false,
  attributes: false,
  georeferenced: false,
  distinct: false,
  neighbourCount: false,
  adjacentWithinM: false,
  adjacentReachM: false,
};
const BOUNDING = Object.keys(BOUNDS).filter((name) => BOUNDS[name as OwnCondition]) as OwnCondition[];

/** Whether a filter keeps features to a place or an owner by itself, whatever its other conditions and nested filters. */
export function isBounding(filter: Partial<Record<OwnCondition, unknown>>): boolean {
  return BOUNDING.some((name) => filter[name] !== undefined);
}

export type FeatureSortKey = MeasureSortKey | 'DISTANCE' | 'NEIGHBOURS' | 'CREATED';
export const FEATURE_SORT_KEYS: readonly FeatureSortKey[] = [
  ...SORTED_MEASURES.map(({ sortKey }) => sortKey),
  'DISTANCE',
  'NEIGHBOURS',
  'CREATED',
];

/** Features without the value come last in either direction. */
export interface FeatureOrder {
  readonly by: FeatureSortKey;
  readonly direction: 'ASC' | 'DESC';
}

/** The order of a request that names none. */
export const LARGEST_FIRST: FeatureOrder = { by: 'AREA', direction: 'DESC' };

/** Which neighbours of a feature. */
export interface NeighbourFilter {
  readonly relation?: AdjacencyRelation;
  /**
   * Largest geodesic gap, measured to every feature. Absent: what is stored of the feature's own scene, and features of
   * other scenes within `reachM`.
   */
  readonly withinM?: number;
  readonly inSegmentationId?: string;
  /** Largest gap to features of other scenes, metres: the one up to which neighbours of one scene are stored. */
  readonly reachM: number;
}
