import { Prisma } from './database.ts';
import { isIdentifier } from './identifier.ts';

/** Identifiers as one array parameter; what cannot be an identifier is left out, as nothing is stored under it. */
export function uuidsSql(ids: readonly string[]): Prisma.Sql {
  return Prisma.sql`${`{${ids.filter(isIdentifier).join(',')}}`}::text::uuid[]`;
}
