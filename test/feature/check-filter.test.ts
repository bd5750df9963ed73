import { describe, expect, it } from 'vitest';
import {
  checkFilter,
  checkOrder,
  InvalidFilterError,
  nearOf,
  type RequestedFilter,
  withoutNear,
} from '../../src/feature/check-filter.ts';
import { RANGE_NAMES, RANGES } from '../../src/feature/measures.ts';

const point = { type: 'Point', coordinates: [10, 50] };

/** A filter within `levels` others. */
function nested(levels: number): RequestedFilter {
  return levels === 0 ? { areaM2: { min: 1 } } : { not: nested(levels - 1) };
}

describe('checkFilter', () => {
  it('returns what it was given, with checked geometry', () => {
    const filter: RequestedFilter = {
      promptContains: 'water',
      bbox: [170, -10, -170, 10],
      areaM2: { min: 1, max: 1 },
      near: { geometry: { ...point, note: 'dropped' }, withinM: 5 },
      or: [{ intersects: point }, { adjacentTo: {}, adjacentWithinM: 30 }],
    };
    expect(checkFilter(filter, 10)).toEqual({ ...filter, near: { geometry: point, withinM: 5 } });
  });

  it.each<[string, RequestedFilter, RegExp]>([
    ['a box of three numbers', { bbox: [1, 2, 3] }, /bbox \[1, 2, 3\] must be \[west, south, east, north\]/],
    ['a box in metres', { bbox: [500_000, 0, 500_100, 10] }, /within -180 to 180/],
    ['a box upside down', { bbox: [0, 10, 1, 5] }, /south 10 above north 5/],
    ['a range upside down', { areaM2: { min: 5, max: 4 } }, /areaM2 has min 5 above max 4/],
    ['a range without end', { neighbourCount: { max: Infinity } }, /neighbourCount has the bound Infinity/],
    ['a negative distance', { near: { geometry: point, withinM: -1 } }, /near\.withinM is -1/],
    ['a distance that is no number', { near: { geometry: point, withinM: Number.NaN } }, /near\.withinM is NaN/],
    ['a gap without a neighbour', { adjacentWithinM: 5 }, /adjacentWithinM requires adjacentTo/],
    [
      'a gap beyond the limit',
      { adjacentTo: {}, adjacentWithinM: 10_001 },
      /adjacentWithinM is 10001; it must be 0 to 10000/,
    ],
    ['disjoint alone', { disjoint: point }, /disjoint alone matches nearly every/],
    ['a geometry that is none, deep inside', { and: [{ or: [{ within: { type: 'Point' } }] }] }, /coordinates/],
    [
      'a hundred filters in one',
      { or: Array.from({ length: 100 }, () => ({})) },
      /has 101 filters .* the limit is 100/,
    ],
    ['more than five levels', nested(6), /deeper than 5 levels/],
  ])('refuses %s and says so', (_what, filter, message) => {
    expect(() => checkFilter(filter, 10)).toThrow(message);
  });

  it.each([...RANGE_NAMES, 'neighbourCount' as const])('refuses a bound of %s that no feature has', (name) => {
    const [least, most] = name === 'neighbourCount' ? [0, Infinity] : RANGES[name];
    const allowed = most === Infinity ? `${least} or more` : `${least} to ${most}`;
    const beyond = most === Infinity ? [least - 1] : [least - 0.001, most + 6];
    for (const value of beyond) {
      const message = `${name} has the bound ${value}; it must be ${allowed}.`;
      expect(() => checkFilter({ [name]: { min: value } }, 10)).toThrow(message);
      expect(() => checkFilter({ or: [{ not: { [name]: { max: value } } }] }, 10)).toThrow(message);
    }
    const within = { [name]: { min: least, max: Math.min(most, 1e12) } };
    expect(checkFilter(within, 10)).toEqual(within);
  });

  it('takes five levels', () => {
    expect(() => checkFilter(nested(5), 10)).not.toThrow();
  });

  it('takes disjoint where another condition bounds it', () => {
    expect(() => checkFilter({ disjoint: point, sceneId: 'x' }, 10)).not.toThrow();
    expect(() => checkFilter({ and: [{ disjoint: point }, { bbox: [0, 0, 1, 1] }] }, 10)).not.toThrow();
    expect(() => checkFilter({ or: [{ disjoint: point }, { bbox: [0, 0, 1, 1] }] }, 10)).toThrow(InvalidFilterError);
  });
});

describe('an order by distance', () => {
  const near = { geometry: { type: 'Point' as const, coordinates: [10, 50] }, withinM: 5 };

  it('measures to the near condition that every match meets', () => {
    expect(nearOf({ and: [{ areaM2: { min: 1 } }, { near }] })).toBe(near);
    expect(() => checkOrder({ by: 'DISTANCE', direction: 'ASC' }, { near })).not.toThrow();
  });

  it('takes that condition alone out of the filter', () => {
    const other = { near: { ...near, withinM: 6 } };
    expect(withoutNear({ near, areaM2: { min: 1 } })).toEqual({ areaM2: { min: 1 } });
    expect(withoutNear({ and: [{ areaM2: { min: 1 } }, { near }, other] })).toEqual({
      and: [{ areaM2: { min: 1 } }, {}, other],
    });
    expect(withoutNear({ or: [{ near }] })).toEqual({ or: [{ near }] });
  });

  it('is refused without one', () => {
    expect(() => checkOrder({ by: 'DISTANCE', direction: 'ASC' }, { or: [{ near }] })).toThrow(InvalidFilterError);
  });
});
