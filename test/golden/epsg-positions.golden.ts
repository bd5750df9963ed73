import { describe, expect, it } from 'vitest';
import { gdal, resolveCrs } from '../../src/imagery/crs/crs.ts';
import { epsgPositions, metresApart } from '../imagery/epsg-positions.ts';

const SPELLINGS = ['code', 'WKT2_2019', 'WKT1_GDAL', 'WKT1_ESRI'] as const;
type Spelling = (typeof SPELLINGS)[number];

/**
 * Positions that differ from those of the fixture, which PROJ 9.1 wrote, for a reason.
 * - The registry of PROJ 9.3 prefers other shifts to WGS 84: for NAD83(CSRS) a Helmert shift of 1.2 m instead of none
 *   (EPSG:6622), for Nord Sahara 1959 one that lies 3 to 8 m away (EPSG:30730 and 30792); the newer one counts.
 * - EPSG:9311 is computed on a sphere (method 1027), which PROJ 9.1 passed over; WKT 1 cannot say so.
 * - WKT 1 has room for one shift, TOWGS84: that of M'poraloko (EPSG:26632) is not the one that the registry prefers in the
 *   middle of its area. ESRI's text of EPSG:7373 names another realisation of its datum. GDAL 3.6.2 with PROJ 9.1 reads the same
 *   positions from the same texts (`gdaltransform`).
 */
const REVISED: Readonly<
  Record<number, readonly [longitude: number, latitude: number, spellings: readonly Spelling[]]>
> = {
  6622: [-68.474999684, 53.804989412, SPELLINGS],
  30730: [-3.000082476, 29.415012147, SPELLINGS],
  30792: [2.684964239, 33.075004294, SPELLINGS],
  9311: [-129.097296093, 45.112624118, ['code', 'WKT2_2019']],
  26632: [10.62603639, 1.159736885, ['WKT1_GDAL']],
  7373: [57.684994399, 20.534990294, ['WKT1_ESRI']],
};

function expectedOf(code: number, spelling: Spelling, lonLat: readonly [number, number]): readonly [number, number] {
  const [longitude, latitude, spellings] = REVISED[code] ?? [...lonLat, []];
  return spellings.includes(spelling) ? [longitude, latitude] : lonLat;
}

describe('1,557 systems of the EPSG registry', () => {
  it.each(SPELLINGS)('are within 1 m of PROJ as %s', async (spelling) => {
    const library = await gdal();
    const far: string[] = [];
    for (const { code, xy, lonLat } of epsgPositions) {
      const definition = spelling === 'code' ? `EPSG:${code}` : library.wktOf(`EPSG:${code}`, spelling);
      if (definition === '') continue;
      const away = metresApart((await resolveCrs(definition)).toWgs84(xy), expectedOf(code, spelling, lonLat));
      if (!(away < 1)) far.push(`EPSG:${code} ${away.toFixed(1)} m`);
    }
    expect(far).toEqual([]);
  });
});
