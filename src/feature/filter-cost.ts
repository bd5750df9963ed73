import { AppError } from '../errors.ts';
import type { RequestedFilter } from './check-filter.ts';
import type { OwnCondition } from './feature.filter.ts';
import { eachFilter } from './filter-walk.ts';

/** An operation could make the database do more than it may. */
export class OperationTooCostlyError extends AppError {
  readonly code = 'OPERATION_TOO_COSTLY';
  constructor(
    readonly cost: number,
    readonly maxCost: number,
  ) {
    super(
      `The operation costs ${cost}; the limit is ${maxCost}. Request fewer nodes (first, last, limit) or fewer spatial conditions.`,
      { details: { value: cost, limit: maxCost } },
    );
  }
}

/** A spatial condition: an index is searched, and its hits are compared with the geometry. */
export const SPATIAL_COST = 5;
/** Counts stored neighbours of every candidate. */
const NEIGHBOUR_COUNT_COST = 20;
/** Joins the candidates with their stored neighbours, and searches the index for those in other scenes. */
const ADJACENT_COST = 200;
/** Intersects the candidates with the features of other scenes. */
const DISTINCT_COST = 200;
/** Computes a value of every candidate. */
const ATTRIBUTE_COST = 2;
/** Looks up the newest review of every candidate. */
const REVIEW_COST = 2;

type Condition = Exclude<OwnCondition, 'adjacentReachM'> | 'adjacentTo';

/** Conditions on owners and measures are free: a row is compared with a value, or an index is searched once. */
const COSTS: Readonly<Record<Condition, number>> = {
  intersects: SPATIAL_COST,
  within: SPATIAL_COST,
  contains: SPATIAL_COST,
  touches: SPATIAL_COST,
  overlaps: SPATIAL_COST,
  crosses: SPATIAL_COST,
  disjoint: SPATIAL_COST,
  bbox: SPATIAL_COST,
  near: SPATIAL_COST,
  neighbourCount: NEIGHBOUR_COUNT_COST,
  adjacentTo: ADJACENT_COST,
  adjacentWithinM: 0,
  review: REVIEW_COST,
  label: REVIEW_COST,
  attributes: ATTRIBUTE_COST,
  georeferenced: 0,
  distinct: DISTINCT_COST,
  ids: 0,
  sceneId: 0,
  sceneIds: 0,
  segmentationId: 0,
  prompt: 0,
  promptContains: 0,
  modelId: 0,
  acquired: 0,
  created: 0,
  updated: 1,
};
const COSTLY = Object.entries(COSTS).filter(([, cost]) => cost > 0) as [Condition, number][];

/** What the conditions of a filter cost, on all levels. */
export function filterCost(filter: RequestedFilter | null | undefined): number {
  let cost = 0;
  for (const { filter: one } of filter ? eachFilter(filter) : []) {
    for (const [name, own] of COSTLY) if (one[name]) cost += own;
  }
  return cost;
}

/** Outlines that a question would compare, as far as they were counted. */
export interface Comparison {
  /** Pairs of features whose bounds, grown by the gap, meet. */
  readonly pairs: number;
  /** Vertices of both outlines of every pair, by the size that they are stored in. */
  readonly vertices: number;
}

/** Most pairs that one question compares. */
export const MAX_COMPARED_PAIRS = 200_000;
/** Most vertices that it compares. */
const MAX_COMPARED_VERTICES = 32_000_000;

/** A question would compare more outlines than it may. */
export class ComparisonTooLargeError extends AppError {
  readonly code = 'COMPARISON_TOO_LARGE';
  constructor({ pairs, vertices }: Comparison) {
    const counted = pairs > MAX_COMPARED_PAIRS ? `more than ${MAX_COMPARED_PAIRS}` : String(pairs);
    super(
      `The request would measure ${counted} pairs of features with ${Math.round(vertices)} vertices; the limits are ` +
        `${MAX_COMPARED_PAIRS} pairs and ${MAX_COMPARED_VERTICES} vertices. Narrow the filter, the page or withinM.`,
    );
  }
}

/** @throws {ComparisonTooLargeError} */
export function checkComparison(comparison: Comparison): void {
  const { pairs, vertices } = comparison;
  if (pairs > MAX_COMPARED_PAIRS || vertices > MAX_COMPARED_VERTICES) throw new ComparisonTooLargeError(comparison);
}
