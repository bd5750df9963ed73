import {
  type Cql2,
  type Cql2Filter,
  InvalidCql2Error,
  isBbox,
  isDate,
  isGeometry,
  isInterval,
  isList,
  isOperation,
  isProperty,
  isTimestamp,
} from './expression.ts';

/** What an operand may be. A property or function may be of any kind, which its reader knows. */
export type OperandKind = 'BOOLEAN' | 'NUMBER' | 'TEXT' | 'SCALAR' | 'GEOMETRY' | 'TIME' | 'ARRAY' | 'ANY';

export interface Operator {
  readonly operands: readonly OperandKind[];
  /** Whether the last operand may be given more often. */
  readonly repeats?: true;
  readonly gives: OperandKind;
}

const SPATIAL: Operator = { operands: ['GEOMETRY', 'GEOMETRY'], gives: 'BOOLEAN' };
const TEMPORAL: Operator = { operands: ['TIME', 'TIME'], gives: 'BOOLEAN' };
const OF_ARRAYS: Operator = { operands: ['ARRAY', 'ARRAY'], gives: 'BOOLEAN' };
const COMPARISON: Operator = { operands: ['SCALAR', 'SCALAR'], gives: 'BOOLEAN' };
const ARITHMETIC: Operator = { operands: ['NUMBER', 'NUMBER'], gives: 'NUMBER' };
const FOLDING: Operator = { operands: ['TEXT'], gives: 'TEXT' };

const SPATIAL_NAMES = ['intersects', 'equals', 'disjoint', 'touches', 'within', 'overlaps', 'crosses', 'contains'];
const TEMPORAL_NAMES = [
  'after',
  'before',
  'contains',
  'disjoint',
  'during',
  'equals',
  'finishedBy',
  'finishes',
  'intersects',
  'meets',
  'metBy',
  'overlappedBy',
  'overlaps',
  'startedBy',
  'starts',
];
const ARRAY_NAMES = ['equals', 'contains', 'containedBy', 'overlaps'];

const prefixed = (prefix: string, names: readonly string[], operator: Operator): [string, Operator][] =>
  names.map((name) => [`${prefix}_${name}`, operator]);

/** Every operator of CQL2 by its name in JSON. @see OGC 21-065r2, clauses 6 to 8 */
const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['and', { operands: ['BOOLEAN', 'BOOLEAN'], repeats: true, gives: 'BOOLEAN' }],
  ['or', { operands: ['BOOLEAN', 'BOOLEAN'], repeats: true, gives: 'BOOLEAN' }],
  ['not', { operands: ['BOOLEAN'], gives: 'BOOLEAN' }],
  ...['=', '<>', '<', '<=', '>', '>='].map((name): [string, Operator] => [name, COMPARISON]),
  ['like', { operands: ['TEXT', 'TEXT'], gives: 'BOOLEAN' }],
  ['between', { operands: ['SCALAR', 'SCALAR', 'SCALAR'], gives: 'BOOLEAN' }],
  ['in', { operands: ['SCALAR', 'ARRAY'], gives: 'BOOLEAN' }],
  ['isNull', { operands: ['ANY'], gives: 'BOOLEAN' }],
  ['casei', FOLDING],
  ['accenti', FOLDING],
  ...['+', '-', '*', '/', '%', 'div', '^'].map((name): [string, Operator] => [name, ARITHMETIC]),
  ...prefixed('s', SPATIAL_NAMES, SPATIAL),
  ...prefixed('t', TEMPORAL_NAMES, TEMPORAL),
  ...prefixed('a', ARRAY_NAMES, OF_ARRAYS),
]);

const BY_LOWER_CASE = new Map([...OPERATORS.keys()].map((name) => [name.toLowerCase(), name]));
/** The operator that the text encoding writes as a function, in any case; null for other names. */
export function predicateNamed(name: string): string | null {
  const known = BY_LOWER_CASE.get(name.toLowerCase());
  return known !== undefined && (/^[sta]_/.test(known) || known === 'casei' || known === 'accenti') ? known : null;
}

function kindOf(value: Cql2): OperandKind {
  if (typeof value === 'string') return 'TEXT';
  if (typeof value === 'number') return 'NUMBER';
  if (typeof value === 'boolean') return 'BOOLEAN';
  if (isList(value)) return 'ARRAY';
  if (isOperation(value)) return OPERATORS.get(value.op)?.gives ?? 'ANY';
  if (isProperty(value)) return 'ANY';
  if (isDate(value) || isTimestamp(value) || isInterval(value)) return 'TIME';
  return 'GEOMETRY';
}

function fits(value: Cql2, wanted: OperandKind): boolean {
  const kind = kindOf(value);
  if (kind === wanted || kind === 'ANY' || wanted === 'ANY') return true;
  if (wanted === 'SCALAR') return kind === 'TEXT' || kind === 'NUMBER' || kind === 'BOOLEAN' || isInstant(value);
  return false;
}

const isInstant = (value: Cql2): boolean => isDate(value) || isTimestamp(value);

const NAMES: Readonly<Record<OperandKind, string>> = {
  BOOLEAN: 'true or false',
  NUMBER: 'a number',
  TEXT: 'a text',
  SCALAR: 'a text, number, boolean, date or timestamp',
  GEOMETRY: 'a geometry',
  TIME: 'an instant or interval',
  ARRAY: 'a list',
  ANY: 'any value',
};

/**
 * Checks that the filter is true or false of a feature and that every operator has the operands that it takes.
 * @throws {InvalidCql2Error}
 */
export function checkOperands({ expression, placeOf }: Cql2Filter): void {
  const check = (value: Cql2, wanted: OperandKind, outer: string, owner: string): void => {
    const place = placeOf(value) ?? outer;
    if (!fits(value, wanted)) {
      throw new InvalidCql2Error(`${owner} must be ${NAMES[wanted]}, not ${shown(value)}`, place);
    }
    if (isList(value)) for (const member of value) check(member, 'ANY', place, 'a member of a list');
    if (!isOperation(value)) return;
    const operator = OPERATORS.get(value.op);
    if (operator) checkCount(value.op, value.args.length, operator, place);
    for (const [index, argument] of value.args.entries()) {
      const { operands } = operator ?? { operands: ['ANY' as const] };
      check(argument, operands[Math.min(index, operands.length - 1)]!, place, `operand ${index + 1} of ${value.op}`);
    }
  };
  check(expression, 'BOOLEAN', 'its beginning', 'the filter');
}

function checkCount(op: string, count: number, { operands, repeats }: Operator, place: string): void {
  if (count === operands.length || (repeats && count > operands.length)) return;
  const wanted = `${operands.length}${repeats ? ' or more' : ''}`;
  throw new InvalidCql2Error(`${op} has ${count} operands instead of ${wanted}`, place);
}

/** A part as an error names it. */
export function shown(value: Cql2): string {
  if (isOperation(value)) return value.op;
  if (isProperty(value)) return value.property;
  if (isBbox(value)) return 'a bounding box';
  if (isGeometry(value)) return `a ${value.type}`;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
