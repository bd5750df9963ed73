import type { Geometry } from 'geojson';

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof COMPARISONS)[number];
export const ARITHMETIC = ['+', '-', '*', '/', '%', 'div', '^'] as const;
export type Arithmetic = (typeof ARITHMETIC)[number];

/** CASE: upper and lower case are the same. ACCENTS: letters with and without accents are. */
export type Folding = 'CASE' | 'ACCENTS';

/** A value of a row: an attribute, a constant, or what is computed of them; unknown where an attribute is missing. */
export type Scalar =
  | { readonly attribute: string }
  | { readonly value: string | number | Date }
  | { readonly sign: Arithmetic; readonly operands: readonly [Scalar, Scalar] }
  | { readonly folding: Folding; readonly of: Scalar };

/** A condition on attributes alone; not met where it is unknown. */
export type AttributeCondition =
  | { readonly compare: Comparison; readonly left: Scalar; readonly right: Scalar }
  /** `%` stands for any text, `_` for any character, `\` before either for itself. */
  | { readonly like: Scalar; readonly pattern: string; readonly negated: boolean }
  | { readonly among: Scalar; readonly values: readonly (string | number | Date)[]; readonly negated: boolean }
  | { readonly missing: Scalar; readonly negated: boolean };

export type PlacePredicate =
  | 'intersects'
  | 'equals'
  | 'disjoint'
  | 'touches'
  | 'within'
  | 'overlaps'
  | 'crosses'
  | 'contains';

/** West, south, east and north in WGS 84; west > east crosses the antimeridian. */
export type Box = readonly [number, number, number, number];

/** Between the geometry of a row and another, in WGS 84; not met by rows without geometry, negated or not. */
export interface PlaceCondition {
  readonly predicate: PlacePredicate;
  readonly geometry: Geometry | Box;
  readonly negated: boolean;
}

/**
 * A filter with its names looked up and its negations moved to the conditions at its ends, so that what is unknown is met
 * by no row. An empty `all` is always met, an empty `any` never.
 */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | AttributeCondition
  | PlaceCondition
  /** Whether the row has a geometry. */
  | { readonly hasGeometry: boolean };

export const ALWAYS: Condition = { all: [] };
export const NEVER: Condition = { any: [] };
