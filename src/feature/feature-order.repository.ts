import { decodeCursor } from '../database/cursor.ts';
import { Prisma } from '../database/database.ts';
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
export interface OrderSql {
  /** The value that a cursor remembers; null where a feature has none. */
  readonly value: Prisma.Sql;
  readonly orderBy: Prisma.Sql;
  /** Condition for the rows behind a cursor. */
  behind(cursor: string): Prisma.Sql;
  /** Name of the order in cursors. */
  readonly name: string;
}

/**
 * Features without the value come last in either direction, and features of one value come in the order of their
 * identifiers, so that every feature has one place. Largest, smallest, longest and most compact first, and mean
 * probability in both directions, lean on an index each.
 * @param distance to the `near` geometry, null without one
 */
export function orderSql({ by, direction }: FeatureOrder, distance: Prisma.Sql | null): OrderSql {
  const descending = direction === 'DESC';
  const missing = descending ? Prisma.sql`'-Infinity'::double precision` : Prisma.sql`'Infinity'::double precision`;
  const name = `${by} ${direction}`;
  const turned = descending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const beyond = descending ? Prisma.sql`<` : Prisma.sql`>`;
  if (by === 'CREATED') {
    return {
      value: Prisma.sql`NULL::float8`,
      orderBy: Prisma.sql`f.id ${turned}`,
      behind: (cursor) => Prisma.sql`f.id ${beyond} ${decodeCursor(name, cursor).id}::uuid`,
      name,
    };
  }
  const value = valueSql(by, distance);
  const isPresent = by === 'PROBABILITY' || by === 'NEIGHBOURS' || by === 'DISTANCE';
  const key = isPresent ? value : Prisma.sql`COALESCE(${value}, ${missing})`;
  return {
    value,
    orderBy: Prisma.sql`${key} ${turned}, f.id ${turned}`,
    behind(cursor) {
      const { value: last, id } = decodeCursor(name, cursor);
      return Prisma.sql`(${key}, f.id) ${beyond} (COALESCE(${last}::float8, ${missing}), ${id}::uuid)`;
    },
    name,
  };
}

function valueSql(by: Exclude<FeatureSortKey, 'CREATED'>, distance: Prisma.Sql | null): Prisma.Sql {
  if (by !== 'DISTANCE') return STORED_VALUES[by];
  if (!distance) throw new TypeError('an order by distance needs a geometry to measure to');
  return distance;
}
