import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deserialize } from 'flatgeobuf/lib/mjs/geojson.js';
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { FEATURE_ATTRIBUTES } from '../../src/feature/feature-record.ts';
import type { ExportService } from '../../src/export/export.service.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { gdal, hasGdal } from './gdal.ts';
import { exported, exportServiceOn, ODD_PROMPT, storeForExport } from './stored-exports.ts';

let database: Database;
let service: ExportService;
let folder = '';
const StoredRow = z.object({ id: z.string(), areaM2: z.number(), outline: z.string() });
let stored: z.infer<typeof StoredRow>[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  await storeForExport(database);
  service = exportServiceOn(database);
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-export-'));
  stored = await database.query(
    StoredRow,
    Prisma.sql`
      SELECT id, area_m2 AS "areaM2", ST_AsGeoJSON(geometry, 15, 0) AS outline FROM feature
      WHERE geometry IS NOT NULL ORDER BY area_m2 DESC`,
  );
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const properties = (feature: Feature) => feature.properties as Record<string, unknown>;
const collection = async (request: object = {}) =>
  JSON.parse((await exported(service, 'geojson', request)).toString()) as FeatureCollection;

/** Geodesic areas of geometries as PostGIS measures them, m². */
async function areas(geometries: readonly Geometry[]): Promise<number[]> {
  const AreaRow = z.object({ area: z.number() });
  const rows = await database.query(
    AreaRow,
    Prisma.sql`
      SELECT ST_Area(ST_GeomFromGeoJSON(g.value)::geography) AS area
      FROM json_array_elements_text(${JSON.stringify(geometries.map((one) => JSON.stringify(one)))}::text::json)
        WITH ORDINALITY AS g(value, place) ORDER BY place`,
  );
  return rows.map(({ area }) => area);
}

describe('a file of features', () => {
  it('is one RFC 7946 feature collection as geojson, largest first, without features in pixels', async () => {
    const { type, features } = await collection();
    expect(type).toBe('FeatureCollection');
    expect(features.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    for (const feature of features) {
      expect(Object.keys(properties(feature))).toEqual(FEATURE_ATTRIBUTES.map(({ name }) => name).slice(1));
    }
    const [west, south, east, north] = features.find((feature) => properties(feature)['prompt'] === ODD_PROMPT)!.bbox!;
    expect([west, south, east, north]).toEqual([179.9, 0, -179.8, 0.1]);
  });

  it('has one feature a line as ndjson, the same as in geojson', async () => {
    const lines = (await exported(service, 'ndjson')).toString().trimEnd().split('\n');
    expect(lines.map((text) => JSON.parse(text) as unknown)).toEqual((await collection()).features);
  });

  it('is RFC 4180 as csv, and no text in it begins like a formula', async () => {
    const text = (await exported(service, 'csv', { orderBy: { by: 'CREATED', direction: 'DESC' } })).toString();
    const [heading] = text.split('\r\n');
    expect(heading).toBe(`${FEATURE_ATTRIBUTES.map(({ name }) => name).join(',')},wkt`);
    expect(text).toContain(`,"'${ODD_PROMPT.replaceAll('"', '""')}",`);
    expect(text).toContain(",'+Fields,");
    expect(text).not.toMatch(/(^|,|\n)"?[=+@-][A-Z]/);
    expect(text).toContain('"MULTIPOLYGON(((179.9 0,');
    expect(text.endsWith('"\r\n')).toBe(true);
  });

  it('rounds coordinates of texts to the precision asked for', async () => {
    const { features } = await collection({ precision: 2, limit: 1, filter: { areaM2: { min: 1e8 } } });
    expect(JSON.stringify(features.map(({ geometry }) => geometry))).toBe(
      '[{"type":"Polygon","coordinates":[[[10.33,50.33],[10.67,50.33],[10.67,50.67],[10.33,50.67],[10.33,50.33]]]}]',
    );
  });

  it('is FlatGeobuf of MultiPolygons as fgb, with the coordinates as stored', async () => {
    const features: Feature[] = [];
    for await (const feature of deserialize(new Uint8Array(await exported(service, 'fgb')))) {
      features.push(feature);
    }
    expect(features.map((feature) => properties(feature)['id'])).toEqual(stored.map(({ id }) => id));
    for (const [index, { geometry }] of features.entries()) {
      const outline = JSON.parse(stored[index]!.outline) as { type: string; coordinates: unknown };
      const parts = outline.type === 'Polygon' ? [outline.coordinates] : outline.coordinates;
      expect(geometry).toEqual({ type: 'MultiPolygon', coordinates: parts });
    }
  });

  it('is GeoParquet 1.1 as parquet, with extents that cover the antimeridian', async () => {
    const bytes = await exported(service, 'parquet');
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const geo = parquetMetadata(file).key_value_metadata?.find(({ key }) => key === 'geo')?.value;
    expect(JSON.parse(geo!)).toEqual({
      version: '1.1.0',
      primary_column: 'geometry',
      columns: {
        geometry: {
          encoding: 'WKB',
          geometry_types: ['MultiPolygon', 'Polygon'],
          edges: 'planar',
          bbox: [-180, 0, 180, 50 + 2 / 3],
          covering: {
            bbox: {
              xmin: ['bbox', 'xmin'],
              ymin: ['bbox', 'ymin'],
              xmax: ['bbox', 'xmax'],
              ymax: ['bbox', 'ymax'],
            },
          },
        },
      },
    });
    const rows = await parquetReadObjects({ file });
    expect(rows.map(({ id }) => id as string)).toEqual(stored.map(({ id }) => id));
    rows.forEach(({ geometry, bbox, createdAt, pixelCount, prompt }, index) => {
      expect(geometry).toEqual(JSON.parse(stored[index]!.outline));
      expect(createdAt).toBeInstanceOf(Date);
      expect(typeof pixelCount).toBe('bigint');
      if (prompt === ODD_PROMPT && bbox.xmin < 0) expect(bbox).toEqual({ xmin: -180, ymin: 0, xmax: 180, ymax: 0.1 });
    });
  });

  it.each(['geojson', 'ndjson', 'csv', 'fgb', 'parquet'])(
    'is whole and empty as %s when nothing matches',
    async (format) => {
      const nothing = await exported(service, format, { filter: { areaM2: { min: 1e15 } } });
      if (format === 'geojson') {
        expect(JSON.parse(nothing.toString())).toEqual({ type: 'FeatureCollection', features: [] });
      } else if (format === 'ndjson') {
        expect(nothing.toString()).toBe('{"type":"FeatureCollection","features":[]}\n');
      } else if (format === 'csv') expect(nothing.toString().split('\r\n')).toHaveLength(2);
      else if (format === 'fgb') expect(nothing.subarray(0, 3).toString()).toBe('fgb');
      else expect(parquetMetadata(new Uint8Array(nothing).buffer).num_rows).toBe(0n);
    },
  );
});

describe.skipIf(!hasGdal)('a file of features, read back by GDAL (skipped where gdal-bin is not installed)', () => {
  it.each([
    ['geojson', true],
    ['geojsonl', true],
    ['geojsons', true],
    ['csv', false],
    ['fgb', true],
  ])('has the same count, areas and CRS as %s', async (format, tellsCrs) => {
    const file = path.join(folder, `features.${format}`);
    await writeFile(file, await exported(service, format === 'geojsonl' ? 'ndjson' : format));
    const source = file;
    const read = JSON.parse(
      await gdal('ogr2ogr', '-f', 'GeoJSON', '-lco', 'COORDINATE_PRECISION=15', '/vsistdout/', source),
    ) as FeatureCollection;
    expect(read.features).toHaveLength(stored.length);
    const measured = await areas(read.features.map(({ geometry }) => geometry));
    read.features.forEach((feature, index) => {
      expect(Number(properties(feature)['areaM2'])).toBeCloseTo(stored[index]!.areaM2, 6);
      expect(measured[index]! / stored[index]!.areaM2).toBeCloseTo(1, 5);
    });
    const summary = await gdal('ogrinfo', '-so', '-al', source);
    expect(/ID\["EPSG",4326\]\]\n/.test(summary)).toBe(tellsCrs);
    expect(summary).toContain(`Feature Count: ${stored.length}`);
  });

  it.each(['geojson', 'geojsonl', 'geojsons', 'csv', 'fgb'])('is a layer without features as %s', async (format) => {
    const file = path.join(folder, `nothing.${format}`);
    const filter = { areaM2: { min: 1e15 } };
    await writeFile(file, await exported(service, format === 'geojsonl' ? 'ndjson' : format, { filter }));
    expect(await gdal('ogrinfo', '-so', '-al', file)).toContain('Feature Count: 0');
  });
});
