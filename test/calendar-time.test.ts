import { describe, expect, it } from 'vitest';
import { parseInstant } from '../src/calendar-time.ts';
import { DateTimeScalar } from '../src/graphql/scalars.ts';

const WRONG = [
  '2024-02-30',
  '2023-02-29',
  '1900-02-29',
  '2024-04-31T00:00:00Z',
  '2024-00-10',
  '2024-13-01',
  '2024-01-00',
  '2024-01-01T24:00:00Z',
  '2024-01-01T10:60:00Z',
  '2024-01-01T10:00:60Z',
  '2024-01-01T10:00:00',
  '2024-01-01T10:00:00+24:00',
  '2024-01-01T10:00:00+01:60',
  '2024-1-1',
  '0000-06-01T00:00:00Z',
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59-12:00',
  '+010000-01-01T00:00:00Z',
  '2024-01-01\u0000',
  'yesterday',
  '',
];

describe('an instant', () => {
  it.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59.9999Z', '2000-02-29T23:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['0099-12-31', '0099-12-31T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['2024-03-10T02:30-05:00', '2024-03-10T07:30:00.000Z'],
    ['2024-03-10T02:30:15+0545', '2024-03-09T20:45:15.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(parseInstant(text)?.toISOString()).toBe(iso);
    expect(DateTimeScalar.parseValue(text)).toEqual(new Date(iso));
  });

  it.each(WRONG)('%j is refused', (text) => {
    expect(parseInstant(text)).toBeNull();
    expect(() => DateTimeScalar.parseValue(text)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error);
  });

  it('of every day of 1600 to 2400 agrees with the calendar of JavaScript', () => {
    const dayMs = 86_400_000;
    for (let ms = Date.UTC(1600, 0, 1); ms < Date.UTC(2400, 0, 1); ms += dayMs) {
      expect(parseInstant(new Date(ms).toISOString().slice(0, 10))?.getTime()).toBe(ms);
    }
    for (let year = 1600; year < 2400; year++) {
      const leap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
      expect(parseInstant(`${year}-02-29`) !== null).toBe(leap);
    }
  });
});
