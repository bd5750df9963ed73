import { describe, expect, it } from 'vitest';
import { JsonText, stringifyWithJsonText } from '../../../src/graphql/text-answer/json-text.ts';

describe('JSON text in an answer', () => {
  it('is inserted unchanged, at any position', () => {
    const text = '{"type":"Point",  "coordinates":[1.50,2]}';
    const answer = { data: { a: [JsonText.of(text), null, 'x'], b: { c: JsonText.of('[]') } } };
    expect(stringifyWithJsonText(answer)).toBe(`{"data":{"a":[${text},null,"x"],"b":{"c":[]}}}`);
  });

  it('leaves strings alone that look like its placeholder', () => {
    const prompt = '"0123456789abcdef0123456789abcdef0" $& $1';
    const answer = { prompt, geometry: JsonText.of('{"a":"$&"}') };
    expect(JSON.parse(stringifyWithJsonText(answer))).toEqual({ prompt, geometry: { a: '$&' } });
  });

  it('is its value for any other writer of JSON', () => {
    expect(JSON.parse(JSON.stringify({ geometry: JsonText.of('{"a":[1]}') }))).toEqual({ geometry: { a: [1] } });
  });

  it('does not stay behind when an answer cannot be written', () => {
    expect(() => stringifyWithJsonText({ a: JsonText.of('1'), b: 1n })).toThrow(TypeError);
    expect(JSON.stringify(JsonText.of('1'))).toBe('1');
  });
});
