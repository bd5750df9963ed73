import { BadInputError } from '../../errors.ts';
import { Prisma } from '../database.ts';

/** Web search syntax: "a phrase", -without, either OR other. */
const WEB_SYNTAX = /"|(^|\s)-\S|\sor\s/i;

/** Longest search text, characters: parsing a search costs far more than its length suggests. */
const MAX_SEARCH_LENGTH = 500;

/**
 * Checks a search text of a request.
 * @param name of the condition, for the message
 * @returns the text
 * @throws {BadInputError} when it is too long or contains NUL, which PostgreSQL cannot hold
 */
export function searchText(name: string, text: string): string {
  if (text.includes('\0'))
    throw new BadInputError(`${name} contains the character NUL.`, { details: { argument: name } });
  if (text.length <= MAX_SEARCH_LENGTH) return text;
  throw new BadInputError(`${name} has ${text.length} characters; the limit is ${MAX_SEARCH_LENGTH}.`, {
    details: { argument: name, value: text.length, limit: MAX_SEARCH_LENGTH },
  });
}

/**
 * Condition that a text matches a search: its words in any grammatical form and order (English) or, for plain words
 * without web search syntax, a part of the text, case-insensitive and tolerant of typing errors.
 * Uses a GIN index of `to_tsvector('english', column)` and one of `column gin_trgm_ops`.
 * @throws {BadInputError} when the search is too long or contains NUL
 * @see https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES
 * @see https://www.postgresql.org/docs/current/pgtrgm.html
 */
export function answersSearchSql(column: Prisma.Sql, promptContains: string): Prisma.Sql {
  const search = searchText('promptContains', promptContains);
  const words = Prisma.sql`to_tsvector('english', ${column}) @@ websearch_to_tsquery('english', ${search}::text)`;
  if (WEB_SYNTAX.test(search)) return words;
  return Prisma.sql`(${words} OR ${column} ILIKE ${containing(search)}::text OR ${column} %> ${search}::text)`;
}

/** @returns a LIKE pattern that matches the text anywhere, with `%`, `_` and `\` escaped */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
