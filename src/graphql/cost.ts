import { getNamedType, isLeafType } from 'graphql';
import type { ComplexityEstimator } from 'graphql-query-complexity';
import type { RequestedFilter } from '../feature/check-filter.ts';
import { filterCost, SPATIAL_COST } from '../feature/filter-cost.ts';
import { withoutNullArguments } from './absent-null.ts';

/** Sorts by what no index holds. */
const NEIGHBOUR_ORDER_COST = 100;

/** Arguments that say what a field costs, wherever they occur. */
interface CostlyArguments {
  readonly filter?: RequestedFilter;
  readonly orderBy?: { readonly by?: unknown };
  readonly first?: number;
  readonly last?: number;
  readonly limit?: number;
}

/**
 * What a field costs unless its own `complexity` says otherwise: 1 for an object, which is a row that is looked up, nothing
 * for a value of a row, and what is below a page once for each node that the page can have. A condition on another table or
 * on space costs more than that.
 */
export const argumentsEstimator: ComplexityEstimator = ({ args, field, childComplexity }) => {
  const given: CostlyArguments = withoutNullArguments(field.args, args);
  const { filter, orderBy, limit } = given;
  const size = pageSize(given);
  const own = isLeafType(getNamedType(field.type)) ? (limit === undefined ? 0 : size) : 1 + size * childComplexity;
  return own + filterCost(filter) + (orderBy?.by === 'NEIGHBOURS' ? NEIGHBOUR_ORDER_COST : 0);
};

/** Neighbours are looked up for each feature: stored pairs, and features of other scenes by the spatial index. */
export const neighboursCost: ComplexityEstimator = ({ args, field, childComplexity }) =>
  SPATIAL_COST + pageSize(withoutNullArguments(field.args, args)) * childComplexity;

/** @returns nodes that a field can have by its arguments; 1 where it is not a page */
function pageSize({ first, last, limit }: CostlyArguments): number {
  return Math.max(0, last ?? first ?? limit ?? 1);
}
