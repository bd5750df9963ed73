import { Prisma } from '../database.ts';

/**
 * Text of a JSON object.
 * @param fields at least one, each under its `key`
 * @param value of a field, JSON text
 */
export function objectTextSql<Field extends { readonly key: string }>(
  fields: readonly Field[],
  value: (field: Field) => Prisma.Sql,
): Prisma.Sql {
  const parts = fields.flatMap((field, index) => [
    Prisma.sql`${`${index === 0 ? '{' : ','}"${field.key}":`}::text`,
    value(field),
  ]);
  return Prisma.sql`${Prisma.join(parts, ' || ')} || '}'`;
}

/** PostgreSQL prints the shortest digits that parse to the same number, as JavaScript does. */
export function numberTextSql(number: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`COALESCE((${number})::text, 'null')`;
}
