import type { ComplexityEstimator } from 'graphql-query-complexity';
import { argumentsEstimator } from './cost.ts';

/** Reads every feature that matches, however little is answered. */
export const AGGREGATE_COST = 100;
/** Cuts or unites the outlines of every feature that matches. */
export const OVERLAY_COST = 500;
/** Nodes that a list without pages is taken to have. */
const UNPAGED_NODES = 1000;

/** What the arguments and the fields below cost, and the work of the field itself. */
export function withWork(cost: number): ComplexityEstimator {
  return (options) => cost + (argumentsEstimator(options) ?? 0);
}

/** A list without pages: what is below it is loaded for each of its nodes. */
export const unpagedCost: ComplexityEstimator = ({ childComplexity }) => 1 + UNPAGED_NODES * childComplexity;
