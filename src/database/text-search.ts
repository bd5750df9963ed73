import { Prisma } from './database.ts';
import { containing } from './pattern.ts';

/** Web search syntax: "a phrase", -without, either OR other. */
const WEB_SYNTAX = /"|(^|\s)-\S|\sor\s/i;

/**
 * Condition that a text matches a search: its words in any grammatical form and order (English) or, for plain words
 * without web search syntax, a part of the text, case-insensitive and tolerant of typing errors.
 * Uses a GIN index of `to_tsvector('english', column)` and one of `column gin_trgm_ops`.
 * @see https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES
 * @see https://www.postgresql.org/docs/current/pgtrgm.html
 */
export function answersSearchSql(column: Prisma.Sql, search: string): Prisma.Sql {
  const words = Prisma.sql`to_tsvector('english', ${column}) @@ websearch_to_tsquery('english', ${search}::text)`;
  if (WEB_SYNTAX.test(search)) return words;
  return Prisma.sql`(${words} OR ${column} ILIKE ${containing(search)}::text OR ${column} %> ${search}::text)`;
}
