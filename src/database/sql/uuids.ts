import { Prisma } from '../database.ts';
import { isIdentifier } from './identifier.ts';

/** Identifiers as one array parameter; malformed ones are left out, since they cannot match. */
export function uuidsSql(ids: readonly string[]): Prisma.Sql {
  return Prisma.sql`${`{${ids.filter(isIdentifier).join(',')}}`}::text::uuid[]`;
}
