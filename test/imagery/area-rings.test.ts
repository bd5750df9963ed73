import type { MultiPolygon, Polygon } from 'geojson';
import { describe, expect, it } from 'vitest';
import { areaRings } from '../../src/imagery/area-rings.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { pixelToMap, type Affine } from '../../src/raster/affine.ts';
import { AreaMask } from '../../src/raster/area-mask.ts';

const SINUSOIDAL = '+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs';
const SCENES: Readonly<Record<string, readonly [crs: string, affine: Affine, widthPx: number, heightPx: number]>> = {
  'across 180 in degrees': ['EPSG:4326', [179, 0.01, 0, 1, 0, -0.01], 200, 100],
  'across -180 in degrees': ['EPSG:4326', [-181, 0.01, 0, 1, 0, -0.01], 200, 100],
  'across 180 in NAD27': ['EPSG:4267', [179, 0.01, 0, 60, 0, -0.01], 200, 100],
  'across 180 in UTM': ['EPSG:32660', [830_000, 400, 0, 7_000_000, 0, -400], 100, 75],
  'across 180 in web mercator': ['EPSG:3857', [20_000_000, 1000, 0, 50_000, 0, -1000], 80, 100],
  'Mercator about 150 east': ['EPSG:3832', [-500_000, 10_000, 0, -4_500_000, 0, -10_000], 150, 100],
  'north pole': ['EPSG:3413', [-1_000_000, 20_000, 0, 1_000_000, 0, -20_000], 100, 100],
  'corner at the north pole': ['EPSG:3413', [0, 20_000, 0, 2_000_000, 0, -20_000], 100, 100],
  'edge at the north pole': ['EPSG:3413', [-1_000_000, 20_000, 0, 2_000_000, 0, -20_000], 100, 100],
  'south pole': ['EPSG:3031', [-1_000_000, 20_000, 0, 1_000_000, 0, -20_000], 100, 100],
  'north pole in UPS': ['EPSG:32661', [1_900_000, 2000, 0, 2_100_000, 0, -2000], 100, 100],
  'rotated UTM': ['EPSG:32632', [500_000, 8, 3, 5_600_000, 4, -7], 120, 90],
  'British grid': ['EPSG:27700', [530_000, 1, 0, 180_000, 0, -1], 100, 80],
  'Dutch grid': ['EPSG:28992', [155_000, 1, 0, 463_000, 0, -1], 100, 80],
  'South African grid': ['EPSG:2053', [-100_000, 10, 0, 3_000_000, 0, -10], 100, 100],
  'European equal area': ['EPSG:3035', [4_000_000, 1000, 0, 3_200_000, 0, -1000], 100, 100],
  sinusoidal: [SINUSOIDAL, [0, 9266, 0, 5_559_752.6, 0, -9266], 120, 120],
  'world in web mercator': ['EPSG:3857', [-20_037_508.34, 156_543.034, 0, 20_037_508.34, 0, -156_543.034], 256, 256],
  'world in degrees': ['EPSG:4326', [-180, 1, 0, 90, 0, -1], 360, 180],
  'world from 0 to 360': ['EPSG:4326', [0, 1, 0, 90, 0, -1], 360, 180],
  'world about 150 east': ['EPSG:3832', [-20_037_508.34, 156_543.034, 0, 10_000_000, 0, -156_543.034], 256, 128],
};

const box = (west: number, south: number, east: number, north: number): Polygon => ({
  type: 'Polygon',
  coordinates: [
    [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  ],
});
const both = (...parts: Polygon[]): MultiPolygon => ({
  type: 'MultiPolygon',
  coordinates: parts.map(({ coordinates }) => coordinates),
});
const AREAS: Readonly<Record<string, Polygon | MultiPolygon>> = {
  world: box(-180, -90, 180, 90),
  'northern hemisphere': box(-180, 0, 180, 90),
  'eastern hemisphere': box(0, -90, 180, 90),
  'cap of the north': box(-180, 80, 180, 90),
  'cap of the south': box(-180, -90, 180, -80),
  'sector of the north': box(1, 78, 89, 88),
  Europe: box(-25, 34, 45, 72),
  'both sides of 180': both(box(179.5, 0.2, 180, 0.8), box(-180, 0.2, -179.5, 0.8)),
  'north on both sides of 180': both(box(179, 58, 180, 63), box(-180, 58, -175, 62.95)),
  'east of 180': box(-179.9, 0.2, -179.2, 0.8),
  'west of 180': box(179.2, 0.2, 179.9, 0.8),
  'a triangle with long edges': {
    type: 'Polygon',
    coordinates: [
      [
        [-120, 10],
        [170, 20],
        [10, 85],
        [-120, 10],
      ],
    ],
  },
};

function contains({ coordinates, type }: Polygon | MultiPolygon, [x, y]: readonly [number, number]): boolean {
  const rings = (type === 'Polygon' ? [coordinates] : coordinates).flat() as number[][][];
  return rings.reduce((inside, ring) => {
    const crossings = ring.slice(1).filter(([bx, by], i) => {
      const [ax, ay] = ring[i] as [number, number];
      return ay > y !== by! > y && x < ((bx! - ax) * (y - ay)) / (by! - ay) + ax;
    });
    return inside !== (crossings.length % 2 === 1);
  }, false);
}

describe.each(Object.entries(SCENES))('in a scene %s', (_name, [definition, affine, widthPx, heightPx]) => {
  it.each(Object.entries(AREAS))('pixels of the area "%s" are those whose centre is inside', async (_area, area) => {
    const crs = await resolveCrs(definition);
    const mask = new AreaMask(areaRings(area, { affine, crs, widthPx, heightPx }), widthPx, heightPx);
    let [wrong, right] = [0, 0];
    for (let row = 0; row < heightPx; row++) {
      const values = new Uint8Array(widthPx).fill(mask.bounds ? 1 : 0);
      mask.clearOutside(values, 0, row);
      values.forEach((value, column) => {
        const inside = contains(area, crs.toWgs84(pixelToMap(affine, column + 0.5, row + 0.5)));
        if (inside === (value === 1)) right += Number(inside);
        else wrong++;
      });
    }
    expect(wrong).toBeLessThanOrEqual(Math.ceil(0.01 * right));
  });
});
