import { booleanPointInPolygon, polygon } from '@turf/turf';
import { describe, expect, it } from 'vitest';
import { mapToPixel, pixelToMap, SingularAffineError, type Affine } from '../../src/raster/affine.ts';
import { AreaMask, type PixelRing } from '../../src/raster/area-mask.ts';
import { letterbox, resizeLinear } from '../../src/raster/letterbox.ts';
import { pixelAreaM2 } from '../../src/raster/pixel-area.ts';
import { percentileStretch, stretchToBytes } from '../../src/raster/stretch.ts';
import { seededRandom } from '../seeded.ts';

const seededBytes = (length: number, seed: number) => {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
};

describe('affine', () => {
  it('maps back what it mapped, rotated and mirrored too', () => {
    const rotated: Affine = [500_000, -0.143, -0.5768, 7_800_000, -0.5768, 0.143];
    const [x, y] = pixelToMap(rotated, 812.25, 99.5);
    expect(mapToPixel(rotated, x, y)[0]).toBeCloseTo(812.25, 6);
    expect(mapToPixel(rotated, x, y)[1]).toBeCloseTo(99.5, 6);
  });

  it('refuses pixels of zero area', () => {
    expect(() => mapToPixel([0, 1, 2, 0, 2, 4], 0, 0)).toThrow(SingularAffineError);
  });
});

describe('AreaMask', () => {
  it('keeps the pixels whose centre turf finds inside, holes out', () => {
    const outer: PixelRing = [
      [3.2, 2.1],
      [38.9, 6.4],
      [30.3, 28.7],
      [17.5, 12.2],
      [5.5, 27.9],
      [3.2, 2.1],
    ];
    const hole: PixelRing = [
      [24, 10],
      [29, 11],
      [27, 16],
      [24, 10],
    ];
    const mask = new AreaMask([outer, hole], 36, 32);
    const shape = polygon([outer.map((p) => [...p]), hole.map((p) => [...p])]);
    expect(mask.bounds).toEqual({ x: 3, y: 2, width: 33, height: 27 });
    const wrong: string[] = [];
    let inside = 0;
    for (let row = 0; row < 32; row++) {
      const values = new Uint8Array(30).fill(1);
      mask.clearOutside(values, 4, row);
      values.forEach((value, i) => {
        if ((value === 1) !== booleanPointInPolygon([4 + i + 0.5, row + 0.5], shape))
          wrong.push(`column ${4 + i}, row ${row}`);
        inside += value;
      });
    }
    expect(wrong).toEqual([]);
    expect(inside).toBeGreaterThan(200);
  });

  it('has no bounds when it misses the scene', () => {
    expect(
      new AreaMask(
        [
          [
            [50, 50],
            [60, 50],
            [60, 60],
            [50, 50],
          ],
        ],
        36,
        32,
      ).bounds,
    ).toBeNull();
  });
});

describe('pixelAreaM2', () => {
  /** SELECT ST_Area(ST_MakeEnvelope(west, north - size, west + size, north, 4326)::geography) in PostGIS 3.6.2. */
  const POSTGIS: [west: number, north: number, sizeDegrees: number, areaM2: number][] = [
    [10, 0, 1e-4, 123.090720792636],
    [10, 47, 1e-4, 84.55217146873474],
    [10, -60, 1e-4, 62.167964808642864],
    [10, 80, 1e-2, 216_654.6266450882],
    [10, 89.99, 1e-3, 2.286263346672058],
    [179.99995, 47, 1e-4, 84.55217146873474],
  ];

  it.each(POSTGIS)(
    'is what PostGIS measures at %f E %f N for a pixel of %f degrees, within a millionth',
    (west, north, size, areaM2) => {
      const toWgs84 = (c: number, r: number) => [((west + c * size + 540) % 360) - 180, north - r * size] as const;
      expect(Math.abs(pixelAreaM2(toWgs84, 0, 0) / areaM2 - 1)).toBeLessThan(1e-6);
    },
  );

  it('does not depend on how the image is turned or mirrored', () => {
    const upright = pixelAreaM2((c, r) => [10 + c * 1e-5, 47 - r * 1e-5], 0, 0);
    const turned = pixelAreaM2((c, r) => [10 + r * 1e-5, 47 - 1e-5 + c * 1e-5], 0, 0);
    expect(Math.abs(turned / upright - 1)).toBeLessThan(1e-9);
  });
});

describe('resizeLinear', () => {
  it('returns the picture itself at its own size', () => {
    const pixels = seededBytes(17 * 11 * 3, 1);
    expect(resizeLinear(pixels, 17, 11, 17, 11)).toEqual(pixels);
  });

  it('centres a portrait on black', () => {
    const window = letterbox(new Uint8Array(10 * 20 * 3).fill(200), 10, 20, 32);
    const pixel = (x: number, y: number) => window[(y * 32 + x) * 3];
    expect([pixel(7, 16), pixel(8, 16), pixel(23, 16), pixel(24, 16)]).toEqual([0, 200, 200, 0]);
  });
});

describe('stretch', () => {
  it('takes the 2nd and 98th percentile by nearest rank and skips what is not a number', () => {
    const samples = [...Array.from({ length: 100 }, (_, i) => i + 1), NaN, Infinity];
    expect(percentileStretch(samples)).toEqual({ min: 2, max: 98 });
    expect(percentileStretch([NaN])).toBeNull();
  });

  it('clamps, and shows a flat band as black', () => {
    expect([...stretchToBytes([0, 2, 50, 98, 500, NaN], { min: 2, max: 98 })]).toEqual([0, 0, 128, 255, 255, 0]);
    expect([...stretchToBytes([5, 9], { min: 5, max: 5 })]).toEqual([0, 0]);
  });
});
