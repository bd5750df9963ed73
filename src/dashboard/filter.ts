import type { FeatureFilter, FloatRange } from './generated/graphql.ts';

/** Conditions that a person can set with the filter bar, in the order in which they are shown. */
export const CONDITIONS = [
  'promptContains',
  'areaM2',
  'meanProbability',
  'elongation',
  'acquired',
  'near',
  'intersects',
  'adjacentTo',
  'review',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** The filter without what says nothing. */
export function pruned(filter: FeatureFilter): FeatureFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== null && value !== undefined && value !== ''),
  );
}

/**
 * One text for one meaning, whatever the order of its keys: tiles, rows, counts, charts and downloads that share it show the
 * same features.
 */
export function filterKey(filter: FeatureFilter): string {
  return JSON.stringify(sorted(pruned(filter)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}

/** Both conditions at once. */
export function both(filter: FeatureFilter, other: FeatureFilter): FeatureFilter {
  const clash = Object.keys(other).some((name) => name in filter);
  return clash ? { and: [filter, other] } : { ...filter, ...other };
}

export const countConditions = (filter: FeatureFilter): number => Object.keys(pruned(filter)).length;

/** Decades of areas in square metres, from 1 m² to 10 km²; ranges include both ends, so each ends just before the next. */
export const AREA_DECADES: readonly FloatRange[] = Array.from({ length: 7 }, (_, power) => ({
  ...(power > 0 ? { min: 10 ** power } : {}),
  ...(power < 6 ? { max: 10 ** (power + 1) * (1 - 1e-9) } : {}),
}));
