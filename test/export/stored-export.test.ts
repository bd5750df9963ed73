import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveOgc, type ServedOgc } from '../ogc/served-ogc.ts';
import { gdal, hasGdal } from './gdal.ts';
import { type MadeExports, madeExports } from './made-exports.ts';
import { storeForExport } from './stored-exports.ts';

let ogc: ServedOgc;
let finished: MadeExports['finished'];
let created: MadeExports['created'];
beforeAll(async () => {
  ogc = await serveOgc(storeForExport);
  ({ created, finished } = madeExports(ogc));
});
afterAll(() => ogc.close());

describe('a stored file', () => {
  it.each([
    'GEOJSON',
    'NDJSON',
    'GEOJSON_SEQUENCE',
    'CSV',
    'COCO',
    'GEOPARQUET',
    'GEOPARQUET_PARTITIONED',
    'FLATGEOBUF',
    'GEOPACKAGE',
    'PMTILES',
  ])('is made as %s, with its length, ranges and an entity tag', async (format) => {
    const stored = await finished({ format });
    expect(stored.failure).toBeNull();
    const counts = format === 'COCO' ? { leftOut: 0, featuresTotal: 7 } : { leftOut: 2, featuresTotal: 5 };
    expect(stored).toMatchObject({ state: 'SUCCEEDED', ...counts });
    const whole = await fetch(stored.address);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(bytes).toHaveLength(stored.sizeBytes!);
    expect(whole.headers.get('content-length')).toBe(String(stored.sizeBytes));
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    const part = await fetch(stored.address, { headers: { range: 'bytes=10-29' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 30));
    const known = { 'if-none-match': whole.headers.get('etag')!, 'cache-control': 'max-age=0' };
    expect((await fetch(stored.address, { headers: known })).status).toBe(304);
  });

  it.runIf(hasGdal)('is read by GDAL where it lies, by its spatial index and in its system', async () => {
    for (const format of ['FLATGEOBUF', 'GEOPACKAGE']) {
      const { address } = await finished({ format, crs: 'EPSG:25832' });
      const summary = await gdal('ogrinfo', '-so', `/vsicurl/${address}`, 'features');
      expect(summary).toContain('Feature Count: 5');
      expect(summary).toContain('ETRS89 / UTM zone 32N');
      const box = ['-spat', '571600', '5539000', '571800', '5539400'];
      const found = await gdal('ogrinfo', '-al', '-geom=NO', ...box, `/vsicurl/${address}`, 'features');
      expect(found.match(/OGRFeature\(/g)).toHaveLength(1);
    }
  });

  it('takes the filter, order and limit of any other file', async () => {
    const stored = await finished({
      format: 'GEOJSON',
      filter: { areaM2: { min: 1 }, acquired: { from: '2024-01-01' } },
      orderBy: { by: 'AREA', direction: 'ASC' },
      limit: 2,
      precision: 3,
    });
    const { features } = (await (await fetch(stored.address)).json()) as {
      features: { properties: { areaM2: number } }[];
    };
    expect(features).toHaveLength(2);
    expect(features[0]!.properties.areaM2).toBeLessThan(features[1]!.properties.areaM2);
  });

  it.each([
    [{ format: 'GEOJSON', crs: 'EPSG:3857' }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'COCO', crs: 'EPSG:3857' }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'CSV', crs: 'EPSG:3857', precision: 3 }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'CSV', crs: 'EPSG:999999' }, 'CRS_UNRESOLVABLE'],
    [{ format: 'CSV', include: ['colour'] }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'PMTILES', include: ['areaM2'] }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'PMTILES', orderBy: { by: 'AREA', direction: 'ASC' } }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'GEOPACKAGE', crs: 'mercator' }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'GEOPACKAGE', crs: 'EPSG:999999' }, 'CRS_UNRESOLVABLE'],
    [{ format: 'CSV', precision: 99 }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'CSV', limit: 0 }, 'EXPORT_REQUEST_INVALID'],
    [{ format: 'CSV', view: 'none' }, 'VIEW_NOT_FOUND'],
    [{ format: 'CSV', view: 'none', filter: {} }, 'BAD_USER_INPUT'],
    [{ format: 'CSV', filter: { bbox: [0, 5, 1, 2] } }, 'INVALID_FILTER'],
  ])('is refused at once for %j', async (input, code) => {
    await expect(created(input)).rejects.toThrow(code);
  });

  it('is not found under another name or identifier, and cannot be cancelled once it is there', async () => {
    const stored = await finished({ format: 'CSV' });
    for (const path of [`/exports/${stored.id}/other.csv`, '/exports/none/features.csv']) {
      expect((await fetch(`${ogc.url}${path}`)).status).toBe(404);
    }
    const { error } = await ogc.ask('mutation($id: ID!) { cancelExport(id: $id) { id } }', { id: stored.id });
    expect(error?.code).toBe('EXPORT_FINISHED');
  });
});
