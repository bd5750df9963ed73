import { describe, expect, it } from 'vitest';
import { InvalidGeometryError, parseGeometry, TooManyVerticesError } from '../src/geojson-geometry.ts';

const square = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];

/** A point within `levels` collections beside one that holds them all. */
function nested(levels: number): object {
  const geometries = levels === 0 ? [{ type: 'Point', coordinates: [1, 2] }] : [nested(levels - 1)];
  return { type: 'GeometryCollection', geometries };
}

describe('parseGeometry', () => {
  it.each([
    { type: 'Point', coordinates: [10, 50] },
    {
      type: 'MultiPoint',
      coordinates: [
        [10, 50],
        [-180, 90],
      ],
    },
    {
      type: 'LineString',
      coordinates: [
        [10, 50],
        [11, 51],
      ],
    },
    {
      type: 'MultiLineString',
      coordinates: [
        [
          [10, 50],
          [11, 51],
        ],
      ],
    },
    { type: 'Polygon', coordinates: [square] },
    { type: 'MultiPolygon', coordinates: [[square], [square]] },
    {
      type: 'GeometryCollection',
      geometries: [
        { type: 'Point', coordinates: [10, 50] },
        { type: 'GeometryCollection', geometries: [{ type: 'Polygon', coordinates: [square] }] },
      ],
    },
  ])('takes a $type', (geometry) => {
    expect(parseGeometry(geometry, 100)).toEqual(geometry);
  });

  it('leaves altitudes and foreign members out', () => {
    expect(parseGeometry({ type: 'Point', coordinates: [10, 50, 300], bbox: [1, 2, 3, 4] }, 1)).toEqual({
      type: 'Point',
      coordinates: [10, 50],
    });
  });

  it.each([
    ['a crs member', { type: 'Point', coordinates: [1, 2], crs: { type: 'name' } }, /crs member/],
    [
      'an open ring',
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 1],
          ],
        ],
      },
      /coordinates\[0\]: a ring must end at its first position/,
    ],
    [
      'a ring of three',
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 0],
            [0, 0],
          ],
        ],
      },
      /at least 4 positions/,
    ],
    ['no ring', { type: 'Polygon', coordinates: [] }, /exterior ring/],
    [
      'a metre coordinate',
      { type: 'Point', coordinates: [500_000, 5_500_000] },
      /\[500000,5500000\] is not a position/,
    ],
    ['swapped axes beyond 90°', { type: 'Point', coordinates: [50, 100] }, /\[50,100\] is not a position/],
    [
      'a number that is none',
      {
        type: 'LineString',
        coordinates: [
          [0, 0],
          [Number.NaN, 1],
        ],
      },
      /coordinates\[1\]: \[null,1\] is not a position/,
    ],
    ['an infinite number', { type: 'Point', coordinates: [Infinity, 1] }, /is not a position/],
    ['a missing latitude', { type: 'Point', coordinates: [1] }, /\[1\] is not a position/],
    ['an empty list of points', { type: 'MultiPoint', coordinates: [] }, /no points/],
    [
      'an empty collection',
      { type: 'GeometryCollection', geometries: [] },
      /at geometries: a GeometryCollection needs/,
    ],
    [
      'a wrong member of a collection',
      { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 200] }] },
      /at geometries\[0\]\.coordinates: \[1,200\] is not a position/,
    ],
    [
      'a crs in a member of a collection',
      { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2], crs: null }] },
      /crs member/,
    ],
    ['collections in collections without end', nested(5), /nests deeper than 4 levels/],
    ['a feature', { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } }, /type is "Feature"/],
    ['no type', { coordinates: [1, 2] }, /type is missing/],
    ['no object', 'POINT(1 2)', /type is missing/],
  ])('refuses %s and says so', (_what, value, message) => {
    expect(() => parseGeometry(value, 100)).toThrow(message);
    expect(() => parseGeometry(value, 100)).toThrow(InvalidGeometryError);
  });

  it('refuses more vertices than the limit, with both numbers', () => {
    expect(() => parseGeometry({ type: 'MultiPolygon', coordinates: [[square], [square]] }, 7)).toThrow(
      new TooManyVerticesError(8, 7),
    );
    expect(parseGeometry({ type: 'MultiPolygon', coordinates: [[square], [square]] }, 8)).toBeDefined();
  });
});
