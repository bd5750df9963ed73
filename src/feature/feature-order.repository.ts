import { Prisma } from '../database/database.ts';
import type { KeysetColumns } from '../database/keyset.ts';
import type { FeatureOrder, FeatureSortKey } from './feature.filter.ts';
import { NEIGHBOUR_COUNT } from './feature-condition.repository.ts';

const STORED_VALUES: Record<Exclude<FeatureSortKey, 'CREATED' | 'DISTANCE'>, Prisma.Sql> = {
  AREA: Prisma.sql`f.area_m2`,
  PERIMETER: Prisma.sql`f.perimeter_m`,
  PROBABILITY: Prisma.sql`f.mean_probability`,
  COMPACTNESS: Prisma.sql`f.compactness`,
  NEIGHBOURS: NEIGHBOUR_COUNT,
};

/** An order of features `f`, ready to be put into a statement. */
export interface OrderSql extends KeysetColumns {
  /** The value that a cursor remembers; null where a feature has none. */
  readonly value: Prisma.Sql;
}

/**
 * Features without the value come last in either direction, and features of one value come in the order of their
 * identifiers, so that every feature has one place. Area, perimeter and compactness lean on an index for each direction
 * (`feature_largest`, `feature_smallest` and so on), mean probability on `feature_mean_probability` in both.
 * @param distance to the `near` geometry, null without one
 */
export function orderSql({ by, direction }: FeatureOrder, distance: Prisma.Sql | null): OrderSql {
  const descending = direction === 'DESC';
  const order = { name: `${by} ${direction}`, id: Prisma.sql`f.id`, descending };
  if (by === 'CREATED') return { ...order, value: Prisma.sql`NULL::float8`, key: null };
  const missing = descending ? Prisma.sql`'-Infinity'::double precision` : Prisma.sql`'Infinity'::double precision`;
  const value = valueSql(by, distance);
  const isPresent = by === 'PROBABILITY' || by === 'NEIGHBOURS' || by === 'DISTANCE';
  return { ...order, value, key: { sql: isPresent ? value : Prisma.sql`COALESCE(${value}, ${missing})`, missing } };
}

function valueSql(by: Exclude<FeatureSortKey, 'CREATED'>, distance: Prisma.Sql | null): Prisma.Sql {
  if (by !== 'DISTANCE') return STORED_VALUES[by];
  if (!distance) throw new TypeError('an order by distance needs a geometry to measure to');
  return distance;
}
