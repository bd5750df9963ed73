import { AppError } from '../errors.ts';
import type { Bbox } from './feature.ts';
import {
  type FeatureFilter,
  type FeatureOrder,
  type FloatRange,
  isBounding,
  SPATIAL_PREDICATES,
  type SpatialPredicate,
} from './feature.filter.ts';
import { parseGeometry } from '../geojson-geometry.ts';

/** A filter as a client sends it: geometry, boxes and nesting are unchecked. */
export interface RequestedFilter
  extends
    Omit<FeatureFilter, SpatialPredicate | 'bbox' | 'near' | 'adjacentTo' | 'adjacentReachM' | 'and' | 'or' | 'not'>,
    Partial<Record<SpatialPredicate, object>> {
  readonly bbox?: readonly number[];
  readonly near?: { readonly geometry: object; readonly withinM: number };
  readonly adjacentTo?: RequestedFilter;
  readonly and?: readonly RequestedFilter[];
  readonly or?: readonly RequestedFilter[];
  readonly not?: RequestedFilter;
}

/** Levels of and, or, not and adjacentTo below the filter itself. */
const MAX_FILTER_NESTING = 5;
/** Filters in one, itself counted: each is a part of the statement that has to be planned. */
const MAX_FILTERS = 100;
/** Larger gaps join too much of the table with itself. */
export const MAX_ADJACENT_M = 10_000;
/** Half the circumference of the Earth: no two places are farther apart. */
const MAX_NEAR_M = 20_037_508;

/** A condition of a filter cannot be asked; the message names it, its value and what is allowed. */
export class InvalidFilterError extends AppError {
  readonly code = 'INVALID_FILTER';
}

/**
 * Checks a filter.
 * @param maxVertices of each geometry
 * @param reachM largest gap to neighbours in other scenes, metres; undefined: `adjacentTo` has stored neighbours alone
 * @throws {InvalidFilterError} {@link InvalidGeometryError} {@link TooManyVerticesError}
 */
export function checkFilter(requested: RequestedFilter, maxVertices: number, reachM?: number): FeatureFilter {
  const filters = countFilters(requested);
  if (filters > MAX_FILTERS) {
    throw new InvalidFilterError(
      `the filter has ${filters} filters in and, or, not and adjacentTo; the most is ${MAX_FILTERS}`,
    );
  }
  const reach = reachM === undefined ? {} : { adjacentReachM: reachM };
  return checkLevel(requested, { maxVertices, reach }, 0, false);
}

interface LevelLimits {
  readonly maxVertices: number;
  /** Put beside each `adjacentTo` that names no gap. */
  readonly reach: Pick<FeatureFilter, 'adjacentReachM'>;
}

function countFilters({ and = [], or = [], not, adjacentTo }: RequestedFilter): number {
  return [...and, ...or, not, adjacentTo].reduce((sum, one) => (one ? sum + countFilters(one) : sum), 1);
}

/** @param bounded whether a condition around this level keeps `disjoint` from meaning the whole table */
function checkLevel(requested: RequestedFilter, limits: LevelLimits, level: number, bounded: boolean): FeatureFilter {
  if (level > MAX_FILTER_NESTING) {
    throw new InvalidFilterError(
      `the filter nests deeper than ${MAX_FILTER_NESTING} levels of and, or, not and adjacentTo`,
    );
  }
  const { maxVertices, reach } = limits;
  const { bbox, near, adjacentTo, and, or, not, ...others } = requested;
  const { intersects, within, contains, touches, overlaps, crosses, disjoint, ...plain } = others;
  for (const name of ['areaM2', 'perimeterM', 'meanProbability', 'compactness', 'neighbourCount'] as const) {
    checkRange(name, plain[name]);
  }
  checkAdjacency(requested);
  const bounding = bounded || isBounding(requested);
  if (disjoint && !bounding) {
    throw new InvalidFilterError(
      'disjoint alone matches nearly everything that is stored; add sceneId, segmentationId, bbox, near, intersects or within beside it',
    );
  }
  const nested = (filter: RequestedFilter): FeatureFilter => checkLevel(filter, limits, level + 1, bounding);
  return {
    ...plain,
    ...checkGeometries({ intersects, within, contains, touches, overlaps, crosses, disjoint }, maxVertices),
    ...(bbox ? { bbox: checkBbox(bbox) } : {}),
    ...(near
      ? { near: { geometry: parseGeometry(near.geometry, maxVertices), withinM: checkNear(near.withinM) } }
      : {}),
    ...(adjacentTo ? { adjacentTo: checkLevel(adjacentTo, limits, level + 1, true) } : {}),
    ...(adjacentTo && requested.adjacentWithinM === undefined ? reach : {}),
    ...(and ? { and: and.map((one) => checkLevel(one, limits, level + 1, bounding || and.some(isBounding))) } : {}),
    ...(or ? { or: or.map(nested) } : {}),
    ...(not ? { not: nested(not) } : {}),
  };
}

function checkGeometries(
  requested: Record<SpatialPredicate, object | undefined>,
  maxVertices: number,
): Pick<FeatureFilter, SpatialPredicate> {
  return Object.fromEntries(
    SPATIAL_PREDICATES.flatMap((predicate) => {
      const value = requested[predicate];
      return value ? [[predicate, parseGeometry(value, maxVertices)] as const] : [];
    }),
  );
}

function checkBbox(bbox: readonly number[]): Bbox {
  const [west, south, east, north] = bbox;
  const complete = west !== undefined && south !== undefined && east !== undefined && north !== undefined;
  const inRange = (value: number | undefined, limit: number): boolean =>
    value !== undefined && Math.abs(value) <= limit;
  if (
    !complete ||
    bbox.length !== 4 ||
    ![west, east].every((x) => inRange(x, 180)) ||
    ![south, north].every((y) => inRange(y, 90))
  ) {
    throw new InvalidFilterError(
      `bbox [${bbox.join(', ')}] must be [west, south, east, north] within -180 to 180 and -90 to 90`,
    );
  }
  if (south > north) throw new InvalidFilterError(`bbox has south ${south} above north ${north}`);
  return [west, south, east, north];
}

function checkRange(name: string, range: FloatRange | undefined): void {
  if (!range) return;
  const { min, max } = range;
  for (const value of [min, max]) {
    if (value !== undefined && !Number.isFinite(value))
      throw new InvalidFilterError(`${name} has the bound ${value}; it must be finite`);
  }
  if (min !== undefined && max !== undefined && min > max)
    throw new InvalidFilterError(`${name} has min ${min} above max ${max}`);
}

function checkNear(withinM: number): number {
  if (withinM >= 0 && withinM <= MAX_NEAR_M) return withinM;
  throw new InvalidFilterError(`near.withinM is ${withinM}; it must be 0 to ${MAX_NEAR_M} metres`);
}

function checkAdjacency({ adjacentTo, adjacentWithinM }: RequestedFilter): void {
  if (adjacentWithinM === undefined) return;
  if (!adjacentTo)
    throw new InvalidFilterError('adjacentWithinM needs adjacentTo beside it; {} stands for any neighbour');
  checkGap('adjacentWithinM', adjacentWithinM);
}

/**
 * The `near` condition that distances are measured to: the filter's own, else the first among its `and`.
 * @returns null when there is none that every match must meet
 */
export function nearOf({ near, and = [] }: FeatureFilter): FeatureFilter['near'] | null {
  if (near) return near;
  for (const filter of and) {
    const found = nearOf(filter);
    if (found) return found;
  }
  return null;
}

/** @throws {InvalidFilterError} for a largest gap that joins too much, or is none */
export function checkGap(name: string, metres: number | undefined): void {
  if (metres === undefined || (metres >= 0 && metres <= MAX_ADJACENT_M)) return;
  throw new InvalidFilterError(`${name} is ${metres}; it must be 0 to ${MAX_ADJACENT_M} metres`);
}

/** The filter without the condition that {@link nearOf} finds. */
export function withoutNear(filter: FeatureFilter): FeatureFilter {
  const { near, ...others } = filter;
  if (near) return others;
  const { and = [] } = filter;
  const place = and.findIndex((one) => nearOf(one) !== null);
  return place < 0 ? filter : { ...filter, and: and.with(place, withoutNear(and[place]!)) };
}

/** @throws {InvalidFilterError} for an order by distance without a `near` condition */
export function checkOrder(order: FeatureOrder, filter: FeatureFilter): void {
  if (order.by === 'DISTANCE' && !nearOf(filter)) {
    throw new InvalidFilterError('orderBy DISTANCE needs a near condition in the filter, outside or and not');
  }
}
