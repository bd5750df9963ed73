import type { Geometry } from 'geojson';
import type { AttributeCondition, Box, Comparison, Condition, PlaceCondition } from '../cql2/condition.ts';
import { isIdentifier } from '../database/sql/identifier.ts';
import { boxGeometry } from '../geojson-box.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FloatRange } from '../feature/feature.filter.ts';
import { type RangeName, RANGE_NAMES } from '../feature/measures.ts';

/**
 * The filter of a condition: by the members that have an index, if any, otherwise by `attributes`. It
 * is not checked.
 */
export function conditionFilter(condition: Condition): RequestedFilter {
  if ('all' in condition) return merged(condition.all.map(conditionFilter));
  if ('any' in condition) return { or: condition.any.map(conditionFilter) };
  if ('hasGeometry' in condition) return { georeferenced: condition.hasGeometry };
  if ('predicate' in condition) return placeFilter(condition);
  return indexedFilter(condition) ?? { attributes: [condition] };
}

/** All filters in one where no two have the same member, which the database plans best. */
function merged(filters: readonly RequestedFilter[]): RequestedFilter {
  const apart: RequestedFilter[] = [];
  let together: RequestedFilter = {};
  for (const filter of filters) {
    const attributes = [...(together.attributes ?? []), ...(filter.attributes ?? [])];
    const clashes = Object.keys(filter).some((name) => name !== 'attributes' && name in together);
    if (clashes) apart.push(filter);
    else together = { ...together, ...filter, ...(attributes.length > 0 ? { attributes } : {}) };
  }
  if (apart.length === 0) return together;
  return together.and ? { and: [together, ...apart] } : { ...together, and: apart };
}

function placeFilter({ predicate, geometry, negated }: PlaceCondition): RequestedFilter {
  const isBox = isBoxed(geometry);
  const other: Geometry = isBox ? boxGeometry(geometry) : geometry;
  if (predicate === 'disjoint') return placeFilter({ predicate: 'intersects', geometry, negated: !negated });
  const met: RequestedFilter =
    predicate === 'equals'
      ? { within: other, contains: other }
      : predicate === 'intersects' && isBox
        ? { bbox: geometry }
        : { [predicate]: other };
  return negated ? { georeferenced: true, not: met } : met;
}

const isBoxed = (geometry: Geometry | Box): geometry is Box => Array.isArray(geometry);

type Constant = string | number | Date;

/** @returns null where no member of a filter says it */
function indexedFilter(condition: AttributeCondition): RequestedFilter | null {
  if ('among' in condition) return condition.negated ? null : amongFilter(condition.among, condition.values);
  if (!('compare' in condition)) return null;
  const { compare, left, right } = condition;
  if ('attribute' in left && 'value' in right) return comparedFilter(left.attribute, compare, right.value);
  if ('value' in left && 'attribute' in right) return comparedFilter(right.attribute, MIRRORED[compare], left.value);
  return null;
}

/** The same with the operands in the other order. */
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function amongFilter(of: object, values: readonly Constant[]): RequestedFilter | null {
  const ids = values.filter((value): value is string => typeof value === 'string' && isStoredIdentifier(value));
  if (!('attribute' in of) || ids.length < values.length) return null;
  if (of.attribute === 'id') return { ids };
  return of.attribute === 'sceneId' ? { sceneIds: ids } : null;
}

/** Identifiers are stored in lower case, and CQL2 compares texts to the letter. */
const isStoredIdentifier = (text: string): boolean => isIdentifier(text) && text === text.toLowerCase();

function comparedFilter(name: string, sign: Comparison, value: Constant): RequestedFilter | null {
  if (typeof value === 'number') {
    const range = rangeOf(sign, value);
    if (!range) return null;
    if (name === 'neighbourCount') return { neighbourCount: range };
    return (RANGE_NAMES as readonly string[]).includes(name) ? { [name as RangeName]: range } : null;
  }
  if (value instanceof Date) return timeFilter(name, sign, value);
  if (sign !== '=') return null;
  if (name === 'prompt') return { prompt: value };
  if (name === 'model') return { modelId: value };
  if (!isStoredIdentifier(value)) return null;
  if (name === 'id') return { ids: [value] };
  if (name === 'sceneId') return { sceneId: value };
  return name === 'segmentationId' ? { segmentationId: value } : null;
}

const TIME_CONDITIONS: Readonly<Record<string, 'acquired' | 'created' | 'updated'>> = {
  acquiredAt: 'acquired',
  createdAt: 'created',
  updatedAt: 'updated',
};

function timeFilter(name: string, sign: Comparison, value: Date): RequestedFilter | null {
  if (sign !== '<=' && sign !== '>=') return null;
  const range = sign === '<=' ? { to: value } : { from: value };
  const condition = TIME_CONDITIONS[name];
  return condition === undefined ? null : { [condition]: range };
}

/** Both ends of a range are included, so what is less than a number is at most the double before it. */
function rangeOf(sign: Comparison, value: number): FloatRange | null {
  if (sign === '=') return { min: value, max: value };
  if (sign === '<=') return { max: value };
  if (sign === '>=') return { min: value };
  if (sign === '<') return finite({ max: -doubleAfter(-value) });
  return sign === '>' ? finite({ min: doubleAfter(value) }) : null;
}

const finite = (range: FloatRange): FloatRange | null => (Object.values(range).every(Number.isFinite) ? range : null);

/** The next larger IEEE 754 double. */
function doubleAfter(value: number): number {
  const number = new Float64Array([value === 0 ? 0 : value]);
  const bits = new BigInt64Array(number.buffer);
  bits[0] = bits[0]! + (value < 0 ? -1n : 1n);
  return number[0]!;
}
