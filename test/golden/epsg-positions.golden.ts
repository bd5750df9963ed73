import { describe, expect, it } from 'vitest';
import { gdal, resolveCrs } from '../../src/imagery/crs/crs.ts';
import { epsgPositions, metresApart } from '../imagery/epsg-positions.ts';

/** Codes whose preferred shift to WGS 84 differs between the registry of PROJ 9.1 (the fixture) and that of 9.3. */
const SHIFT_REVISED: readonly number[] = [];

describe('1,557 systems of the EPSG registry', () => {
  it.each(['code', 'WKT2_2019', 'WKT1_GDAL', 'WKT1_ESRI'] as const)(
    'are within 1 m of PROJ as %s',
    async (spelling) => {
      const library = await gdal();
      const far: string[] = [];
      for (const { code, xy, lonLat } of epsgPositions) {
        const definition = spelling === 'code' ? `EPSG:${code}` : library.wktOf(`EPSG:${code}`, spelling);
        if (definition === '' || SHIFT_REVISED.includes(code)) continue;
        const away = metresApart((await resolveCrs(definition)).toWgs84(xy), lonLat);
        if (!(away < 1)) far.push(`EPSG:${code} ${away.toFixed(1)} m`);
      }
      expect(far).toEqual([]);
    },
  );
});
