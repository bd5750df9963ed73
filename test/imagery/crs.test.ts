import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crsOfGeoKeys, resolveCrs } from '../../src/imagery/crs.ts';

interface Projected {
  readonly epsg: number;
  readonly name: string;
  readonly lonLat: [number, number];
  readonly xy: [number, number];
  readonly unitM: number;
}

/** What PROJ 9.5 computes without grid files, for one position in the area of each system. */
const projections = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/projections.json'), 'utf8'),
) as Projected[];

/** Old datums with several published shifts, of which PROJ takes one for the region: metres that ours may differ by. */
const SHIFTS_DIFFER: Readonly<Record<number, number>> = {
  2030: 30,
  2320: 8,
  2407: 60,
  2436: 60,
  4147: 50,
  4267: 20,
  4408: 15,
  5514: 3,
  20822: 10,
  21460: 60,
  24882: 50,
  26332: 10,
  26709: 15,
  26738: 30,
  32016: 15,
  32045: 15,
};

describe('positions in 238 systems of the EPSG registry', () => {
  it.each(projections)('EPSG:$epsg $name is where PROJ puts it, and back', ({ epsg, lonLat, xy, unitM }) => {
    const crs = resolveCrs(`EPSG:${epsg}`);
    const [x, y] = crs.fromWgs84(lonLat);
    const offM = Math.max(Math.abs(x - xy[0]), Math.abs(y - xy[1])) * unitM;
    expect(offM).toBeLessThan(SHIFTS_DIFFER[epsg] ?? 2.2);
    const [longitude, latitude] = crs.toWgs84([x, y]);
    expect(Math.abs(longitude - lonLat[0])).toBeLessThan(1e-7);
    expect(Math.abs(latitude - lonLat[1])).toBeLessThan(1e-7);
  });
});

describe('systems that cannot be used', () => {
  it.each([
    ['EPSG:99999', /EPSG:99999/],
    ['EPSG:5703', /no horizontal coordinates/],
    ['EPSG:4978', /no horizontal coordinates/],
    ['EPSG:4807', /grads/],
    ['EPSG:5539', /grid file CA61_003.gsb/],
    ['+proj=nonsense +no_defs', /nonsense/],
    ['PROJCS["cut off', /PROJCS/],
  ])('%s is refused by name', (definition, message) => {
    expect(() => resolveCrs(definition)).toThrow(expect.objectContaining({ code: 'CRS_UNRESOLVABLE' }) as Error);
    expect(() => resolveCrs(definition)).toThrow(message);
  });

  it('says of GeoKeys with units but no system that they name none', () => {
    const keys = { GTCitationGeoKey: 'site grid|', ProjLinearUnitsGeoKey: 9001 };
    expect(() => crsOfGeoKeys(keys)).toThrow('"site grid" cannot be used: it has units but no projection or datum');
  });

  it('refuses a geocentric model by its number', () => {
    expect(() => crsOfGeoKeys({ GTModelTypeGeoKey: 3 })).toThrow(/model type 3/);
  });
});

describe('GeoKeys', () => {
  it('without any system give none', () => {
    expect(crsOfGeoKeys({ GTRasterTypeGeoKey: 1 })).toBeNull();
  });

  it('of a user-defined projection take the shift of the geographic system beneath', () => {
    const keys = {
      GTModelTypeGeoKey: 1,
      GeographicTypeGeoKey: 4289,
      ProjectedCSTypeGeoKey: 32_767,
      ProjCoordTransGeoKey: 1,
      ProjNatOriginLongGeoKey: 5,
      ProjNatOriginLatGeoKey: 0,
      ProjFalseEastingGeoKey: 0,
      ProjFalseNorthingGeoKey: 0,
      ProjScaleAtNatOriginGeoKey: 1,
      ProjLinearUnitsGeoKey: 9001,
    };
    expect(crsOfGeoKeys(keys)).toContain('+towgs84=565.4171,50.3319,465.5524');
  });

  it('with an ESRI citation give its WKT', () => {
    const wkt =
      'PROJCS["x",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",15.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]';
    const keys = { GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 32_767, PCSCitationGeoKey: `ESRI PE String = ${wkt}|` };
    const [x, y] = resolveCrs(crsOfGeoKeys(keys)!).fromWgs84([15, 45]);
    expect(x).toBeCloseTo(500_000, 3);
    expect(y).toBeCloseTo(resolveCrs('EPSG:32633').fromWgs84([15, 45])[1], 3);
  });
});
