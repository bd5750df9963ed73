import { describe, expect, it } from 'vitest';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { checkDomain } from '../../src/imagery/domain.ts';
import type { Affine } from '../../src/raster/affine.ts';

const METEOSAT = '+proj=geos +h=35785831 +sweep=y +datum=WGS84';

describe('the domain of a projection', () => {
  it.each<[string, string, Affine, number, number]>([
    ['the whole world in degrees', 'EPSG:4326', [-180, 1, 0, 90, 0, -1], 360, 180],
    ['longitudes 0 to 360', 'EPSG:4326', [0, 1, 0, 90, 0, -1], 360, 180],
    ['web mercator past its seam', 'EPSG:3857', [20_000_000, 100, 0, 0, 0, -100], 2000, 100],
    ['a zone of UTM and its neighbour', 'EPSG:32660', [830_000, 100, 0, 7_000_000, 0, -100], 400, 300],
    ['a pole in stereographic', 'EPSG:3413', [-1_000_000, 10_000, 0, 1_000_000, 0, -10_000], 200, 200],
    ['Europe in its equal-area system', 'EPSG:3035', [4_000_000, 1000, 0, 3_200_000, 0, -1000], 200, 200],
    ['a part of what a geostationary satellite sees', METEOSAT, [-2e6, 1e4, 0, 2e6, 0, -1e4], 400, 400],
    ['Paris meridian in grads', 'EPSG:4807', [0.1, 1e-4, 0, 54, 0, -1e-4], 100, 100],
  ])('holds %s', async (_name, definition, affine, widthPx, heightPx) => {
    const crs = await resolveCrs(definition);
    expect(() => checkDomain(affine, crs, widthPx, heightPx)).not.toThrow();
  });

  it.each<[string, string, Affine, RegExp]>([
    ['the corner beside the disc', METEOSAT, [-5.5e6, 1e5, 0, 5.5e6, 0, -1e5], /-5500000, 5500000 .* no longitude/],
    ['latitudes beyond the pole', 'EPSG:4326', [0, 1, 0, 200, 0, -1], /lies outside|no longitude|would lie/],
    [
      'another continent',
      'EPSG:2154',
      [100, 10, 0, 100, 0, -10],
      /would lie at .* far outside the area of use of EPSG:2154/,
    ],
    ['twice around the Earth', '+proj=moll +datum=WGS84', [4e7, 1e4, 0, 0, 0, -1e4], /no longitude|outside the domain/],
  ])('excludes %s', async (_name, definition, affine, message) => {
    const crs = await resolveCrs(definition);
    expect(() => checkDomain(affine, crs, 110, 110)).toThrow(
      expect.objectContaining({ code: 'CRS_OUT_OF_RANGE', message: expect.stringMatching(message) }) as Error,
    );
  });
});
