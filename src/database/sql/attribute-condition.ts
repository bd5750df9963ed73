import type { Arithmetic, AttributeCondition, Comparison, Scalar } from '../../cql2/condition.ts';
import { ACCENTS, CASE_FOLDING, SHARP_S } from '../../cql2/text-folding.ts';
import { Prisma } from '../database.ts';

/** The expression of an attribute. */
export type AttributeSql = (name: string) => Prisma.Sql;

/** A condition on attributes; unknown where an attribute that it needs is missing. Constants are parameters. */
export function attributeConditionSql(condition: AttributeCondition, attribute: AttributeSql): Prisma.Sql {
  if ('compare' in condition) {
    const [left, right] = [condition.left, condition.right].map((side) => scalarSql(side, attribute));
    return Prisma.sql`(${left} ${SIGNS[condition.compare]} ${right})`;
  }
  if ('like' in condition) {
    const negated = condition.negated ? Prisma.sql`NOT` : Prisma.empty;
    return Prisma.sql`(${scalarSql(condition.like, attribute)} ${negated} LIKE ${condition.pattern}::text)`;
  }
  if ('among' in condition) {
    const values = condition.values.map((value) => scalarSql({ value }, attribute));
    const list = Prisma.join(values.length === 0 ? [Prisma.sql`NULL`] : values);
    const negated = condition.negated ? Prisma.sql`NOT` : Prisma.empty;
    return Prisma.sql`(${scalarSql(condition.among, attribute)} ${negated} IN (${list}))`;
  }
  const isNull = condition.negated ? Prisma.sql`IS NOT NULL` : Prisma.sql`IS NULL`;
  return Prisma.sql`(${scalarSql(condition.missing, attribute)} ${isNull})`;
}

const SIGNS: Readonly<Record<Comparison, Prisma.Sql>> = {
  '=': Prisma.sql`=`,
  '<>': Prisma.sql`<>`,
  '<': Prisma.sql`<`,
  '<=': Prisma.sql`<=`,
  '>': Prisma.sql`>`,
  '>=': Prisma.sql`>=`,
};

function scalarSql(scalar: Scalar, attribute: AttributeSql): Prisma.Sql {
  if ('attribute' in scalar) return attribute(scalar.attribute);
  if ('value' in scalar) return constantSql(scalar.value);
  if ('folding' in scalar) {
    const text = scalarSql(scalar.of, attribute);
    return scalar.folding === 'CASE' ? caseFoldedSql(text) : withoutAccentsSql(text);
  }
  const [left, right] = scalar.operands.map((operand) => scalarSql(operand, attribute)) as [Prisma.Sql, Prisma.Sql];
  return ARITHMETIC[scalar.sign](left, right);
}

/** What is divided by nothing is unknown. */
const ARITHMETIC: Readonly<Record<Arithmetic, (left: Prisma.Sql, right: Prisma.Sql) => Prisma.Sql>> = {
  '+': (left, right) => Prisma.sql`(${left} + ${right})`,
  '-': (left, right) => Prisma.sql`(${left} - ${right})`,
  '*': (left, right) => Prisma.sql`(${left} * ${right})`,
  '/': (left, right) => Prisma.sql`(${left} / NULLIF(${right}, 0))`,
  '%': (left, right) => Prisma.sql`(${left} - ${right} * trunc(${left} / NULLIF(${right}, 0)))`,
  '^': (left, right) => Prisma.sql`power(${left}, ${right})`,
  div: (left, right) => Prisma.sql`trunc(${left} / NULLIF(${right}, 0))`,
};

function constantSql(value: string | number | Date): Prisma.Sql {
  if (typeof value === 'string') return Prisma.sql`${value}::text`;
  return typeof value === 'number' ? Prisma.sql`${value}::float8` : Prisma.sql`${value}::timestamptz`;
}

/** By a table of our own: what `lower` does depends on the locale of the database, and the embedded engine knows ASCII. */
function caseFoldedSql(text: Prisma.Sql): Prisma.Sql {
  const folded = Prisma.sql`translate(${text}, ${CASE_FOLDING.from}::text, ${CASE_FOLDING.to}::text)`;
  return Prisma.sql`replace(${folded}, ${SHARP_S.from}::text, ${SHARP_S.to}::text)`;
}

function withoutAccentsSql(text: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`regexp_replace(normalize(${text}, NFD), ${`[${ACCENTS.first}-${ACCENTS.last}]`}::text, '', 'g')`;
}
