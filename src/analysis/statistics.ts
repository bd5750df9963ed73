import type { FeatureFilter } from '../feature/feature.filter.ts';

export const FEATURE_GROUPINGS = [
  'SCENE',
  'SEGMENTATION',
  'PROMPT',
  'MODEL',
  'ACQUIRED_DAY',
  'GRID_1KM',
  'GRID_10KM',
] as const;
/**
 * What features are grouped by, and the text in the key: identifier of the scene or of the segmentation, the prompt,
 * `name/version` of the model, UTC day of the scene as `2024-06-01`, or grid cell. Cells are squares of EPSG:6933 (NSIDC
 * EASE-Grid 2.0 Global, equal-area) counted from its origin at 0° E 0° N: `-3/120` begins 3 columns west and 120 rows
 * north of it. A feature belongs to the cell of its centroid, so that cells add up to the whole. The text is empty for
 * features whose scene has no date or no georeference.
 */
export type FeatureGrouping = (typeof FEATURE_GROUPINGS)[number];

/** One text for each grouping that was asked for, in their order. */
export type GroupKey = readonly string[];

/** Cheap sums over the features of a group. Metres are summed over the features that have them. */
export interface GroupTotals {
  readonly key: GroupKey;
  readonly featureCount: number;
  /** Sum of geodesic areas; 0 for no feature, null when there are features and none has an area. */
  readonly areaM2: number | null;
  /** As the area. */
  readonly perimeterM: number | null;
  /** Over all pixels of the features; null for no feature. */
  readonly meanProbability: number | null;
}

/** A field of the JSON text of a group, under a name of its own. */
export interface TotalsField {
  readonly key: string;
  readonly name: keyof GroupTotals | '__typename';
}

/** Stored pairs of features that touch and are both in the group. */
export interface GroupBorders {
  readonly touchingPairs: number;
  /** Geodesic; null when the pairs have no georeference. */
  readonly sharedBorderM: number | null;
}

/** Longitudes and latitudes that a group reaches. */
export interface GroupReach {
  readonly south: number;
  readonly north: number;
  /** Longitudes within -180 to 180. */
  readonly west: number;
  readonly east: number;
  /** The same longitudes counted from 0 to 360: narrower for a group on both sides of the antimeridian. */
  readonly shiftedWest: number;
  readonly shiftedEast: number;
}

/** A measure of each group that has it, under the JSON text of the key. */
export type ByGroup<Value> = ReadonlyMap<string, Value>;

/** Sums over stored features; the port that the database implements. Filters come checked, groupings without repetition. */
export interface StatisticsStore {
  /** In the order of the keys' parts; one group when `groupBy` is empty. */
  totals(filter: FeatureFilter, groupBy: readonly FeatureGrouping[], most: number): Promise<GroupTotals[]>;
  /** The same, each group as JSON text of some of its totals, at least one. */
  totalsTexts(
    filter: FeatureFilter,
    groupBy: readonly FeatureGrouping[],
    most: number,
    fields: readonly TotalsField[],
  ): Promise<string[]>;
  /** Quantiles of the areas, interpolated; groups without areas are left out. */
  areaQuantiles(
    filter: FeatureFilter,
    groupBy: readonly FeatureGrouping[],
    q: readonly number[],
  ): Promise<ByGroup<readonly number[]>>;
  /** Geodesic area of the union of the outlines. */
  unionAreas(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<number>>;
  /** Groups without such a pair are left out. */
  borders(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<GroupBorders>>;
  reaches(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<GroupReach>>;
}
