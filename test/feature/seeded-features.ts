import { type Database, Prisma } from '../../src/database/database.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { newSegmentation, runningSegmentation } from '../database/seeds.ts';

/** Everything lies on a raster of 1/10000 of a degree, 10 E 50 N, so that outlines meet exactly where they should. */
const UNITS = 10_000;
/** A place on the raster, as GeoJSON has it; the database gets the same numbers. */
export const at = (x: number, y: number): [number, number] => [(100_000 + x) / UNITS, (500_000 + y) / UNITS];

/**
 * Stores features in rows of 100 cells of 10 units: squares that fill their cell and so touch the next, larger ones that
 * overlap it, every seventh with a hole, every eleventh of two parts; each is the neighbour of the next, and a thousand
 * questions found them in turn. Written by plain SQL, as many are wanted. In a database with nothing else in it.
 */
export async function seedFeatures(database: Database, count: number): Promise<void> {
  const { scene } = await runningSegmentation(database);
  const questions = Array.from({ length: 999 }, (_, index) =>
    newSegmentation(scene.id, { prompt: `question ${index}` }),
  );
  await new SegmentationRepository(database).create(questions, { force: true, key: null });
  await database.execute(Prisma.sql`
    INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness,
                         pixel_count, mean_probability)
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, ${scene.id}::uuid, asked.id, n,
           outline, ST_Centroid(outline), ST_Area(outline::geography), ST_Perimeter(outline::geography), 0.5 + (n % 50) / 100.0,
           100, (n % 97) / 97.0
    FROM generate_series(1, ${count}::int) AS n
         JOIN (SELECT s.id, row_number() OVER (ORDER BY s.id) AS place FROM segmentation AS s) AS asked ON asked.place = 1 + n % 1000,
         LATERAL (SELECT (n - 1) % 100 * 10 AS x, (n - 1) / 100 * 10 AS y, CASE n % 3 WHEN 1 THEN 15 ELSE 10 END AS side) AS c,
         LATERAL (SELECT ST_MakeEnvelope((100000 + x) / 10000.0, (500000 + y) / 10000.0, (100000 + x + side) / 10000.0,
                                         (500000 + y + side) / 10000.0, 4326) AS square,
                         ST_MakeEnvelope((100000 + x + 3) / 10000.0, (500000 + y + 3) / 10000.0, (100000 + x + 6) / 10000.0,
                                         (500000 + y + 6) / 10000.0, 4326) AS middle) AS s,
         LATERAL (SELECT CASE WHEN n % 7 = 0 THEN ST_Difference(square, middle)
                              WHEN n % 11 = 0 THEN ST_Multi(ST_Union(middle, ST_Translate(middle, 0.002, 0)))
                              ELSE square END AS outline) AS o`);
  await database.execute(Prisma.sql`
    INSERT INTO feature_adjacency (feature_a, feature_b, scene_id, relation, gap_m)
    SELECT f.id, next.id, f.scene_id, 'TOUCHES', 0
    FROM feature AS f JOIN feature AS next ON next.segmentation_id <> f.segmentation_id AND next.label = f.label + 1`);
  await database.execute(Prisma.sql`ANALYZE feature, feature_adjacency, segmentation, scene`);
}

/**
 * Copies the first of the seeded features, half a cell aside, into a segmentation of a second scene on the same ground.
 * @returns identifier of the segmentation
 */
export async function copyInOtherScene(database: Database, count: number): Promise<string> {
  const { scene, segmentation } = await runningSegmentation(database);
  await database.execute(Prisma.sql`
    INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness,
                         pixel_count, mean_probability)
    SELECT ('01900000-0000-7001-8000-' || lpad(to_hex(f.label), 12, '0'))::uuid, ${scene.id}::uuid, ${segmentation.id}::uuid,
           f.label, ST_Translate(f.geometry, 0.0005, 0.0005), ST_Translate(f.centroid, 0.0005, 0.0005), f.area_m2,
           f.perimeter_m, f.compactness, f.pixel_count, f.mean_probability
    FROM feature AS f WHERE f.label <= ${count}::int`);
  await database.execute(Prisma.sql`ANALYZE feature, feature_adjacency, segmentation, scene`);
  return segmentation.id;
}

/** The first of the days on which the scenes of {@link scatterOverScenes} were taken, one a day. */
export const FIRST_DAY = new Date('2001-01-01T00:00:00Z');

/** Stores features 5° east of the others, 40 of each of a number of scenes. */
export async function scatterOverScenes(database: Database, scenes: number): Promise<void> {
  const { scene, segmentation } = await runningSegmentation(database);
  await database.execute(Prisma.sql`
    INSERT INTO scene (id, name, source, sha256, width_px, height_px, bands, dtype, rgb_bands, acquired_at)
    SELECT ('01900000-0000-7002-8000-' || lpad(to_hex(n), 12, '0'))::uuid, name, source, sha256, width_px, height_px, bands,
           dtype, rgb_bands, ${FIRST_DAY.toISOString()}::timestamptz + (n - 1) * interval '1 day'
    FROM scene CROSS JOIN generate_series(1, ${scenes}::int) AS n WHERE id = ${scene.id}::uuid`);
  await database.execute(Prisma.sql`
    INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness,
                         pixel_count, mean_probability)
    SELECT ('01900000-0000-7002-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
           ('01900000-0000-7002-8000-' || lpad(to_hex(1 + n % ${scenes}::int), 12, '0'))::uuid, ${segmentation.id}::uuid, n,
           square, ST_Centroid(square), 100, 40, 0.78, 100, 0.5
    FROM generate_series(1, 40 * ${scenes}::int) AS n,
         LATERAL (SELECT ST_MakeEnvelope(15 + n % 200 / 1000.0, 50 + n / 200 / 1000.0, 15.0005 + n % 200 / 1000.0,
                                         50.0005 + n / 200 / 1000.0, 4326) AS square) AS s`);
  await database.execute(Prisma.sql`ANALYZE feature, scene`);
}
