import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { BadInputError } from '../../src/errors.ts';
import { checkDocumentText, checkTexts, checkValue } from '../../src/graphql/request-shape.ts';

const nested = (levels: number): unknown => {
  let value: unknown = { areaM2: { min: 1 } };
  for (let level = 0; level < levels; level++) value = { not: value };
  return value;
};

describe('the text of a document', () => {
  it.each([
    ['selections', '{a'.repeat(60_000) + '}'.repeat(60_000)],
    ['lists', `{ features(filter: { bbox: ${'['.repeat(100_000)}${']'.repeat(100_000)} }) { totalCount } }`],
    ['inline fragments', `{ node(id: "a") { ${'... on Node {'.repeat(5000)} id ${'}'.repeat(5000)} } }`],
  ])('is refused before it is parsed when it nests too deeply: %s', (_what, text) => {
    expect(() => checkDocumentText(text)).toThrow(/nests deeper than 60 levels/);
  });

  it('is refused when it has more fragments than validation can follow', () => {
    const chain = Array.from({ length: 3000 }, (_, k) => `fragment A${k} on Query { ...A${k + 1} }`).join(' ');
    expect(() => checkDocumentText(`{ ...A0 } ${chain}`)).toThrow('3001 operations and fragments; the limit is 300');
  });

  it.each([
    ['strings', `{ a(b: "${'{'.repeat(100)}\\"${'['.repeat(100)}") }`],
    ['block strings', `{ a(b: """${'{'.repeat(100)} \\""" " ${'('.repeat(100)}""") }`],
    ['comments', `{ # ${'{'.repeat(100)}\n a }`],
    ['an open string', `{ a(b: "${'{'.repeat(100)}`],
    ['an open comment', `# ${'{'.repeat(100)}`],
    ['many small fields', `{ ${'a(b: [1]) '.repeat(5000)} }`],
  ])('does not count braces in %s', (_what, text) => expect(() => checkDocumentText(text)).not.toThrow());
});

describe('a value', () => {
  it.each([61, 5000, 100_000])('is refused without recursion at %i levels', (levels) => {
    expect(() => checkValue(nested(levels), 'variables')).toThrow(BadInputError);
  });

  it('may nest as deep as a filter or a geometry needs', () => {
    expect(() => checkValue(nested(50), 'variables')).not.toThrow();
  });

  it('is refused for U+0000 in any text, with its place', () => {
    const filter = { or: [{ promptContains: 'wa\0ter' }] };
    expect(() => checkValue({ filter }, 'variables')).toThrow(
      'variables.filter.or.0.promptContains has the character U+0000 at position 2',
    );
    expect(() => checkTexts(parse('{ a(b: "wa\\u0000ter") }'))).toThrow(/U\+0000 at position 2/);
  });

  it('is refused for half a surrogate pair, and no whole one', () => {
    expect(() => checkValue(['😀', 'a😀\ud83d'], 'prompts')).toThrow(
      'prompts.1 has the character U+D83D at position 3',
    );
    expect(() => checkValue(['\ude00'], 'prompts')).toThrow('U+DE00 at position 0');
    expect(() => checkValue(['a😀', '\u{10ffff}'], 'prompts')).not.toThrow();
  });

  it('is refused for a text longer than anything stored', () => {
    expect(() => checkValue({ name: 'x'.repeat(8193) }, 'variables')).toThrow(
      'name has 8193 characters; the limit is 8192',
    );
    expect(() => checkValue({ name: 'x'.repeat(8192) }, 'variables')).not.toThrow();
  });
});
