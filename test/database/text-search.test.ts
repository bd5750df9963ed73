import { describe, expect, it } from 'vitest';
import { Prisma } from '../../src/database/database.ts';
import { answersSearchSql, searchText } from '../../src/database/sql/text-search.ts';

describe('a search text', () => {
  it.each([
    ['501 characters', 'a'.repeat(501), 'name has 501 characters; the limit is 500.'],
    ['20,000 words', 'w '.repeat(20_000), 'name has 40000 characters; the limit is 500.'],
    ['NUL', 'a\0b', 'name contains the character NUL.'],
  ])('with %s is refused before it reaches the database', (_what, text, message) => {
    expect(() => searchText('name', text)).toThrow(message);
    expect(() => answersSearchSql(Prisma.sql`s.prompt`, text)).toThrow(message.replace('name', 'promptContains'));
  });

  it('of 500 characters is taken', () => {
    expect(searchText('name', 'a'.repeat(500))).toHaveLength(500);
  });
});
