import { Prisma } from '../database/database.ts';
import type { KeysetColumns } from '../database/sql/keyset.ts';
import type { Scope } from '../database/scope.ts';
import type { FeatureOrder, FeatureSortKey } from './feature.filter.ts';
import { type MeasureSortKey, SORTED_MEASURES, type SortedMeasure } from './measures.ts';
import { measureSql, missingSql, sortedSql } from './measures.repository.ts';
import { neighbourCountSql } from './neighbour-pairs.repository.ts';

const MEASURE_OF = new Map<FeatureSortKey, SortedMeasure>(
  SORTED_MEASURES.map((measure): [MeasureSortKey, SortedMeasure] => [measure.sortKey, measure]),
);

/** An order of features `f`, ready to be put into a statement. */
export interface OrderSql extends KeysetColumns {
  /** The value that a cursor remembers; null where a feature has none. */
  readonly value: Prisma.Sql;
}

/**
 * Features without the value come last in either direction, and features of one value come in the order of their
 * identifiers, so that every feature has one place. Measures use the indexes of {@link sortedSql}.
 * @param distance to the `near` geometry, null without one
 */
export function orderSql({ by, direction }: FeatureOrder, scope: Scope, distance: Prisma.Sql | null): OrderSql {
  const descending = direction === 'DESC';
  const order = { name: `${by} ${direction}`, id: Prisma.sql`f.id`, descending };
  const missing = missingSql(descending);
  const measure = MEASURE_OF.get(by);
  if (measure) {
    return { ...order, value: measureSql(measure), key: { sql: sortedSql(measure, descending), missing } };
  }
  if (by === 'CREATED') return { ...order, value: Prisma.sql`NULL::float8`, key: null };
  const value = by === 'NEIGHBOURS' ? neighbourCountSql(scope) : distance;
  if (!value) throw new TypeError('An order by distance needs a geometry to measure from.');
  return { ...order, value, key: { sql: value, missing } };
}
