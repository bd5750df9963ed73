import { z } from 'zod';
import { AppError } from '../errors.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { repairable } from '../geojson-crossings.ts';
import type { Bbox } from './feature.ts';
import {
  type FeatureFilter,
  type FeatureOrder,
  type FloatRange,
  isBounding,
  SPATIAL_PREDICATES,
  type SpatialPredicate,
  splitRanges,
} from './feature.filter.ts';
import { type Measure, RANGE_NAMES, RANGES } from './measures.ts';
import { type Connective, eachFilter, mapFilters, mapNested, type NestedFilters } from './filter-walk.ts';

/** A filter as a client sends it: geometry, boxes and nesting are unchecked. */
export interface RequestedFilter
  extends
    Omit<FeatureFilter, SpatialPredicate | 'bbox' | 'near' | 'adjacentReachM' | keyof NestedFilters<unknown>>,
    Partial<Record<SpatialPredicate, object>>,
    NestedFilters<RequestedFilter> {
  readonly bbox?: readonly number[];
  readonly near?: { readonly geometry: object; readonly withinM: number };
}

/** Levels of and, or, not and adjacentTo below the filter itself. */
const MAX_FILTER_NESTING = 5;
/** Filters in one, itself counted: each is a part of the statement that has to be planned. */
const MAX_FILTERS = 100;
/** Larger gaps join too much of the table with itself. */
export const MAX_ADJACENT_M = 10_000;
/** Half the circumference of the Earth: no two positions are farther apart. */
const MAX_NEAR_M = 20_037_508;

/** A condition of a filter is not allowed; the message names it, its value and what is allowed. */
export class InvalidFilterError extends AppError {
  readonly code = 'INVALID_FILTER';
}

interface CheckLimits {
  /** Of each geometry. */
  readonly maxVertices: number;
  /** Put beside each `adjacentTo` that names no gap. */
  readonly reach: Pick<FeatureFilter, 'adjacentReachM'>;
}

/**
 * Checks a filter.
 * @param maxVertices of each geometry
 * @param reachM largest gap to neighbours in other scenes, metres; undefined: `adjacentTo` has stored neighbours alone
 * @throws {InvalidFilterError} {@link InvalidGeometryError} {@link TooManyVerticesError}
 */
export function checkFilter(requested: RequestedFilter, maxVertices: number, reachM?: number): FeatureFilter {
  checkNesting(requested);
  return checkLevel(requested, { maxVertices, reach: reachM === undefined ? {} : { adjacentReachM: reachM } }, false);
}

function checkNesting(requested: RequestedFilter): void {
  let filters = 0;
  for (const { level } of eachFilter(requested)) {
    filters++;
    if (level > MAX_FILTER_NESTING) {
      throw new InvalidFilterError(
        `The filter nests deeper than ${MAX_FILTER_NESTING} levels of and, or, not and adjacentTo.`,
      );
    }
  }
  if (filters > MAX_FILTERS) {
    throw new InvalidFilterError(
      `The filter has ${filters} filters in and, or, not and adjacentTo; the limit is ${MAX_FILTERS}.`,
      { details: { argument: 'filter', value: filters, limit: MAX_FILTERS } },
    );
  }
}

/** @param bounded whether a condition around this level keeps `disjoint` from meaning the whole table */
function checkLevel(requested: RequestedFilter, limits: CheckLimits, bounded: boolean): FeatureFilter {
  const [ranges, own] = splitRanges(requested);
  for (const name of RANGE_NAMES) checkRange(name, ranges[name], RANGES[name]);
  const { bbox, near, neighbourCount, adjacentTo, adjacentWithinM, and, or: _or, not: _not, ...others } = own;
  const { intersects, within, contains, touches, overlaps, crosses, disjoint, ...owned } = others;
  const { ids, sceneId, sceneIds, segmentationId, prompt, promptContains, modelId, acquired, ...told } = owned;
  const { created, updated, review, label, attributes, georeferenced, distinct, ...unhandled } = told;
  unhandled satisfies Record<string, never>;
  checkList('ids', ids);
  checkList('sceneIds', sceneIds);
  checkRange('neighbourCount', neighbourCount, [0, Infinity]);
  checkAdjacency(adjacentTo, adjacentWithinM);
  const bounding = bounded || isBounding(requested);
  if (disjoint && !bounding) throw new InvalidFilterError(UNBOUNDED_DISJOINT);
  const andBounds = and?.some(isBounding) ?? false;
  const isBounded: Record<Connective, boolean> = {
    and: bounding || andBounds,
    or: bounding,
    not: bounding,
    adjacentTo: true,
  };
  return {
    ...ranges,
    ...present({ ids, sceneId, sceneIds, segmentationId, prompt, promptContains, modelId, acquired }),
    ...present({
      created,
      updated,
      review,
      label,
      attributes,
      georeferenced,
      distinct,
      neighbourCount,
      adjacentWithinM,
    }),
    ...checkGeometries({ intersects, within, contains, touches, overlaps, crosses, disjoint }, limits.maxVertices),
    ...(bbox ? { bbox: checkBbox(bbox) } : {}),
    ...(near ? { near: checkNear(near, limits.maxVertices) } : {}),
    ...mapNested(requested, (one, by) => checkLevel(one, limits, isBounded[by])),
    ...(adjacentTo && adjacentWithinM === undefined ? limits.reach : {}),
  };
}

/** Identifiers in one condition. */
const MAX_IDS = 1000;

function checkList(name: string, ids: readonly string[] | undefined): void {
  if (ids && ids.length > MAX_IDS)
    throw new InvalidFilterError(`${name} has ${ids.length} identifiers; the limit is ${MAX_IDS}.`, {
      details: { argument: name, value: ids.length, limit: MAX_IDS },
    });
}

const UNBOUNDED_DISJOINT =
  'disjoint alone matches nearly every stored feature; add sceneId, segmentationId, bbox, near, intersects or within.';

function checkGeometries(
  requested: Record<SpatialPredicate, object | undefined>,
  maxVertices: number,
): Pick<FeatureFilter, SpatialPredicate> {
  return Object.fromEntries(
    SPATIAL_PREDICATES.flatMap((predicate) => {
      const value = requested[predicate];
      return value ? [[predicate, repairable(parseGeometry(value, maxVertices))] as const] : [];
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
      `bbox [${bbox.join(', ')}] must be [west, south, east, north] within -180 to 180 and -90 to 90.`,
    );
  }
  if (south > north) throw new InvalidFilterError(`bbox has south ${south} above north ${north}.`);
  return [west, south, east, north];
}

function checkRange(name: string, range: FloatRange | undefined, [least, most]: Measure['range']): void {
  if (!range) return;
  const { min, max } = range;
  for (const value of [min, max]) {
    if (value !== undefined && !Number.isFinite(value))
      throw new InvalidFilterError(`${name} has the bound ${value}; it must be finite.`, {
        details: { argument: name, value: String(value) },
      });
    if (value !== undefined && (value < least || value > most))
      throw new InvalidFilterError(
        `${name} has the bound ${value}; it must be ${most === Infinity ? `${least} or more` : `${least} to ${most}`}.`,
        { details: { argument: name, value, limit: value < least ? least : most } },
      );
  }
  if (min !== undefined && max !== undefined && min > max)
    throw new InvalidFilterError(`${name} has min ${min} above max ${max}.`, {
      details: { argument: name, value: min, limit: max },
    });
}

function checkNear(
  { geometry, withinM }: NonNullable<RequestedFilter['near']>,
  maxVertices: number,
): NonNullable<FeatureFilter['near']> {
  if (withinM >= 0 && withinM <= MAX_NEAR_M)
    return { geometry: repairable(parseGeometry(geometry, maxVertices)), withinM };
  throw new InvalidFilterError(`near.withinM is ${withinM}; it must be 0 to ${MAX_NEAR_M} metres.`, {
    details: { argument: 'near.withinM', value: withinM, limit: MAX_NEAR_M },
  });
}

function checkAdjacency(adjacentTo: RequestedFilter | undefined, adjacentWithinM: number | undefined): void {
  if (adjacentWithinM === undefined) return;
  if (!adjacentTo) throw new InvalidFilterError('adjacentWithinM requires adjacentTo; {} stands for any neighbour.');
  checkGap('adjacentWithinM', adjacentWithinM);
}

/**
 * The `near` condition that distances are measured to: the filter's own, else the first among its `and`.
 * @returns null without a condition that every match must meet
 */
export function nearOf(filter: FeatureFilter): FeatureFilter['near'] | null {
  for (const { filter: one } of eachFilter(filter, ['and'])) if (one.near) return one.near;
  return null;
}

/** @throws {InvalidFilterError} for a gap that is negative or joins too much of the table */
export function checkGap(name: string, metres: number | undefined): void {
  if (metres === undefined || (metres >= 0 && metres <= MAX_ADJACENT_M)) return;
  throw new InvalidFilterError(`${name} is ${metres}; it must be 0 to ${MAX_ADJACENT_M} metres.`, {
    details: { argument: name, value: metres, limit: MAX_ADJACENT_M },
  });
}

/** The filter without the condition that {@link nearOf} finds. */
export function withoutNear(filter: FeatureFilter): FeatureFilter {
  const first = nearOf(filter);
  if (!first) return filter;
  let found = false;
  return mapFilters(
    filter,
    ({ near, ...others }) => {
      if (found || near !== first) return near ? { near, ...others } : others;
      found = true;
      return others;
    },
    ['and'],
  );
}

/** @throws {InvalidFilterError} for an order by distance without a `near` condition */
export function checkOrder(order: FeatureOrder, filter: FeatureFilter): void {
  if (order.by === 'DISTANCE' && !nearOf(filter)) {
    throw new InvalidFilterError('orderBy DISTANCE needs a near condition in the filter, outside or and not.');
  }
}

const StoredInstants = z.object({ from: z.coerce.date().optional(), to: z.coerce.date().optional() });

/** A filter that was stored as JSON, which has no instants. */
export function storedFilter(filter: RequestedFilter): RequestedFilter {
  return mapFilters(filter, ({ acquired, created, updated, ...others }) => ({
    ...others,
    ...(acquired ? { acquired: present(StoredInstants.parse(acquired)) } : {}),
    ...(created ? { created: present(StoredInstants.parse(created)) } : {}),
    ...(updated ? { updated: present(StoredInstants.parse(updated)) } : {}),
  }));
}

function present<Values extends object>(values: Values): { [Name in keyof Values]?: NonNullable<Values[Name]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Values]?: NonNullable<Values[Name]>;
  };
}
