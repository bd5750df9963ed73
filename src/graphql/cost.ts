import { getNamedType, isLeafType } from 'graphql';
import type { ComplexityEstimator } from 'graphql-query-complexity';
import type { RequestedFilter } from '../feature/check-filter.ts';
import { filterCost, SPATIAL_COST } from '../feature/filter-cost.ts';
import { DEFAULT_COLLECTION, DEFAULT_PAGE } from './page-request.ts';

/** Sorts by what no index holds. */
const NEIGHBOUR_ORDER_COST = 100;

/** Arguments that say what a field costs, wherever they occur. */
interface CostlyArguments {
  readonly filter?: RequestedFilter | null;
  readonly orderBy?: { readonly by?: unknown } | null;
  readonly first?: number | null;
  readonly last?: number | null;
  readonly limit?: number | null;
}

/**
 * What a field costs unless its own `complexity` says otherwise: 1 for an object, which is a row that is looked up, nothing
 * for a value of a row, and what is below a page once for each node that the page can have. A condition on another table or
 * on space costs more than that.
 */
export const argumentsEstimator: ComplexityEstimator = ({ args, field, childComplexity }) => {
  const { filter, orderBy, limit } = args as CostlyArguments;
  const size = pageSize(args);
  const own = isLeafType(getNamedType(field.type)) ? (limit === undefined ? 0 : size) : 1 + size * childComplexity;
  return own + filterCost(filter) + (orderBy?.by === 'NEIGHBOURS' ? NEIGHBOUR_ORDER_COST : 0);
};

/** Neighbours are looked up for each feature: stored pairs, and features of other scenes by the spatial index. */
export const neighboursCost: ComplexityEstimator = ({ args, childComplexity }) =>
  SPATIAL_COST + pageSize(args) * childComplexity;

/** @returns nodes that a field can have by its arguments, of which null stands for the default; 1 where it is no page */
function pageSize({ first, last, limit }: CostlyArguments): number {
  if (last !== null && last !== undefined) return Math.max(0, last);
  if (first !== undefined) return Math.max(0, first ?? DEFAULT_PAGE);
  return limit === undefined ? 1 : Math.max(0, limit ?? DEFAULT_COLLECTION);
}
