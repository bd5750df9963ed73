import type { Geometry } from 'geojson';
import { AppError } from '../errors.ts';

/** A filter in CQL2 is not understood or cannot be answered; the message names the part and where it stands. */
export class InvalidCql2Error extends AppError {
  readonly code = 'INVALID_CQL2';
  constructor(reason: string, place: string) {
    super(`filter: ${reason} at ${place}`);
  }
}

/** An operator, predicate or function with its operands. */
export interface Operation {
  readonly op: string;
  readonly args: readonly Cql2[];
}
export interface PropertyReference {
  readonly property: string;
}
/** RFC 3339 full-date. */
export interface DateLiteral {
  readonly date: string;
}
/** RFC 3339 date-time in UTC. */
export interface TimestampLiteral {
  readonly timestamp: string;
}
/** Both ends included; `..` is open. */
export interface IntervalLiteral {
  readonly interval: readonly [Cql2, Cql2];
}
/** Four or six numbers, in the order of the axes of the system of coordinates. */
export interface BboxLiteral {
  readonly bbox: readonly number[];
}

/**
 * An expression as the JSON encoding of CQL2 writes it; the text encoding is read into the same values.
 * @see https://docs.ogc.org/is/21-065r2/21-065r2.html
 */
export type Cql2 =
  | string
  | number
  | boolean
  | readonly Cql2[]
  | Operation
  | PropertyReference
  | DateLiteral
  | TimestampLiteral
  | IntervalLiteral
  | BboxLiteral
  | Geometry;

/** A filter that was read. */
export interface Cql2Filter {
  /** An expression that is true, false or unknown for a feature. */
  readonly expression: Cql2;
  /** Where a part stands: `character 12` of a text, `args[0]` of JSON. Values without a place of their own have the outer's. */
  readonly placeOf: (part: Cql2) => string | undefined;
}

/** Longest filter, characters. */
export const MAX_LENGTH = 20_000;
/** Deepest nesting of parentheses, operands and collections. */
export const MAX_NESTING = 40;

const isObject = (value: Cql2): value is Exclude<Cql2, string | number | boolean | readonly Cql2[]> =>
  typeof value === 'object' && !Array.isArray(value);

export const isOperation = (value: Cql2): value is Operation => isObject(value) && 'op' in value;
export const isProperty = (value: Cql2): value is PropertyReference => isObject(value) && 'property' in value;
export const isDate = (value: Cql2): value is DateLiteral => isObject(value) && 'date' in value;
export const isTimestamp = (value: Cql2): value is TimestampLiteral => isObject(value) && 'timestamp' in value;
export const isInterval = (value: Cql2): value is IntervalLiteral => isObject(value) && 'interval' in value;
export const isBbox = (value: Cql2): value is BboxLiteral =>
  isObject(value) && 'bbox' in value && !('type' in value) && !('op' in value);
export const isGeometry = (value: Cql2): value is Geometry => isObject(value) && 'type' in value;
export const isList = (value: Cql2): value is readonly Cql2[] => Array.isArray(value);
