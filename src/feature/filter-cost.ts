import { AppError } from '../errors.ts';
import type { RequestedFilter } from './check-filter.ts';
import { SPATIAL_PREDICATES } from './feature.filter.ts';

/** An operation could make the database do more than it may. */
export class OperationTooCostlyError extends AppError {
  readonly code = 'OPERATION_TOO_COSTLY';
  constructor(
    readonly cost: number,
    readonly maxCost: number,
  ) {
    super(
      `the operation costs ${cost}; the most is ${maxCost}: ask for fewer nodes (first, last, limit) or for fewer spatial conditions`,
    );
  }
}

/** A spatial condition: an index is searched, and its hits are compared with the geometry. */
export const SPATIAL_COST = 5;
/** Counts stored neighbours of every candidate. */
const NEIGHBOUR_COUNT_COST = 20;
/** Joins the candidates with their stored neighbours, and searches the index for those in other scenes. */
const ADJACENT_COST = 200;

/** What the conditions of a filter cost, on all levels. */
export function filterCost(filter: RequestedFilter | null | undefined): number {
  if (!filter) return 0;
  const { bbox, near, neighbourCount, adjacentTo, and, or, not } = filter;
  const spatial = [...SPATIAL_PREDICATES.map((predicate) => filter[predicate]), bbox, near].filter(Boolean).length;
  const adjacent = adjacentTo ? ADJACENT_COST : 0;
  const nested = [adjacentTo, not, ...(and ?? []), ...(or ?? [])].reduce((sum, one) => sum + filterCost(one), 0);
  return spatial * SPATIAL_COST + (neighbourCount ? NEIGHBOUR_COUNT_COST : 0) + adjacent + nested;
}
