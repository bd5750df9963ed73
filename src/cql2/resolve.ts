import type { Geometry } from 'geojson';
import {
  ALWAYS,
  ARITHMETIC,
  type Arithmetic,
  type Box,
  COMPARISONS,
  type Comparison,
  type Condition,
  NEVER,
  type PlacePredicate,
  type Scalar,
} from './condition.ts';
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
  type Operation,
} from './expression.ts';
import { shown } from './operators.ts';
import { compareTimes, isTemporal, relateTimes, type Span } from './temporal.ts';
import { foldText } from './text-folding.ts';

export type QueryableKind = 'TEXT' | 'NUMBER' | 'TIME' | 'GEOMETRY';

/** What a filter may name, and how its values are understood. */
export interface Vocabulary {
  /** Kinds of properties by name. */
  readonly queryables: ReadonlyMap<string, QueryableKind>;
  /** Checks a geometry and brings it to WGS 84. @throws what a client should know */
  readonly toWgs84: (geometry: Geometry | readonly number[]) => Geometry | Box;
  /** @returns null for text that is no instant */
  readonly parseInstant: (text: string) => Date | null;
}

/**
 * Looks up the names of a filter and turns it into conditions.
 * @throws {InvalidCql2Error} naming the part that is unknown, or of the wrong kind, or that no condition expresses
 */
export function resolveCql2(filter: Cql2Filter, vocabulary: Vocabulary): Condition {
  return new Resolver(filter, vocabulary).condition(filter.expression, false, 'its beginning');
}

const INVERSE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** The same between operands in the other order. */
const SWAPPED: Readonly<Record<PlacePredicate, PlacePredicate>> = {
  intersects: 'intersects',
  equals: 'equals',
  disjoint: 'disjoint',
  touches: 'touches',
  overlaps: 'overlaps',
  crosses: 'crosses',
  within: 'contains',
  contains: 'within',
};

type Kind = Exclude<QueryableKind, 'GEOMETRY'>;
type Typed = { readonly scalar: Scalar; readonly kind: Kind };

class Resolver {
  constructor(
    private readonly filter: Cql2Filter,
    private readonly vocabulary: Vocabulary,
  ) {}

  condition(node: Cql2, negated: boolean, outer: string): Condition {
    const place = this.filter.placeOf(node) ?? outer;
    if (typeof node === 'boolean') return node === negated ? NEVER : ALWAYS;
    if (!isOperation(node)) throw new InvalidCql2Error(`${shown(node)} is not true or false`, place);
    const { op, args } = node;
    if (op === 'and' || op === 'or') {
      const parts = args.map((part) => this.condition(part, negated, place));
      return (op === 'and') === negated ? { any: parts } : { all: parts };
    }
    if (op === 'not') return this.condition(args[0]!, !negated, place);
    if (op === 'between') return this.condition(betweenAsRange(args), negated, place);
    const sign = COMPARISONS.find((one) => one === op);
    if (sign) return this.comparison(negated ? INVERSE[sign] : sign, args, place);
    if (op === 'like') return this.like(args, negated, place);
    if (op === 'in') return this.among(args, negated, place);
    if (op === 'isNull') return this.missing(args[0]!, negated, place);
    if (op.startsWith('s_')) return this.place(node, negated, place);
    if (op === 't_equals' && args.some(isDate)) return this.comparison(negated ? '<>' : '=', args, place);
    if (isTemporal(op)) return relateTimes(op, this.span(args[0]!, place), this.span(args[1]!, place), negated);
    throw new InvalidCql2Error(`${op} is not supported here`, place);
  }

  private comparison(sign: Comparison, [left, right]: readonly Cql2[], place: string): Condition {
    if (this.isTime(left!, place) || this.isTime(right!, place)) {
      return compareTimes(sign, this.span(left!, place), this.span(right!, place));
    }
    const [one, other] = [this.scalar(left!, place), this.scalar(right!, place)];
    if (one.kind !== other.kind) throw new InvalidCql2Error(`a ${word(one)} is compared with a ${word(other)}`, place);
    return { compare: sign, left: one.scalar, right: other.scalar };
  }

  private like([text, pattern]: readonly Cql2[], negated: boolean, place: string): Condition {
    const [of, to] = [this.text(text!, place), this.text(pattern!, place)];
    if (!('value' in to) || typeof to.value !== 'string') {
      throw new InvalidCql2Error('the pattern of LIKE must be a text in quotes', place);
    }
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(to.value)) {
      throw new InvalidCql2Error('the pattern of LIKE ends in a backslash that escapes nothing', place);
    }
    return { like: of, pattern: to.value, negated };
  }

  private among([value, list]: readonly Cql2[], negated: boolean, place: string): Condition {
    if (!isList(list!)) throw new InvalidCql2Error('IN requires a list', place);
    const equal = list.map((member) => ({ op: '=', args: [value!, member] }));
    const parts = equal.map((one) => this.condition(one, negated, place));
    const constants = parts.flatMap((part) =>
      'compare' in part && 'value' in part.right && !('value' in part.left) ? [part.right.value] : [],
    );
    const [first] = parts;
    if (first && 'compare' in first && constants.length === parts.length) {
      return { among: first.left, values: constants, negated };
    }
    return negated ? { all: parts } : { any: parts };
  }

  private missing(node: Cql2, negated: boolean, outer: string): Condition {
    const place = this.filter.placeOf(node) ?? outer;
    if (isProperty(node) && this.kindOf(node.property, place) === 'GEOMETRY') return { hasGeometry: negated };
    if (this.isTime(node, place)) return this.isMissingTime(this.span(node, place), negated);
    return { missing: this.scalar(node, place).scalar, negated };
  }

  private isMissingTime({ from }: Span, negated: boolean): Condition {
    return typeof from === 'number' ? (negated ? ALWAYS : NEVER) : { missing: from, negated };
  }

  private place({ op, args }: Operation, negated: boolean, place: string): Condition {
    const predicate = op.slice(2) as PlacePredicate;
    const isOwn = args.map((one) => isProperty(one) && this.isGeometry(one.property, place));
    const [first, second] = args;
    if (isOwn[0] === isOwn[1]) {
      throw new InvalidCql2Error(`${op} takes the geometry of a feature and another, not two of a kind`, place);
    }
    const geometry = this.geometry(isOwn[0] ? second! : first!, place);
    return { predicate: isOwn[0] ? predicate : SWAPPED[predicate], geometry, negated };
  }

  private isGeometry(name: string, place: string): boolean {
    if (this.kindOf(name, place) === 'GEOMETRY') return true;
    throw new InvalidCql2Error(`property ${name} is not a geometry`, place);
  }

  private geometry(node: Cql2, outer: string): Geometry | Box {
    const place = this.filter.placeOf(node) ?? outer;
    if (isBbox(node)) return this.vocabulary.toWgs84(node.bbox);
    if (isGeometry(node)) return this.vocabulary.toWgs84(node);
    throw new InvalidCql2Error(`${shown(node)} is not supported as a geometry`, place);
  }

  private text(node: Cql2, outer: string): Scalar {
    const { scalar, kind } = this.scalar(node, outer);
    if (kind === 'TEXT') return scalar;
    throw new InvalidCql2Error(`${shown(node)} is not a text`, this.filter.placeOf(node) ?? outer);
  }

  private scalar(node: Cql2, outer: string): Typed {
    const place = this.filter.placeOf(node) ?? outer;
    if (typeof node === 'string') return { scalar: { value: node }, kind: 'TEXT' };
    if (typeof node === 'number') return { scalar: { value: node }, kind: 'NUMBER' };
    if (isProperty(node)) {
      const kind = this.kindOf(node.property, place);
      if (kind !== 'GEOMETRY') return { scalar: { attribute: node.property }, kind };
    }
    if (!isOperation(node)) throw new InvalidCql2Error(`${shown(node)} cannot be compared`, place);
    const { op, args } = node;
    if (op === 'casei' || op === 'accenti') {
      return { scalar: folded(op === 'casei' ? 'CASE' : 'ACCENTS', this.text(args[0]!, place)), kind: 'TEXT' };
    }
    const sign = ARITHMETIC.find((one) => one === op);
    if (!sign) throw new InvalidCql2Error(`${op} is not supported here`, place);
    return { scalar: this.computed(sign, args, place), kind: 'NUMBER' };
  }

  private computed(sign: Arithmetic, args: readonly Cql2[], place: string): Scalar {
    const [left, right] = args.map((one) => {
      const { scalar, kind } = this.scalar(one, place);
      if (kind === 'NUMBER') return scalar;
      throw new InvalidCql2Error(`${shown(one)} is not a number`, this.filter.placeOf(one) ?? place);
    });
    return { sign, operands: [left!, right!] };
  }

  private kindOf(name: string, place: string): QueryableKind {
    const kind = this.vocabulary.queryables.get(name);
    if (kind) return kind;
    const known = [...this.vocabulary.queryables.keys()].join(', ');
    throw new InvalidCql2Error(`property ${JSON.stringify(name)} does not exist (the properties are ${known})`, place);
  }

  private isTime(node: Cql2, outer: string): boolean {
    if (isProperty(node)) return this.kindOf(node.property, this.filter.placeOf(node) ?? outer) === 'TIME';
    return isDate(node) || isTimestamp(node) || isInterval(node);
  }

  /** The time from the beginning of an instant, day or interval to its end. */
  private span(node: Cql2, outer: string): Span {
    const place = this.filter.placeOf(node) ?? outer;
    if (isProperty(node) && this.kindOf(node.property, place) === 'TIME') {
      return { from: { attribute: node.property }, to: { attribute: node.property } };
    }
    if (isDate(node)) return this.instant(node.date, /^\d{4}-\d\d-\d\d$/, place);
    if (isTimestamp(node)) return this.instant(node.timestamp, /T/, place);
    if (typeof node === 'string') return this.instant(node, /^/, place);
    if (!isInterval(node)) throw new InvalidCql2Error(`${shown(node)} is not an instant or interval`, place);
    const [from, to] = node.interval;
    return {
      from: from === '..' ? -Infinity : this.span(from, place).from,
      to: to === '..' ? Infinity : this.span(to, place).to,
    };
  }

  private instant(text: string, form: RegExp, place: string): Span {
    const from = form.test(text) ? this.vocabulary.parseInstant(text) : null;
    if (!from) throw new InvalidCql2Error(`${JSON.stringify(text)} is not an RFC 3339 instant`, place);
    const isDay = !text.includes('T');
    const to = isDay ? new Date(from.getTime() + DAY_MS - 1) : from;
    return { from: { value: from }, to: { value: to } };
  }
}

const DAY_MS = 86_400_000;

const betweenAsRange = ([value, low, high]: readonly Cql2[]): Operation => ({
  op: 'and',
  args: [
    { op: '>=', args: [value!, low!] },
    { op: '<=', args: [value!, high!] },
  ],
});

function folded(folding: 'CASE' | 'ACCENTS', of: Scalar): Scalar {
  return 'value' in of && typeof of.value === 'string' ? { value: foldText(of.value, folding) } : { folding, of };
}

const word = ({ kind }: Typed): string => (kind === 'TEXT' ? 'text' : kind === 'NUMBER' ? 'number' : 'time');
