import { describe, expect, it } from 'vitest';
import { affineOfArea, tileArea, tilesOf } from '../../src/tile-source/tile-area.ts';
import { parseTileTemplate } from '../../src/tile-source/tile-template.ts';
import { parseTile, tileBounds } from '../../src/tiles/tile-grid.ts';

describe('a template', () => {
  it.each([
    ['https://t.example/{z}/{x}/{y}.png?key=k', 'https://t.example/3/5/2.png?key=k'],
    ['https://t.example/tms/{z}/{x}/{-y}.jpg', 'https://t.example/tms/3/5/5.jpg'],
    [
      'https://t.example/wmts/layer/default/GoogleMapsCompatible/{TileMatrix}/{TileRow}/{TileCol}.png',
      'https://t.example/wmts/layer/default/GoogleMapsCompatible/3/2/5.png',
    ],
    [
      'https://t.example/wmts?service=WMTS&tilematrix=EPSG:3857:{TileMatrix}&tilerow={TileRow}&tilecol={TileCol}',
      'https://t.example/wmts?service=WMTS&tilematrix=EPSG:3857:3&tilerow=2&tilecol=5',
    ],
  ])('%s gives the address of a tile', (text, url) => {
    expect(parseTileTemplate(text).urlOf({ z: 3, x: 5, y: 2 })).toBe(url);
  });

  it.each([
    ['https://{s}.t.example/{z}/{x}/{y}.png', 'TILE_SOURCE_INVALID', 'template contains {s}; it may contain {z}, {x}'],
    ['https://t.example/{z}/{x}.png', 'TILE_SOURCE_INVALID', 'template contains no {y} or {-y} or {TileRow}.'],
    ['https://t.example/a.tif', 'TILE_SOURCE_INVALID', 'template contains no {z} or {TileMatrix}.'],
    ['http://t.example/{z}/{x}/{y}.png', 'URL_NOT_ALLOWED', 'only https is supported, not http:'],
    ['https://me:secret@t.example/{z}/{x}/{y}', 'URL_NOT_ALLOWED', 'it contains a user name or password'],
    ['{z}/{x}/{y}', 'URL_NOT_ALLOWED', 'it is not a URL'],
  ])('%s is refused', (text, code, message) => {
    expect(() => parseTileTemplate(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('an area', () => {
  it('has the tiles that the grid of our own tiles puts there, edges at the edges of tiles', () => {
    const bounds = tileBounds(parseTile('12', '2103', '1346'));
    const own = tileArea(bounds, 12, 10);
    expect([...tilesOf(own)]).toEqual([{ z: 12, x: 2103, y: 1346 }]);
    expect([...tilesOf(tileArea(bounds, 13, 10))]).toEqual([
      { z: 13, x: 4206, y: 2692 },
      { z: 13, x: 4207, y: 2692 },
      { z: 13, x: 4206, y: 2693 },
      { z: 13, x: 4207, y: 2693 },
    ]);
    const [x0, pixelM, , y0] = affineOfArea(own, 512);
    expect(pixelM).toBeCloseTo(40_075_016.6856 / 4096 / 512, 9);
    const [west, , , north] = bounds.map((degrees) => (degrees * Math.PI) / 180);
    expect(x0).toBeCloseTo(6_378_137 * west!, 6);
    expect(y0).toBeCloseTo(6_378_137 * Math.log(Math.tan(Math.PI / 4 + north! / 2)), 6);
  });

  it('covers the world at zoom 0, and no more than the square', () => {
    expect(tileArea([-180, -90, 180, 90], 0, 1)).toEqual({ zoom: 0, firstX: 0, firstY: 0, columns: 1, rows: 1 });
    expect(tileArea([-180, -90, 180, 90], 3, 64)).toMatchObject({ columns: 8, rows: 8 });
  });

  it('names the limit and the count of tiles', () => {
    expect(() => tileArea([5, 52, 5.5, 52.5], 18, 4096)).toThrow(
      expect.objectContaining({
        code: 'TOO_MANY_TILES',
        message: expect.stringMatching(
          /^The bounds cover \d{6} tiles at zoom 18; the limit is 4096 \(TERRAQL_MAX_TILES\)\. Choose smaller bounds or a lower zoom\.$/,
        ),
      }),
    );
  });

  it.each([
    [[179, 0, -179, 1], 3, 'register two images'],
    [[0, 1, 1, 0], 3, 'south < north'],
    [[0, 0, 1], 3, 'bounds is [0, 0, 1]'],
    [[0, 86, 1, 87], 3, 'beyond 85.05 degrees'],
    [[0, 0, 1, NaN], 3, 'bounds is'],
    [[0, 0, 1, 1], 3.5, 'zoom is 3.5'],
    [[0, 0, 1, 1], 25, 'from 0 to 24'],
  ])('%j at zoom %d is refused', (bounds, zoom, message) => {
    expect(() => tileArea(bounds, zoom, 10)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });
});
