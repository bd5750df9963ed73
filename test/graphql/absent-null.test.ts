import { expect, it } from 'vitest';
import { withoutNulls } from '../../src/graphql/absent-null.ts';

it('drops null fields at every depth and keeps dates, zeros and empty lists', () => {
  const from = new Date(0);
  const input = {
    a: null,
    b: 0,
    c: [],
    d: { e: null, f: false },
    g: [{ h: null, i: '' }],
    acquired: { from, to: null },
  };
  expect(withoutNulls(input)).toEqual({ b: 0, c: [], d: { f: false }, g: [{ i: '' }], acquired: { from } });
});
