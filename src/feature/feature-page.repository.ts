import { Prisma } from '../database/database.ts';
import { keysetSql } from '../database/keyset.ts';
import type { PageRequest } from '../page.ts';
import { nearOf, withoutNear } from './check-filter.ts';
import type { FeatureFilter, FeatureOrder } from './feature.filter.ts';
import { BOUNDED, conditionSql } from './feature-condition.repository.ts';
import { type OrderSql, orderSql } from './feature-order.repository.ts';
import { geometrySql } from './spatial-condition.repository.ts';

type Near = NonNullable<FeatureFilter['near']>;

/** Statement that reads one page of features `f`. */
export interface FeaturePageSql {
  readonly order: OrderSql;
  /** Geodesic distance of `f` to the geometry of the `near` condition; null without one. */
  readonly distance: Prisma.Sql;
  /** Everything behind the columns: `FROM feature AS f …`. */
  readonly body: Prisma.Sql;
}

/**
 * Leans on the indexes of the conditions and on that of the order, the nearest first on `feature_geography_gist`.
 * @param scope a further condition on `f`, which bounds the features
 */
export function featurePageSql(
  filter: FeatureFilter,
  order: FeatureOrder,
  page: PageRequest,
  scope?: Prisma.Sql,
): FeaturePageSql {
  const near = nearOf(filter);
  const distance = distanceSql(filter);
  const sorted = orderSql(order, distance);
  const keyset = keysetSql(sorted, page);
  const nearestFirst = order.by === 'DISTANCE' && (order.direction === 'ASC') === (page.last === undefined);
  const among = Prisma.sql`${scope ?? Prisma.sql`TRUE`} AND ${keyset.between}`;
  const place = scope || near ? BOUNDED : undefined;
  const source =
    near && nearestFirst
      ? nearestSql(near, Prisma.sql`${among} AND ${conditionSql(withoutNear(filter), place)}`, keyset.limit)
      : Prisma.sql`feature AS f WHERE ${among} AND ${conditionSql(filter, place)}`;
  const known = near && nearestFirst ? MEASURED : distance;
  const shown = orderSql(order, known);
  return {
    order: shown,
    distance: known ?? Prisma.sql`NULL::float8`,
    body: Prisma.sql`FROM ${source} ORDER BY ${keysetSql(shown, page).orderBy} LIMIT ${keyset.limit}::int`,
  };
}

/** Geodesic distance of `f` to the geometry of the `near` condition; null without one. */
export function distanceSql(filter: FeatureFilter): Prisma.Sql | null {
  const near = nearOf(filter);
  return near ? Prisma.sql`ST_Distance(f.geometry::geography, ${geometrySql(near.geometry)}::geography)` : null;
}

/** Distance of a feature of {@link nearestSql}, measured once to tell whether it is near, for its place and for its row. */
const MEASURED = Prisma.sql`f.near_m`;

/** Below the least that a distance on the ellipsoid is of the one on the sphere: 0.9944, as meridians are curved at the equator. */
const LEAST_OF_SPHERE = Prisma.sql`0.994`;

/**
 * Candidates for each row of a page, and a few more, for rows lie in clusters. Distances on the ellipsoid are 0.9944 to 1.0045
 * of those on the sphere, and evenly spread features grow in number with the square: 1.02 would do.
 */
const CANDIDATES_PER_ROW = 1.025;
const MORE_CANDIDATES = 4;

/**
 * The nearest features and some more, with their distance `near_m`. The index gives features in the order of their distance
 * on a sphere, somewhat more than the page has. When the last feature of the page is nearer than any can be that the index
 * did not give, the page is among them. Else, as where many features are equally near, every feature is measured that lies
 * as near as those do. The index is asked for a box, as `ST_DWithin` itself asks it: of the box the planner knows how many
 * features it holds, of a distance it does not, and would not walk the index. The order is by the name of the column, as by
 * the same expression with parameters of its own the distance on the sphere would be measured once more for each candidate.
 * @param condition on `f`, without the one on distance
 * @param limit rows that are wanted
 * @see https://postgis.net/docs/geometry_distance_knn.html
 */
function nearestSql({ geometry, withinM }: Near, condition: Prisma.Sql, limit: number): Prisma.Sql {
  const origin = Prisma.sql`${geometrySql(geometry)}::geography`;
  const distance = Prisma.sql`ST_Distance(f.geometry::geography, ${origin})`;
  const candidates = Math.ceil(CANDIDATES_PER_ROW * limit) + MORE_CANDIDATES;
  return Prisma.sql`(
    WITH candidate AS MATERIALIZED (
      SELECT f.*, ${distance} AS near_m, f.geometry::geography <-> ${origin} AS sphere_m FROM feature AS f
      WHERE f.geometry::geography && _ST_Expand(${origin}, ${withinM}::float8) AND ${condition}
      ORDER BY sphere_m LIMIT ${candidates}::int
    ),
    reach AS MATERIALIZED (
      SELECT m, count < ${candidates}::int OR m < ${LEAST_OF_SPHERE} * sphere_m AS is_sure
      FROM (
        SELECT LEAST(${withinM}::float8, (SELECT near_m FROM candidate ORDER BY near_m OFFSET ${limit - 1}::int LIMIT 1)) AS m,
               max(sphere_m) AS sphere_m, count(*) AS count
        FROM candidate
      ) AS page
    )
    SELECT f.* FROM reach JOIN candidate AS f ON f.near_m <= reach.m WHERE reach.is_sure
    UNION ALL
    SELECT f.*, measured.near_m, NULL
    FROM reach JOIN feature AS f ON f.geometry::geography && _ST_Expand(${origin}, reach.m)
    CROSS JOIN LATERAL (SELECT ${distance} AS near_m OFFSET 0) AS measured
    WHERE NOT reach.is_sure AND measured.near_m <= reach.m AND ${condition}
  ) AS f`;
}
