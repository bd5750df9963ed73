import type { Comparison } from '../feature/filter-cost.ts';
import type { AdjacencyRelation } from '../feature/feature.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';

/** Two features of a graph that touch or are near; `fromId` is the smaller identifier. */
export interface AdjacencyEdge {
  readonly fromId: string;
  readonly toId: string;
  readonly relation: AdjacencyRelation;
  /** Geodesic length of the common outline; null where none is known. */
  readonly sharedBorderM: number | null;
  /** Geodesic; 0 for TOUCHES, null without georeference. */
  readonly gapM: number | null;
  /** From centroid to centroid, [0, 360); null without georeference. */
  readonly bearingDeg: number | null;
}

/** Which pairs of features are edges. */
export interface EdgeFilter {
  readonly relation?: AdjacencyRelation;
  /** Largest geodesic gap, measured for every pair; absent: pairs of one scene as stored, others up to `reachM`. */
  readonly withinM?: number;
  /** Largest gap between features of two scenes. */
  readonly reachM: number;
}

/** Pairs of neighbours among features; the port that the database implements. Filters come checked. */
export interface AdjacencyGraphStore {
  /** Identifiers of the features that match, ascending, at most `most`. */
  nodes(filter: FeatureFilter, most: number): Promise<string[]>;
  /** What {@link edges} would compare. */
  comparison(filter: FeatureFilter, wanted: EdgeFilter): Promise<Comparison>;
  /** Pairs of which both match, in the order of identifiers, at most `most`. */
  edges(filter: FeatureFilter, wanted: EdgeFilter, most: number): Promise<AdjacencyEdge[]>;
}
