import { ALWAYS, type Comparison, type Condition, NEVER, type Scalar } from './condition.ts';

/** An end of a time; infinite where it is open. */
type End = Scalar | number;

/** Time from one end to the other, both included; an instant has one end twice. */
export interface Span {
  readonly from: End;
  readonly to: End;
}

type Clause = readonly [end: 'from' | 'to', sign: Comparison, other: 'from' | 'to'];

/**
 * Relations of two times as comparisons of their ends, all of which must hold.
 * @see OGC 21-065r2, clause 7.6, and Allen, Maintaining knowledge about temporal intervals (1983)
 */
const RELATIONS: Readonly<Record<string, readonly Clause[]>> = {
  t_after: [['from', '>', 'to']],
  t_before: [['to', '<', 'from']],
  t_contains: [
    ['from', '<', 'from'],
    ['to', '>', 'to'],
  ],
  t_during: [
    ['from', '>', 'from'],
    ['to', '<', 'to'],
  ],
  t_equals: [
    ['from', '=', 'from'],
    ['to', '=', 'to'],
  ],
  t_finishedBy: [
    ['from', '<', 'from'],
    ['to', '=', 'to'],
  ],
  t_finishes: [
    ['from', '>', 'from'],
    ['to', '=', 'to'],
  ],
  t_intersects: [
    ['from', '<=', 'to'],
    ['to', '>=', 'from'],
  ],
  t_meets: [['to', '=', 'from']],
  t_metBy: [['from', '=', 'to']],
  t_overlappedBy: [
    ['from', '>', 'from'],
    ['from', '<', 'to'],
    ['to', '>', 'to'],
  ],
  t_overlaps: [
    ['from', '<', 'from'],
    ['to', '>', 'from'],
    ['to', '<', 'to'],
  ],
  t_startedBy: [
    ['from', '=', 'from'],
    ['to', '>', 'to'],
  ],
  t_starts: [
    ['from', '=', 'from'],
    ['to', '<', 'to'],
  ],
};

export const isTemporal = (op: string): boolean => op === 't_disjoint' || op in RELATIONS;

/** Whether two times are related as the operator says, or are not. */
export function relateTimes(op: string, left: Span, right: Span, negated: boolean): Condition {
  if (op === 't_disjoint') return relateTimes('t_intersects', left, right, !negated);
  const clauses = RELATIONS[op]!.map(([end, sign, other]) =>
    compareEnds(negated ? INVERSE[sign] : sign, left[end], right[other]),
  );
  return negated ? { any: clauses } : { all: clauses };
}

/** Compares times as a whole: a day is equal to every instant in it, and less than those after it. */
export function compareTimes(sign: Comparison, left: Span, right: Span): Condition {
  if (sign === '=' || sign === '<>') return relateTimes('t_intersects', left, right, sign === '<>');
  return sign === '<' || sign === '>='
    ? compareEnds(sign, left.to, right.from)
    : compareEnds(sign, left.from, right.to);
}

const INVERSE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

function compareEnds(sign: Comparison, left: End, right: End): Condition {
  if (typeof left !== 'number' && typeof right !== 'number') {
    if (!('value' in left && 'value' in right)) return { compare: sign, left, right };
    return holds(sign, Number(left.value), Number(right.value)) ? ALWAYS : NEVER;
  }
  const isMet = holds(sign, typeof left === 'number' ? left : 0, typeof right === 'number' ? right : 0);
  if (!isMet) return NEVER;
  const known = [left, right].filter((end): end is Scalar => typeof end !== 'number' && !('value' in end));
  return { all: known.map((missing) => ({ missing, negated: true })) };
}

function holds(sign: Comparison, left: number, right: number): boolean {
  if (sign === '<>') return left !== right;
  return left === right ? sign.includes('=') : sign.startsWith(left < right ? '<' : '>');
}
