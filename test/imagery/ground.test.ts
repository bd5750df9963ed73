import { area, booleanValid } from '@turf/turf';
import type { MultiPolygon, Polygon } from 'geojson';
import { describe, expect, it } from 'vitest';
import type { Affine } from '../../src/raster/affine.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { footprintOf, groundPosition, gsdAtCentre } from '../../src/imagery/ground.ts';

async function footprint(
  crs: string,
  affine: Affine,
  widthPx: number,
  heightPx: number,
): Promise<Polygon | MultiPolygon> {
  return footprintOf(groundPosition(affine, await resolveCrs(crs)), widthPx, heightPx);
}

/** Area on the ellipsoid by the equal-area cylinder. @see Snyder, USGS PP 1395, equations 3-12 and 10-15 */
function cylindricalAreaM2({ type, coordinates }: Polygon | MultiPolygon): number {
  const [a, e2] = [6_378_137, 0.00669437999014];
  const e = Math.sqrt(e2);
  const q = (latitude: number): number => {
    const sine = Math.sin((latitude * Math.PI) / 180);
    return (1 - e2) * (sine / (1 - e2 * sine ** 2) - Math.log((1 - e * sine) / (1 + e * sine)) / (2 * e));
  };
  const rings = type === 'Polygon' ? coordinates : coordinates.flat();
  const doubled = rings.flatMap((ring) =>
    ring.slice(1).map(([x, y], i) => {
      const [fromX, fromY] = ring[i]!;
      return ((x! - fromX!) * Math.PI * (q(fromY!) + q(y!))) / 180;
    }),
  );
  return (Math.abs(doubled.reduce((sum, part) => sum + part, 0)) * a ** 2) / 4;
}

function longitudes({ coordinates }: Polygon | MultiPolygon): number[] {
  return coordinates.flat(3).filter((_, i) => i % 2 === 0);
}

describe('ground size of a pixel', () => {
  it.each([
    // scale factor of Mercator at the latitude, from the WGS 84 formulas of Snyder 7-8 and 4-20
    ['EPSG:3395', 0, 1],
    ['EPSG:3395', 60, 0.5 / Math.sqrt(1 - 0.00669437999014 * 0.75)],
  ])('is true on the ellipsoid in %s at latitude %d', async (crs, latitude, perMetre) => {
    const [x, y] = (await resolveCrs(crs)).fromWgs84([20, latitude]);
    const position = groundPosition([x - 50, 1, 0, y + 50, 0, -1], await resolveCrs(crs));
    expect(gsdAtCentre(position, 100, 100)).toBeCloseTo(perMetre, 5);
  });

  it('of degrees is the geometric mean of its sides', async () => {
    const position = groundPosition([10, 0.001, 0, 0.05, 0, -0.001], await resolveCrs('EPSG:4326'));
    // at the equator a degree is 111319.491 m of longitude and 110574.276 m of latitude
    expect(gsdAtCentre(position, 100, 100)).toBeCloseTo(Math.sqrt(111.319491 * 110.574276), 4);
  });

  it('is the same for a rotated grid', async () => {
    const straight = groundPosition([500_000, 2, 0, 5_000_000, 0, -2], await resolveCrs('EPSG:32633'));
    const [c, s] = [2 * Math.cos(1), 2 * Math.sin(1)];
    const turned = groundPosition([500_000, c, s, 5_000_000, s, -c], await resolveCrs('EPSG:32633'));
    expect(gsdAtCentre(turned, 64, 64)).toBeCloseTo(gsdAtCentre(straight, 64, 64), 4);
  });
});

describe('ground size of a pixel over a pole', () => {
  it.each([
    // equal area: exactly the pixel; scale factor of polar stereographic true at 70 degrees is 0.9698 at the pole
    ['EPSG:6931', 1000, 1000],
    ['EPSG:6932', 1000, 1000],
    ['EPSG:3413', 1000, 1000 / 0.969858],
    ['EPSG:3413', 10, 10 / 0.969858],
    ['EPSG:3031', 25_000, 25_000 / 0.972768],
  ])('is true in %s with pixels of %d m', async (crs, pixelM, groundM) => {
    const position = groundPosition([-50 * pixelM, pixelM, 0, 50 * pixelM, 0, -pixelM], await resolveCrs(crs));
    expect(gsdAtCentre(position, 100, 100) / groundM).toBeCloseTo(1, 3);
  });
});

describe('footprint', () => {
  it('runs counter-clockwise for upright, mirrored and rotated images', async () => {
    const grids: Affine[] = [
      [500_000, 1, 0, 5_000_000, 0, -1],
      [500_000, 1, 0, 5_000_000, 0, 1],
      [500_000, -1, 0, 5_000_000, 0, -1],
      [500_000, 0, 1, 5_000_000, 1, 0],
    ];
    for (const affine of grids) {
      const { coordinates } = (await footprint('EPSG:32633', affine, 50, 40)) as Polygon;
      const ring = coordinates[0]!;
      const twiceArea = ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0]! * y! - x! * ring[i]![1]!, 0);
      expect(twiceArea).toBeGreaterThan(0);
      expect(ring.at(-1)).toEqual(ring[0]);
    }
  });

  it('follows edges that are curved in longitude and latitude', async () => {
    const { coordinates } = (await footprint(
      'EPSG:32633',
      [100_000, 1000, 0, 6_600_000, 0, -1000],
      800,
      10,
    )) as Polygon;
    const position = groundPosition([100_000, 1000, 0, 6_600_000, 0, -1000], await resolveCrs('EPSG:32633'));
    expect(coordinates[0]).toContainEqual(position(400, 0));
    expect(position(400, 0)[1] - position(0, 0)[1]).toBeGreaterThan(0.15);
  });

  it('is split where it crosses the antimeridian', async () => {
    const crossing = await footprint('EPSG:4326', [179.5, 0.01, 0, 10, 0, -0.01], 100, 100);
    expect(crossing.type).toBe('MultiPolygon');
    expect(longitudes(crossing).every((longitude) => Math.abs(longitude) >= 179.5 && Math.abs(longitude) <= 180)).toBe(
      true,
    );
    const same = await footprint('EPSG:4326', [10.5, 0.01, 0, 10, 0, -0.01], 100, 100);
    expect(area(crossing) / area(same)).toBeCloseTo(1, 9);
  });

  it('around a pole reaches to the pole', async () => {
    const polar = await footprint('EPSG:3031', [-2e6, 1000, 0, 2e6, 0, -1000], 4000, 4000);
    expect(booleanValid(polar)).toBe(true);
    expect(Math.min(...polar.coordinates.flat(3))).toBe(-180);
    expect(polar.coordinates.flat(3).filter((value) => value === -90).length).toBeGreaterThan(1);
    expect(polar.type).toBe('Polygon');
    expect(area(polar) / 16e12).toBeCloseTo(1, 1); // stereographic, true scale at 71 degrees south
  });

  it('of the whole world is the whole world', async () => {
    for (const west of [-180, 0, -90, 37.5]) {
      const world = await footprint('EPSG:4326', [west, 1, 0, 90, 0, -1], 360, 180);
      expect(world.type).toBe('Polygon');
      expect(booleanValid(world)).toBe(true);
      expect(longitudes(world)).toEqual(expect.arrayContaining([-180, 180]));
      expect(area(world) / 5.1e14).toBeCloseTo(1, 2);
    }
  });

  it.each([
    ['a corner at the north pole', 'EPSG:6931', [0, 10_000, 0, 2_000_000, 0, -10_000], 4e12],
    ['a corner at the south pole', 'EPSG:6932', [-2_000_000, 10_000, 0, 2_000_000, 0, -10_000], 4e12],
    ['an edge through the north pole', 'EPSG:6931', [-1_000_000, 10_000, 0, 2_000_000, 0, -10_000], 4e12],
    ['an edge through the south pole', 'EPSG:6932', [0, 10_000, 0, 1_000_000, 0, -10_000], 4e12],
    ['the north pole inside', 'EPSG:6931', [-300_000, 10_000, 0, 1_000_000, 0, -10_000], 4e12],
    ['the north pole beside the middle, fine', 'EPSG:6931', [-500, 10, 0, 1500, 0, -10], 4e6],
    ['Europe', 'EPSG:3035', [4_000_000, 10_000, 0, 3_200_000, 0, -10_000], 4e12],
  ] as [string, string, Affine, number][])(
    'has the area of an equal-area image: %s',
    async (_name, crs, affine, areaM2) => {
      const outline = await footprint(crs, affine, 200, 200);
      expect(booleanValid(outline)).toBe(true);
      // authalic sphere: turf measures on a sphere of 6371008.8 m; the ellipsoid's parallels differ by up to 1 %
      expect(area(outline) / areaM2).toBeCloseTo(1, 1);
      expect(cylindricalAreaM2(outline) / areaM2).toBeCloseTo(1, 3);
    },
  );

  it('refuses an image that lies where its projection has no ground', async () => {
    await expect(footprint('EPSG:4326', [0, 1, 0, 200, 0, -1], 10, 10)).rejects.toThrow(
      /Position [\d., ]+ of the image has no longitude and latitude in EPSG:4326/,
    );
  });
});
