import { Prisma } from './database.ts';
import { containing } from './pattern.ts';

/** Signs of the syntax of web searches: "a phrase", -without, either OR other. */
const WEB_SYNTAX = /"|(^|\s)-\S|\sor\s/i;

/**
 * Whether a text answers a search: its words in any grammatical form and order (English), or, where the search is plain
 * words without the syntax of web searches, a part of the text in any letter case, or one that differs by a typing error.
 * Leans on a GIN index of `to_tsvector('english', column)` and on one of `column gin_trgm_ops`.
 * @see https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES
 * @see https://www.postgresql.org/docs/current/pgtrgm.html
 */
export function answersSearchSql(column: Prisma.Sql, search: string): Prisma.Sql {
  const words = Prisma.sql`to_tsvector('english', ${column}) @@ websearch_to_tsquery('english', ${search}::text)`;
  if (WEB_SYNTAX.test(search)) return words;
  return Prisma.sql`(${words} OR ${column} ILIKE ${containing(search)}::text OR ${column} %> ${search}::text)`;
}
