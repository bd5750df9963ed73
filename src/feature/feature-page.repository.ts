import { coordAll } from '@turf/turf';
import type { Geometry } from 'geojson';
import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { keysetSql } from '../database/sql/keyset.ts';
import type { PageRequest } from '../page.ts';
import { nearOf, withoutNear } from './check-filter.ts';
import type { FeatureFilter, FeatureOrder } from './feature.filter.ts';
import { BOUNDED, conditionSql } from './feature-condition.repository.ts';
import { type OrderSql, orderSql } from './feature-order.repository.ts';
import { groundSql } from './spatial-condition.repository.ts';

type Near = NonNullable<FeatureFilter['near']>;

/** Statement that reads one page of features `f`. */
export interface FeaturePageSql {
  readonly order: OrderSql;
  /** Geodesic distance of `f` to the geometry of the `near` condition; null without one. */
  readonly distance: Prisma.Sql;
  /** Everything behind the columns: `FROM feature AS f …`. */
  readonly body: Prisma.Sql;
  /** Where the spatial index gave the nearest, and has to prove that they are. */
  readonly proof: {
    /** Metres as far as features have to be measured, as `f` may not belong to the page; null where it surely does. */
    readonly reachM: Prisma.Sql;
    /** The same page by measuring every feature. @param reachM that far; `withinM` of the filter at most */
    readonly measured: (reachM: number) => FeaturePageSql;
  } | null;
}

/**
 * Uses the indexes of the conditions and that of the order; the nearest first uses `feature_geography_gist`.
 * @param within a further condition on `f`, which bounds the features
 */
export function featurePageSql(
  scope: Scope,
  filter: FeatureFilter,
  order: FeatureOrder,
  page: PageRequest,
  within?: Prisma.Sql,
): FeaturePageSql {
  const near = nearOf(filter);
  const nearestFirst = order.by === 'DISTANCE' && (order.direction === 'ASC') === (page.last === undefined);
  if (!near || !nearestFirst || confusesIndex(near.geometry))
    return measuredPageSql(scope, filter, order, page, within);
  const { between, limit } = keysetSql(orderSql(order, scope, distanceSql(filter)), page);
  const others = withoutNear(filter);
  const condition = Prisma.sql`${within ?? Prisma.sql`TRUE`} AND ${between} AND ${conditionSql(others, scope, BOUNDED)}`;
  const shown = orderSql(order, scope, MEASURED);
  const { orderBy } = keysetSql(shown, page);
  return {
    order: shown,
    distance: MEASURED,
    body: Prisma.sql`FROM ${nearestSql(scope, near, condition, limit)} ORDER BY ${orderBy} LIMIT ${limit}::int`,
    proof: {
      reachM: Prisma.sql`CASE WHEN f.near_m >= f.sure_m THEN f.near_m END`,
      measured: (reachM) => {
        const reached = { ...others, near: { ...near, withinM: Math.min(reachM + ROUNDED_M, near.withinM) } };
        return measuredPageSql(scope, reached, order, page, within);
      },
    },
  };
}

/** Latitude from which an index on geographies may fail with `index returned tuples in wrong order` (PostGIS 3.3 to 3.5). */
const POLAR_DEG = 89;

/**
 * Whether the index may fail: near a pole, and on the antimeridian, where the box of what touches at the other longitude
 * lies a rounding error away.
 */
function confusesIndex(geometry: Geometry): boolean {
  return coordAll(geometry).some(
    ([longitude, latitude]) => Math.abs(longitude!) === 180 || Math.abs(latitude!) >= POLAR_DEG,
  );
}

function measuredPageSql(
  scope: Scope,
  filter: FeatureFilter,
  order: FeatureOrder,
  page: PageRequest,
  within: Prisma.Sql | undefined,
): FeaturePageSql {
  const distance = distanceSql(filter);
  const sorted = orderSql(order, scope, distance);
  const { between, orderBy, limit } = keysetSql(sorted, page);
  const condition = conditionSql(filter, scope, within || distance ? BOUNDED : undefined);
  return {
    order: sorted,
    distance: distance ?? Prisma.sql`NULL::float8`,
    body: Prisma.sql`
      FROM ${scope.rows('feature')} AS f WHERE ${within ?? Prisma.sql`TRUE`} AND ${between} AND ${condition}
      ORDER BY ${orderBy} LIMIT ${limit}::int`,
    proof: null,
  };
}

/** Geodesic distance of `f` to the geometry of the `near` condition; null without one. */
export function distanceSql(filter: FeatureFilter): Prisma.Sql | null {
  const near = nearOf(filter);
  return near ? Prisma.sql`ST_Distance(f.geometry::geography, ${groundSql(near.geometry)})` : null;
}

/** More than PostGIS rounds geodesic distances by: to 1e-8. */
const ROUNDED_M = 1e-7;

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
 * on a sphere, somewhat more than the page has. One nearer than `sure_m` is nearer than any can be that the index did not
 * give; null says that it gave all. Features beyond `withinM` are left out where that is sure. The index is asked for a box,
 * as `ST_DWithin` itself asks it: of the box the planner knows how many features it holds, of a distance it does not, and
 * would not walk the index. The order is by the name of the column, as by the same expression with parameters of its own
 * the distance on the sphere would be measured once more for each candidate.
 * @param condition on `f`, without the one on distance
 * @param limit rows that are wanted
 * @see https://postgis.net/docs/geometry_distance_knn.html
 */
function nearestSql(scope: Scope, { geometry, withinM }: Near, condition: Prisma.Sql, limit: number): Prisma.Sql {
  const origin = groundSql(geometry);
  const candidates = Math.ceil(CANDIDATES_PER_ROW * limit) + MORE_CANDIDATES;
  return Prisma.sql`(
    SELECT f.* FROM (
      SELECT f.*,
             CASE WHEN count(*) OVER () = ${candidates}::int THEN ${LEAST_OF_SPHERE} * max(f.sphere_m) OVER () END AS sure_m
      FROM (
        SELECT f.*, ST_Distance(f.geometry::geography, ${origin}) AS near_m, f.geometry::geography <-> ${origin} AS sphere_m
        FROM ${scope.rows('feature')} AS f WHERE f.geometry::geography && _ST_Expand(${origin}, ${withinM}::float8) AND ${condition}
        ORDER BY sphere_m LIMIT ${candidates}::int
      ) AS f
    ) AS f
    WHERE f.near_m <= ${withinM}::float8 OR f.near_m >= f.sure_m
  ) AS f`;
}
