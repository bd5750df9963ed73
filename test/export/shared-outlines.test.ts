import type { FeatureCollection } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { ExportService } from '../../src/export/export.service.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { type Affine, pixelToMap } from '../../src/raster/affine.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { polygonToWgs84 } from '../../src/vector/polygon-geojson.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { pixelMeasures } from '../feature/measure-values.ts';
import { seededRandom } from '../seeded.ts';
import { byteMask, maskOf } from '../vector/seeded-masks.ts';
import { exported, exportServiceOn } from './stored-exports.ts';

const SIDE = 90;
const PROMPTS = 4;
/** Pixels of 10 m, turned by some ten degrees. */
const TURNED: Affine = [500_000, 9.8, 1.8, 5_540_000, 1.8, -9.8];

/** The prompt of each pixel: cells around seeded sites with ragged borders, all of the square covered. */
function promptAt(seed: number): (column: number, row: number) => number {
  const random = seededRandom(seed);
  const sites = Array.from({ length: 20 }, () => [random() * SIDE, random() * SIDE] as const);
  return (column, row) => {
    const [x, y] = [column + 2 * Math.sin(row / 3), row + 2 * Math.cos(column / 4)];
    const distances = sites.map(([siteX, siteY]) => Math.hypot(siteX - x, siteY - y));
    return distances.indexOf(Math.min(...distances)) % PROMPTS;
  };
}

/** Traces each prompt by itself, as the service does: neighbours of different prompts know nothing of one another. */
async function storeCoverage(database: Database, seed: number): Promise<string> {
  const crs = await resolveCrs('EPSG:32632');
  const toWgs84 = (column: number, row: number): [number, number] => crs.toWgs84(pixelToMap(TURNED, column, row));
  const image = { name: `Coverage ${seed}`, crs: 'EPSG:32632', affine: TURNED, widthPx: SIDE, heightPx: SIDE };
  const { scene, segmentation } = await runningSegmentation(database, image);
  const promptOf = promptAt(seed);
  for (let prompt = 0; prompt < PROMPTS; prompt++) {
    const labelled = labelMask(
      maskOf(byteMask('cells', SIDE, SIDE, (column, row) => promptOf(column, row) === prompt)),
    );
    const features = tracePolygons(labelled, 16).map((traced) => ({
      label: traced.label,
      geometry: polygonToWgs84(traced, toWgs84),
      ...pixelMeasures({ pixelCount: labelled.pixelCount(traced.label), meanProbability: 0.9 }),
    }));
    const asked =
      prompt === 0 ? segmentation : await startSegmentation(database, scene.id, { prompt: `prompt ${prompt}` });
    await new SegmentationRepository(database).storeResult(asked, resultOf(features));
  }
  return scene.id;
}

let database: Database;
let service: ExportService;
beforeAll(async () => {
  database = await openTestDatabase();
  service = exportServiceOn(database);
});
afterAll(() => database.close());

const CoverageRow = z.object({
  valid: z.boolean(),
  wound: z.boolean(),
  overlapM2: z.number(),
  parts: z.number(),
  holes: z.number(),
  shiftM: z.number(),
  vertices: z.number(),
  storedVertices: z.number(),
});

/** What PostGIS says of outlines together, beside those that are stored. */
async function measured({ features }: FeatureCollection): Promise<z.infer<typeof CoverageRow>> {
  const outlines = features.map(({ id, geometry }) => ({ id, outline: JSON.stringify(geometry) }));
  const [row] = await database.query(
    CoverageRow,
    Prisma.sql`
      WITH read AS (
        SELECT f.id, ST_GeomFromGeoJSON(r.outline) AS g, f.geometry AS stored
        FROM json_to_recordset(${JSON.stringify(outlines)}::text::json) AS r(id uuid, outline text) JOIN feature AS f ON f.id = r.id
      ), united AS (SELECT ST_Union(g) AS g FROM read)
      SELECT bool_and(ST_IsValid(g)) AS valid, bool_and(ST_IsPolygonCCW(g)) AS wound,
        (SELECT COALESCE(sum(ST_Area(ST_Intersection(a.g, b.g)::geography)), 0) FROM read AS a JOIN read AS b ON a.id < b.id AND ST_Intersects(a.g, b.g)) AS "overlapM2",
        (SELECT ST_NumGeometries(g) FROM united) AS parts,
        (SELECT sum(ST_NumInteriorRings(part.geom))::int FROM united, ST_Dump(united.g) AS part) AS holes,
        max(ST_HausdorffDistance(ST_Transform(ST_Boundary(g), 32632), ST_Transform(ST_Boundary(stored), 32632))) AS "shiftM",
        sum(ST_NPoints(g))::int AS vertices, sum(ST_NPoints(stored))::int AS "storedVertices"
      FROM read`,
  );
  return row!;
}

describe('simplified outlines', () => {
  it.each([1, 2, 3])('of neighbours stay shared, valid and wound right, within the shift (seed %i)', async (seed) => {
    const scene = await storeCoverage(database, seed);
    const read = async (request: object): Promise<FeatureCollection> =>
      JSON.parse((await exported(service, 'geojson', { filter: { sceneId: scene }, ...request })).toString());
    for (const simplifyM of [15, 60]) {
      const found = await measured(await read({ simplifyM, precision: 9 }));
      expect(found).toMatchObject({ valid: true, wound: true, parts: 1, holes: 0 });
      expect(found.overlapM2).toBeLessThan(0.1);
      expect(found.shiftM).toBeLessThan(simplifyM + 0.01);
      expect(found.vertices).toBeLessThan(found.storedVertices / 2);
    }
  });

  it('are the same in every format', async () => {
    const request = { simplifyM: 30, limit: 3 };
    const { features } = JSON.parse(
      (await exported(service, 'geojson', { ...request, precision: 15 })).toString(),
    ) as FeatureCollection;
    const csv = (await exported(service, 'csv', { ...request, precision: 15 }))
      .toString()
      .trimEnd()
      .split('\r\n')
      .slice(1);
    csv.forEach((line, index) => {
      const numbers = (text: string): number[] => (text.match(/-?\d+\.\d+/g) ?? []).map(Number);
      expect(numbers(line.slice(line.indexOf('"')))).toEqual(numbers(JSON.stringify(features[index]!.geometry)));
    });
  });
});
