/** The floor: one SQL statement for each question behind `node:http`, as quick as we know to write it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { ADJACENT, MIN_AREA_M2, NEAR_M, NEAREST, type Place } from './questions.ts';

const ADJACENT_TO_WATER = `
  SELECT feature_b FROM feature_adjacency JOIN feature AS other ON other.id = feature_a
         JOIN segmentation AS s ON s.id = other.segmentation_id WHERE s.prompt ILIKE '%water%' AND feature_b = f.id
  UNION ALL
  SELECT feature_a FROM feature_adjacency JOIN feature AS other ON other.id = feature_b
         JOIN segmentation AS s ON s.id = other.segmentation_id WHERE s.prompt ILIKE '%water%' AND feature_a = f.id`;

const BOX = 'ST_MakeEnvelope($1::float8, $2::float8, $3::float8, $4::float8, 4326)';
/** An outline is compared with the box at its edge alone, as TerraQL does it: each statement knows what the others know. */
const INSIDE =
  'bounds <@ box(point($1::float8 + 2e-6, $2::float8 + 2e-6), point($3::float8 - 2e-6, $4::float8 - 2e-6))';
const IN_BOX = `geometry && ${BOX} AND CASE WHEN ${INSIDE} THEN TRUE ELSE ST_Intersects(geometry, ${BOX}) END`;

/** Column (X) or row (Y) of the cell of a place. */
const cell = (axis: 'X' | 'Y', east: string, north: string): string =>
  `floor(ST_${axis}(ST_Transform(ST_SetSRID(ST_MakePoint(${east}::float8, ${north}::float8), 4326), 6933)) / 1000)::int`;
/** Inside alone, from the index of cells. */
const IN_CELLS = `
  workspace_id = 'default' AND
  cell_column = ANY(ARRAY(SELECT generate_series(${cell('X', '$1', '$2')}, ${cell('X', '$3', '$4')})))
  AND cell_row BETWEEN ${cell('Y', '$1', '$2')} AND ${cell('Y', '$3', '$4')} AND CASE WHEN ${INSIDE} THEN TRUE END`;
const strip = (west: string, south: string, east: string, north: string): string =>
  `geometry && ST_MakeEnvelope(${west}::float8, ${south}::float8, ${east}::float8, ${north}::float8, 4326)`;
/** At the edge alone. */
const AT_EDGE = `
  (${strip('$1', '$2', '$1 + 2e-6', '$4')} OR ${strip('$3 - 2e-6', '$2', '$3', '$4')}
   OR ${strip('$1', '$2', '$3', '$2 + 2e-6')} OR ${strip('$1', '$4 - 2e-6', '$3', '$4')})
  AND CASE WHEN ${INSIDE} THEN FALSE ELSE ST_Intersects(geometry, ${BOX}) END`;
const cellsOf = (condition: string): string => `
  SELECT cell_column AS x, cell_row AS y, count(*) AS feature_count, sum(area_m2) AS area_m2,
         sum(mean_probability * pixel_count) AS probability, sum(pixel_count)::float8 AS pixel_count
  FROM feature WHERE ${condition} GROUP BY 1, 2`;
const POINT = 'ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography';

/** Each gives its answer as texts of JSON, one a row: all of it, or of each feature what goes between commas. */
const STATEMENTS: Record<string, string> = {
  '/features': `
    SELECT '{"id":"' || id || '","areaM2":' || area_m2 || ',"geometry":' || ST_AsGeoJSON(geometry, 9) || '}' AS answer
    FROM feature WHERE ${IN_BOX} ORDER BY id`,
  '/nearest': `
    SELECT json_agg(json_build_object('id', id, 'areaM2', area_m2, 'distanceM', distance_m) ORDER BY distance_m, id)::text AS answer
    FROM (
      SELECT * FROM (
        SELECT id, area_m2, ST_Distance(geometry::geography, ${POINT}) AS distance_m FROM feature
        ORDER BY geometry::geography <-> ${POINT} LIMIT ${NEAREST + 10}
      ) AS candidate WHERE distance_m <= ${NEAR_M} ORDER BY distance_m, id LIMIT ${NEAREST}
    ) AS nearest`,
  '/adjacent': `
    SELECT json_agg(json_build_object('id', id, 'areaM2', area_m2) ORDER BY id)::text AS answer
    FROM (
      SELECT f.id, f.area_m2 FROM feature AS f JOIN segmentation AS s ON s.id = f.segmentation_id
      WHERE ${IN_BOX} AND s.prompt ILIKE '%building%' AND f.area_m2 >= ${MIN_AREA_M2}
        AND EXISTS (${ADJACENT_TO_WATER})
      ORDER BY f.id LIMIT ${ADJACENT}
    ) AS found`,
  '/cells': `
    SELECT json_agg(json_build_object('cell', x || '/' || y, 'featureCount', feature_count, 'areaM2', area_m2,
                                      'meanProbability', mean_probability) ORDER BY x, y)::text AS answer
    FROM (
      SELECT x, y, sum(feature_count) AS feature_count, sum(area_m2) AS area_m2,
             sum(probability) / sum(pixel_count) AS mean_probability
      FROM (${cellsOf(IN_CELLS)} UNION ALL ${cellsOf(AT_EDGE)}) AS part GROUP BY 1, 2
    ) AS cell`,
};

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const server = createServer((request, response) => {
  void text(request).then(async (body) => {
    const { bbox, longitude, latitude } = JSON.parse(body) as Place;
    const path = request.url ?? '';
    const statement = {
      name: path,
      text: STATEMENTS[path] ?? '',
      values: path === '/nearest' ? [longitude, latitude] : [...bbox],
    };
    const { rows } = await pool.query<{ answer: string }>(statement);
    const answer = rows.map((row) => row.answer).join(',');
    response.setHeader('content-type', 'application/json').end(path === '/features' ? `[${answer}]` : answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
