import type pg from 'pg';
import type { Database } from '../../../src/database/database.ts';
import { SceneRepository } from '../../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../../src/segmentation/segmentation.repository.ts';
import { newScene, newSegmentation } from '../../database/seeds.ts';

/** South-west corner of the city, and the distance of its features in degrees: about 100 m in both directions. */
export const ORIGIN = { east: 10, north: 50 } as const;
export const STEP = { east: 0.0014, north: 0.0009 } as const;
const COLUMNS = 500;

/** Prompts that found the features. */
const PROMPTS = ['every building', 'open water', 'paved road', 'dense forest'] as const;

/** A finite number of features as columns and rows of the grid. */
export const gridOf = (features: number) => ({ columns: COLUMNS, rows: Math.floor(features / COLUMNS) });

/**
 * Stores features in rows of 500, one about every 100 m: outlines of 24 vertices that are 20 to 45 m from their middle,
 * found by one of four prompts. Each is a stored neighbour of those to the right and above. Made of sines and of hashes, so
 * that every run asks the same data.
 */
export async function seedCity(database: Database, client: pg.Client, features: number): Promise<void> {
  const scene = await new SceneRepository(database).insert(newScene());
  const segmentations = await new SegmentationRepository(database).create(
    PROMPTS.map((prompt) => newSegmentation(scene.id, { prompt })),
    { force: true, key: null },
  );
  // What is stored refers to what is there: no need to look each of it up.
  await client.query('SET session_replication_role = replica');
  await client.query(FEATURES, [scene.id, segmentations.map(({ id }) => id), features]);
  await client.query(PAIRS);
  await client.query("UPDATE segmentation SET state = 'SUCCEEDED', target_found = true, finished_at = created_at");
  await client.query('VACUUM ANALYZE feature, feature_adjacency, segmentation, scene');
}

/** A whole number from 0 to 9999 that looks random and hangs on the number of the feature alone. */
const random = (salt: number): string => `(abs(hashint4(n + ${salt})::bigint) % 10000)::int`;
const idOf = (number: string): string => `('01900000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;

/** $1 scene, $2 segmentations, $3 number of features */
const FEATURES = `
  INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness,
                       bearing_deg, pixel_count, mean_probability)
  SELECT ${idOf('n')}, $1::uuid, ($2::uuid[])[1 + ${random(1)} % 4], n, outline, ST_Centroid(outline), area, perimeter,
         4 * pi() * area / perimeter ^ 2, ${random(2)} * 0.018, 1 + (area * 4)::int, ${random(3)} / 10000.0
  FROM generate_series(1, $3::int) AS n,
       LATERAL (
         SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine(array_agg(corner ORDER BY number))), 4326) AS outline
         FROM generate_series(0, 24) AS number,
              LATERAL (SELECT 2 * pi() * (number % 24) / 24 AS angle) AS a,
              LATERAL (SELECT 0.00018 + 0.00018 * ${random(4)} / 10000 + 0.00004 * sin(5 * angle + n) AS radius) AS r,
              LATERAL (SELECT ST_MakePoint(
                ${ORIGIN.east} + ${STEP.east} * ((n - 1) % ${COLUMNS} + 0.5) + 1.55 * radius * cos(angle),
                ${ORIGIN.north} + ${STEP.north} * ((n - 1) / ${COLUMNS} + 0.5) + radius * sin(angle)) AS corner) AS c
       ) AS o,
       LATERAL (SELECT ST_Area(outline::geography) AS area, ST_Perimeter(outline::geography) AS perimeter) AS m`;

/** Gaps as if the features were discs of their areas. */
const PAIRS = `
  INSERT INTO feature_adjacency (feature_a, feature_b, scene_id, relation, gap_m)
  SELECT f.id, other.id, f.scene_id, 'NEAR',
         GREATEST(0, ST_DistanceSphere(f.centroid, other.centroid) - sqrt(f.area_m2 / pi()) - sqrt(other.area_m2 / pi()))
  FROM feature AS f
  CROSS JOIN (VALUES (1), (${COLUMNS})) AS beside (step)
  JOIN feature AS other ON other.id = ${idOf('f.label + beside.step')}
  WHERE beside.step > 1 OR f.label % ${COLUMNS} > 0`;
