import type { Geometry } from 'geojson';
import type { AdjacencyRelation, Bbox } from './feature.ts';

/** Both ends included. */
export interface FloatRange {
  readonly min?: number;
  readonly max?: number;
}

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
 * metres; `not` matches exactly what its condition does not.
 */
export interface FeatureFilter extends Partial<Record<SpatialPredicate, Geometry>> {
  readonly sceneId?: string;
  readonly segmentationId?: string;
  /** Words of the prompt by the syntax of web searches, or a part of it; see `answersSearchSql`. */
  readonly promptContains?: string;
  readonly modelId?: string;
  /** Time of the scene, both ends included; scenes without a date match neither. */
  readonly acquired?: { readonly from?: Date; readonly to?: Date };
  /** Features that meet the box. */
  readonly bbox?: Bbox;
  /** Geodesic. */
  readonly near?: { readonly geometry: Geometry; readonly withinM: number };
  readonly areaM2?: FloatRange;
  readonly perimeterM?: FloatRange;
  readonly meanProbability?: FloatRange;
  readonly compactness?: FloatRange;
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
  readonly and?: readonly FeatureFilter[];
  readonly or?: readonly FeatureFilter[];
  readonly not?: FeatureFilter;
}

/** Whether a filter keeps features to a place or an owner by itself, whatever its other conditions and nested filters. */
export function isBounding(filter: Partial<Record<keyof FeatureFilter, unknown>>): boolean {
  const { sceneId, segmentationId, bbox, near, intersects, within } = filter;
  return [sceneId, segmentationId, bbox, near, intersects, within].some((condition) => condition !== undefined);
}

export const FEATURE_SORT_KEYS = [
  'AREA',
  'PERIMETER',
  'PROBABILITY',
  'COMPACTNESS',
  'DISTANCE',
  'NEIGHBOURS',
  'CREATED',
] as const;
export type FeatureSortKey = (typeof FEATURE_SORT_KEYS)[number];

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
