import { describe, expect, it } from 'vitest';
import { gdal, resolveCrs } from '../../src/imagery/crs/crs.ts';
import type { WktFormat } from '../../src/imagery/crs/gdal.ts';
import { epsgPositions, metresApart } from './epsg-positions.ts';

/** Every system is tried by `npm run test:golden`; here one in thirty. */
const some = epsgPositions.filter((_, index) => index % 30 === 7);

describe('positions in systems of the EPSG registry', () => {
  it.each(some)('EPSG:$code is within 1 m of PROJ, and back', async ({ code, xy, lonLat }) => {
    const crs = await resolveCrs(`EPSG:${code}`);
    expect(metresApart(crs.toWgs84(xy), lonLat)).toBeLessThan(1);
    expect(metresApart(crs.toWgs84(crs.fromWgs84(lonLat)), lonLat)).toBeLessThan(0.01);
  });

  it.each(['WKT2_2019', 'WKT1_GDAL', 'WKT1_ESRI'] as const satisfies readonly WktFormat[])(
    'as %s lie where the code puts them',
    async (format) => {
      const library = await gdal();
      for (const { code, xy, lonLat } of some) {
        const wkt = library.wktOf(`EPSG:${code}`, format);
        const away = wkt === '' ? 0 : metresApart((await resolveCrs(wkt)).toWgs84(xy), lonLat);
        expect(away, `EPSG:${code} as ${wkt}`).toBeLessThan(1);
      }
    },
  );

  it.each([
    ['EPSG:4326', [-179.999, 12]],
    ['EPSG:4326', [179.999, -89]],
    ['EPSG:3857', [5.4, 52.15]],
    ['EPSG:3857', [-179.999, -85.05]],
    ['EPSG:3857', [0, 1e-9]],
  ] as [string, [number, number]][])('closed form of %s at %j equals PROJ', async (code, lonLat) => {
    const library = (await gdal()).transforms(code);
    const own = await resolveCrs(code);
    const xy = library.fromWgs84(...lonLat);
    expect(own.fromWgs84(lonLat)[0]).toBeCloseTo(xy[0], 6);
    expect(own.fromWgs84(lonLat)[1]).toBeCloseTo(xy[1], 6);
    expect(metresApart(own.toWgs84(xy), library.toWgs84(...xy))).toBeLessThan(1e-6);
  });
});

/** What PROJ 9.1.1 computes for a position far from the origin, without grids. */
const USER_DEFINED = [
  ['+proj=stere +lat_0=90 +lat_ts=60 +lon_0=10 +datum=WGS84', [-500_000, -3_800_000], [2.504_142_36, 54.371_639_91]],
  ['+proj=merc +lat_ts=30 +datum=WGS84', [1_000_000, 5_000_000], [10.364_167_81, 46.119_257_6]],
  ['+proj=eqc +lat_ts=45 +datum=WGS84', [1_000_000, 5_000_000], [12.704_096_58, 44.915_764_21]],
  ['+proj=mill +datum=WGS84', [1_000_000, 5_000_000], [8.993_205_92, 42.273_306_41]],
  ['ESRI:54002', [1_000_000, 5_000_000], [17.966_305_68, 44.915_764_21]],
  ['+proj=geos +h=35785831 +sweep=y +datum=WGS84', [345_199.631_5, 4_662_157.507], [5.4, 52.15]],
] as const;

describe('systems without an EPSG code', () => {
  it.each(USER_DEFINED)('%s puts %j at %j', async (definition, xy, lonLat) => {
    expect(metresApart((await resolveCrs(definition)).toWgs84(xy), lonLat)).toBeLessThan(1);
  });

  it('gives NaN beside the disc that a geostationary satellite sees', async () => {
    const crs = await resolveCrs('+proj=geos +h=35785831 +sweep=y +datum=WGS84');
    expect(crs.toWgs84([5_500_000, 5_500_000])).toEqual([Number.NaN, Number.NaN]);
  });

  it('still resolves others after PROJ reported thousands of errors', async () => {
    const crs = await resolveCrs('+proj=geos +h=35785831 +sweep=y +datum=WGS84');
    for (let i = 0; i < 3000; i++) crs.toWgs84([9e6 + i, 9e6]);
    await expect(resolveCrs('EPSG:99998')).rejects.toThrow(/crs not found/);
  });
});

describe('systems that cannot be used', () => {
  it.each([
    ['EPSG:99999', /EPSG:99999 cannot be used: crs not found/],
    ['EPSG:5703', /kind VERTCRS has no horizontal coordinates/],
    ['EPSG:4978', /kind GEODCRS has no horizontal coordinates/],
    ['+proj=nonsense +no_defs', /\+proj=nonsense.*Unknown projection/],
    ['PROJCS["cut off"', /PROJCS "cut off" cannot be used: missing/],
    ['', /the definition is empty/],
    ['secret of a file', /system of 16 characters cannot be used: the definition cannot be interpreted/],
    [`GEOGCS["${'x'.repeat(70_000)}"]`, /has 70010 characters; the limit is 65536/],
    ['+proj=eqc +R=3396190 +no_defs', /a celestial body other than the Earth \(Mars\)/],
    ['+proj=longlat +R=1737400 +no_defs', /a celestial body other than the Earth \(Moon\)/],
    ['IAU_2015:49910', /a celestial body other than the Earth \(Mars/],
    [`${'PROJCRS["a",'.repeat(900)}${']'.repeat(900)}`, /cannot be used/],
    [`{"a":${'['.repeat(20_000)}`, /cannot be used/],
  ])('is refused by name: %.40s', async (definition, message) => {
    await expect(resolveCrs(definition)).rejects.toThrow(
      expect.objectContaining({ code: 'CRS_UNRESOLVABLE', message: expect.stringMatching(message) }) as Error,
    );
  });
});

it.each([
  ['UPS_South', -90, -75],
  ['UPS_North', 90, 75],
])('%s of ESRI has eastings first, as all of its texts have', async (name, pole, latitude) => {
  const system = (projection: string) =>
    `PROJCS["${name}",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["${projection}"],PARAMETER["False_Easting",2000000.0],PARAMETER["False_Northing",2000000.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Scale_Factor",0.994],PARAMETER["Latitude_Of_Origin",${pole}.0],UNIT["Meter",1.0]]`;
  const northwards = pole < 0 ? 1 : -1;
  for (const projection of ['Stereographic', 'Polar_Stereographic']) {
    const crs = await resolveCrs(system(projection));
    const [longitude, found] = crs.toWgs84([2_000_000, 2_000_000 + northwards * 1_674_550.1937]);
    expect([longitude, found]).toEqual([expect.closeTo(0, 6), expect.closeTo(latitude, 6)]);
  }
});
