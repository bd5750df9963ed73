import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cql2 } from '../../src/cql2/expression.ts';
import { readCql2Json } from '../../src/cql2/read-json.ts';
import { readCql2Text } from '../../src/cql2/read-text.ts';
import { writeCql2Text } from '../../src/cql2/write-text.ts';
import { randomFilter } from './random-filter.ts';
import { seededRandom } from '../seeded.ts';

interface Example {
  readonly name: string;
  readonly text: string;
  readonly json: Cql2;
}
const FIXTURE = path.resolve(import.meta.dirname, '../fixtures/cql2-examples.json');
const { examples } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { examples: readonly Example[] };

/** The text encoding has more digits of seconds in some examples. */
const sameTimes = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('.000000Z', 'Z'));

describe('the examples of the standard', () => {
  it.each(examples)('$name: the text says what the JSON says', ({ text, json }) => {
    expect(sameTimes(readCql2Text(text).expression)).toEqual(sameTimes(readCql2Json(JSON.stringify(json)).expression));
  });

  it.each(examples)('$name: what is written as text is read as the same', ({ json }) => {
    const { expression } = readCql2Json(JSON.stringify(json));
    expect(readCql2Text(writeCql2Text(expression)).expression).toEqual(expression);
  });
});

describe('CQL2', () => {
  it('is the same after text and JSON, for any filter', () => {
    const random = seededRandom(20);
    for (let round = 0; round < 500; round++) {
      const expression = randomFilter(random);
      const text = writeCql2Text(expression);
      expect(readCql2Text(text).expression, text).toEqual(expression);
      expect(readCql2Json(JSON.stringify(expression)).expression).toEqual(expression);
    }
  });

  it('has quotes in texts by doubling them or behind a backslash', () => {
    expect(readCql2Text(String.raw`a = 'it''s \'so\''`).expression).toEqual({
      op: '=',
      args: [{ property: 'a' }, "it's 'so'"],
    });
    expect(readCql2Text(writeCql2Text({ op: '=', args: ['x', String.raw`\'`] })).expression).toEqual({
      op: '=',
      args: ['x', String.raw`\'`],
    });
  });

  it.each([
    ['a = 1; DROP TABLE x', 'filter: unexpected ; at character 6'],
    ['a = 1 b', 'filter: expected AND, OR or the end, found "b" at character 7'],
    ['a = ', 'filter: expected a value, found the end at character 5'],
    ["a = 'open", "filter: ' is not closed at character 5"],
    ['a = 1 AND', 'filter: expected a value, found the end at character 10'],
    ['a + 1', 'filter: the filter must be true or false, not + at character 3'],
    ["a > 1 AND 'text'", `filter: operand 2 of and must be true or false, not "text" at character 1`],
    ["'text' * 2 = 3", `filter: operand 1 of * must be a number, not "text" at character 8`],
    ['a BETWEEN 1 2', 'filter: expected AND, found "2" at character 13'],
    ['a IS 3', 'filter: expected NULL, found "3" at character 6'],
    ['S_INTERSECTS(geometry)', 'filter: s_intersects has 1 operands instead of 2 at character 1'],
    ['S_INTERSECTS(geometry, 4)', 'filter: operand 2 of s_intersects must be a geometry, not 4 at character 1'],
    [
      'S_WITHIN(g, BBOX(1,2,3))',
      'filter: expected 4 or 6 numbers in BBOX before here, not 3, found ")" at character 24',
    ],
    ['S_WITHIN(g, POINT(1))', 'filter: expected a number, found ")" at character 20'],
    ['a = b = c', 'filter: expected AND, OR or the end, found "=" at character 7'],
    ['and = 1', 'filter: expected a value, found "and" at character 1'],
    [`${'('.repeat(50)}a = 1`, 'filter: nests deeper than 40 levels at character 41'],
    [`${'NOT '.repeat(50)}a = 1`, 'filter: nests deeper than 40 levels at character 161'],
    [`a = '${'x'.repeat(20_000)}'`, 'filter: the filter has 20006 characters; the limit is 20000 at its end'],
  ])('refuses %j with the token and its position', (text, message) => {
    expect(() => readCql2Text(text)).toThrow(message);
  });

  it.each([
    ['[', /not JSON .* at its beginning/],
    ['{"op":"=","args":[{"property":"a"},null]}', 'filter: null is not an expression at args[1]'],
    ['{"op":"not","args":[{"op":"=","args":[1]}]}', 'filter: = has 1 operands instead of 2 at args[0]'],
    ['{"op":"=","args":[{"propertee":"a"},1]}', 'is not an expression; it must have one of'],
    [
      '{"op":"and","args":[true,{"op":"like","args":[{"property":"a"},5]}]}',
      'operand 2 of like must be a text, not 5 at args[1]',
    ],
    [
      '{"op":"s_within","args":[{"property":"g"},{"type":"Circle"}]}',
      'type "Circle" is not a GeoJSON geometry with coordinates at args[1]',
    ],
    [`${'{"op":"not","args":['.repeat(100)}true${']}'.repeat(100)}`, 'nests deeper than 40 levels at args[0].args[0]'],
  ])('refuses %s with the part and its path', (json, message) => {
    expect(() => readCql2Json(json)).toThrow(message);
  });
});
