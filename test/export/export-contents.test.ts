import { wktToGeoJSON } from 'betterknown';
import { deserialize } from 'flatgeobuf/lib/mjs/geojson.js';
import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database } from '../../src/database/database.ts';
import { convertFile } from '../../src/export/convert-file.ts';
import { CrsRefusedError, ExportOutsideCrsError } from '../../src/export/export-errors.ts';
import type { ExportService } from '../../src/export/export.service.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { exported, exportServiceOn, storeForExport } from './stored-exports.ts';

const CRS = 'EPSG:25832';
/** Without the feature across the antimeridian, which lies far outside the system. */
const EUROPE = { bbox: [0, 40, 20, 60] };
let database: Database;
let service: ExportService;
beforeAll(async () => {
  database = await openTestDatabase();
  await storeForExport(database);
  service = exportServiceOn(database);
});
afterAll(() => database.close());

type Outline = Polygon | MultiPolygon;
const positions = ({ type, coordinates }: Outline): Position[] =>
  (type === 'Polygon' ? [coordinates] : coordinates).flat(2);

/** The same features, moved by GDAL. */
async function movedByGdal(): Promise<Position[][]> {
  const options = ['-f', 'FlatGeobuf', '-lco', 'SPATIAL_INDEX=NO', '-t_srs', CRS];
  const bytes = await exported(service, 'fgb', { filter: EUROPE });
  const file = await convertFile({ bytes, from: 'fgb', to: 'moved.fgb', options });
  const features: Feature[] = [];
  for await (const feature of deserialize(new Uint8Array(file))) features.push(feature);
  return features.map(({ geometry }) => positions(geometry as Outline));
}

function expectSame(outlines: readonly Outline[], expected: readonly Position[][]): void {
  expect(outlines).toHaveLength(expected.length);
  outlines.forEach((outline, index) => {
    const all = positions(outline);
    expect(all).toHaveLength(expected[index]!.length);
    for (const [at, [x, y]] of all.entries()) {
      expect(x).toBeCloseTo(expected[index]![at]![0]!, 4);
      expect(y).toBeCloseTo(expected[index]![at]![1]!, 4);
    }
  });
}

const bufferOf = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;

describe('outlines in another system', () => {
  it('are where GDAL moves them, in csv and in parquet, whose metadata name the system', async () => {
    const expected = await movedByGdal();
    const csv = (await exported(service, 'csv', { filter: EUROPE, crs: CRS, include: ['areaM2'] })).toString();
    const wkts = csv
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(line.indexOf('"') + 1, -1));
    expectSame(
      wkts.map((wkt) => wktToGeoJSON(wkt) as Outline),
      expected,
    );

    const file = bufferOf(await exported(service, 'parquet', { filter: EUROPE, crs: CRS }));
    const rows = await parquetReadObjects({ file });
    expectSame(
      rows.map(({ geometry }) => geometry as Outline),
      expected,
    );
    for (const [index, { bbox }] of rows.entries()) {
      expect(bbox.xmin).toBeCloseTo(Math.min(...expected[index]!.map(([x]) => x!)), 4);
      expect(bbox.ymax).toBeCloseTo(Math.max(...expected[index]!.map(([, y]) => y!)), 4);
    }
    const geo = parquetMetadata(file).key_value_metadata?.find(({ key }) => key === 'geo')?.value;
    const { crs, bbox } = JSON.parse(geo!).columns.geometry;
    expect(crs).toMatchObject({ type: 'ProjectedCRS', id: { authority: 'EPSG', code: 25832 } });
    expect(bbox[0]).toBeGreaterThan(100_000);
  });

  it.each(['geojson', 'ndjson', 'geojsons'])('are refused in %s, by RFC 7946', async (format) => {
    const refused = exported(service, format, { crs: CRS });
    await expect(refused).rejects.toThrow(CrsRefusedError);
    await expect(refused).rejects.toThrow('RFC 7946 allows only WGS 84');
  });

  it('are refused where the system has no coordinates for a feature', async () => {
    const away = exported(service, 'csv', { crs: 'EPSG:32645', filter: { bbox: [179, -1, -179, 1] } });
    await expect(away).rejects.toThrow(ExportOutsideCrsError);
    await expect(away).rejects.toThrow(/has no coordinates in EPSG:32645 at /);
  });
});

describe('include', () => {
  const request = { include: ['prompt', 'areaM2'] };

  it('says which attributes are written, in the order of all; the identifier is always there', async () => {
    const names = ['id', 'prompt', 'areaM2'];
    const csv = (await exported(service, 'csv', request)).toString();
    expect(csv.split('\r\n')[0]).toBe([...names, 'wkt'].join(','));
    const { features } = JSON.parse((await exported(service, 'geojson', request)).toString()) as FeatureCollection;
    expect(Object.keys(features[0]!.properties!)).toEqual(['prompt', 'areaM2']);
    expect(features[0]!.id).toBeDefined();
    const { schema } = parquetMetadata(bufferOf(await exported(service, 'parquet', request)));
    expect(schema.map(({ name }) => name)).toEqual([
      'schema',
      ...names,
      'bbox',
      'xmin',
      'ymin',
      'xmax',
      'ymax',
      'geometry',
    ]);
    for await (const feature of deserialize(new Uint8Array(await exported(service, 'fgb', request)))) {
      expect(Object.keys((feature as Feature).properties!)).toEqual(names);
    }
  });

  it('refuses an attribute that does not exist, and names those that do', async () => {
    await expect(exported(service, 'csv', { include: ['colour'] })).rejects.toThrow(
      /include names "colour"; the attributes are id, .*createdAt, /,
    );
  });
});
