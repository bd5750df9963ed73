import type { MultiPolygon, Polygon, Position } from 'geojson';
import { describe, expect, it } from 'vitest';
import { pixelToMap, type Affine } from '../../src/raster/affine.ts';
import { anchorPxFor } from '../../src/vector/anchor-distance.ts';
import type { ToWgs84 } from '../../src/vector/ground-position.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { polygonToPixels, polygonToWgs84 } from '../../src/vector/polygon-geojson.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { byteMask, hardMasks, maskOf, type ByteMask } from './seeded-masks.ts';
import { projection } from '../projection.ts';

const rotation = (degrees: number, mirrored: boolean): Affine => {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const flip = mirrored ? -1 : 1;
  return [10, 0.01 * cos, 0.01 * sin * flip, 50, 0.01 * sin, -0.01 * cos * flip];
};
const inDegrees =
  (affine: Affine): ToWgs84 =>
  (column, row) =>
    pixelToMap(affine, column, row);
const tracedOf = (drawn: ByteMask) => tracePolygons(labelMask(maskOf(drawn)));
const ringsOf = (geometry: Polygon | MultiPolygon): Position[][][] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;

function signedArea(ring: Position[]): number {
  const [x0, y0] = [ring[0]![0]!, ring[0]![1]!];
  const terms = ring.slice(1).map(([x, y], i) => (ring[i]![0]! - x0) * (y! - y0) - (x! - x0) * (ring[i]![1]! - y0));
  return terms.reduce((sum, term) => sum + term, 0) / 2;
}

const areaOf = (geometry: Polygon | MultiPolygon): number =>
  ringsOf(geometry)
    .flat()
    .reduce((sum, ring) => sum + signedArea(ring), 0);

function expectRfc7946(geometry: Polygon | MultiPolygon): void {
  for (const [exterior, ...holes] of ringsOf(geometry)) {
    expect(signedArea(exterior!)).toBeGreaterThan(0);
    expect(holes.every((hole) => signedArea(hole) < 0)).toBe(true);
    for (const ring of [exterior!, ...holes]) {
      expect(ring.at(-1)).toEqual(ring[0]);
      expect(ring.every(([longitude, latitude]) => Math.abs(longitude!) <= 180 && Math.abs(latitude!) <= 90)).toBe(
        true,
      );
    }
  }
}

const affines = [0, 37, 90, 104, 180, 271].flatMap((degrees) => [rotation(degrees, false), rotation(degrees, true)]);

describe.each(affines.map((affine) => ({ affine })))('on a scene with the geotransform $affine', ({ affine }) => {
  it('exteriors run anticlockwise, holes clockwise, and areas are those of the pixels', () => {
    for (const drawn of hardMasks()) {
      const labelled = labelMask(maskOf(drawn));
      for (const traced of tracePolygons(labelled)) {
        const geometry = polygonToWgs84(traced, inDegrees(affine));
        expect(geometry.type).toBe('Polygon');
        expectRfc7946(geometry);
        expect(areaOf(geometry) / (0.01 * 0.01)).toBeCloseTo(labelled.pixelCount(traced.label), 6);
      }
    }
  });
});

describe('a polygon in the scene frame', () => {
  it('has a positive exterior, negative holes and its pixel count as area', () => {
    for (const drawn of hardMasks()) {
      const labelled = labelMask(maskOf(drawn));
      for (const traced of tracePolygons(labelled)) {
        const geometry = polygonToPixels(traced);
        const areas = geometry.coordinates.map(signedArea);
        expect(areas[0]).toBeGreaterThan(0);
        expect(areas.slice(1).every((area) => area < 0)).toBe(true);
        expect(areaOf(geometry)).toBe(labelled.pixelCount(traced.label));
      }
    }
  });
});

describe('across the antimeridian', () => {
  const frame = byteMask('frame', 8, 6, (c, r) => c === 0 || c === 7 || r === 0 || r === 5);
  const wrapped = (longitude: number): number => ((((longitude + 180) % 360) + 360) % 360) - 180;
  const sceneFrom =
    (west: number): ToWgs84 =>
    (column, row) => [wrapped(west + column), 10 - row];

  it.each([176.5, 176, 179.25, 173])(
    'a frame that begins at %s degrees becomes parts of the same area on both sides',
    (west) => {
      const [traced] = tracedOf(frame);
      const geometry = polygonToWgs84(traced!, sceneFrom(west));
      expect(geometry.type).toBe('MultiPolygon');
      expectRfc7946(geometry);
      expect(areaOf(geometry)).toBeCloseTo(24, 9);
      const eastern = ringsOf(geometry).filter(([exterior]) => exterior!.every(([longitude]) => longitude! > 0));
      const columnsEast = Array.from(
        { length: 8 },
        (_, c) => Math.min(Math.max(180 - (west + c), 0), 1) * (c % 7 === 0 ? 6 : 2),
      );
      expect(areaOf({ type: 'MultiPolygon', coordinates: eastern })).toBeCloseTo(
        columnsEast.reduce((sum, area) => sum + area),
        9,
      );
    },
  );

  it.each([
    ['ends at it', 172, 180],
    ['begins at it', 180, -172],
  ])('a feature that %s stays whole', (_what, west, far) => {
    const geometry = polygonToWgs84(tracedOf(frame)[0]!, sceneFrom(west));
    expect(geometry.type).toBe('Polygon');
    expectRfc7946(geometry);
    expect(ringsOf(geometry)[0]).toHaveLength(2);
    expect(geometry.coordinates.flat(2)).toContain(far);
  });

  it('takes longitudes of 0 to 360 degrees as well', () => {
    const geometry = polygonToWgs84(tracedOf(frame)[0]!, (column, row) => [190 + column, 10 - row]);
    expect(geometry.type).toBe('Polygon');
    expectRfc7946(geometry);
    expect(areaOf(geometry)).toBeCloseTo(24, 9);
  });

  it('a feature around the whole Earth has a seam, not a split', () => {
    const band = byteMask('band', 36, 18, (_c, r) => r >= 4 && r < 6);
    const tenDegrees: ToWgs84 = (column, row) => [10 * column - 180, 90 - 10 * row];
    const [traced] = tracePolygons(labelMask(maskOf(band)), anchorPxFor(36, 18, tenDegrees));
    const geometry = polygonToWgs84(traced!, tenDegrees);
    expect(geometry.type).toBe('Polygon');
    expectRfc7946(geometry);
    expect(areaOf(geometry)).toBeCloseTo(360 * 20, 9);
  });
});

const polar = await projection('+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +datum=WGS84 +units=m');

describe('around a pole', () => {
  const scene: ToWgs84 = (column, row) => {
    return polar.inverse([50_000 * (column - 10) + 1000, 50_000 * (10 - row) + 2000]);
  };

  it('a feature over the pole reaches it and the antimeridian', () => {
    const cap = byteMask('cap', 20, 20, (c, r) => Math.hypot(c - 9.5, r - 9.5) < 7);
    const geometry = polygonToWgs84(tracedOf(cap)[0]!, scene);
    expectRfc7946(geometry);
    const positions = ringsOf(geometry).flat(2);
    expect(Math.min(...positions.map(([, latitude]) => latitude!))).toBe(-90);
    expect(positions.map(([longitude]) => longitude)).toEqual(expect.arrayContaining([180, -180]));
  });

  it('a ring around the pole leaves it out', () => {
    const ring = byteMask(
      'ring',
      20,
      20,
      (c, r) => Math.hypot(c - 9.5, r - 9.5) < 9 && Math.hypot(c - 9.5, r - 9.5) > 5,
    );
    const geometry = polygonToWgs84(tracedOf(ring)[0]!, scene);
    expectRfc7946(geometry);
    expect(
      Math.min(
        ...ringsOf(geometry)
          .flat(2)
          .map(([, latitude]) => latitude!),
      ),
    ).toBeGreaterThan(-90);
  });
});

it.each([
  [Number.NaN, 0],
  [0, 90.5],
  [Number.POSITIVE_INFINITY, 0],
])('refuses a pixel that lies at longitude %s, latitude %s', (longitude, latitude) => {
  const [traced] = tracedOf(byteMask('pixel', 1, 1, () => true));
  const message = `Column 0, row 1 of the scene maps to longitude ${longitude}, latitude ${latitude}, which is not on the Earth.`;
  expect(() => polygonToWgs84(traced!, () => [longitude, latitude])).toThrow(message);
});
