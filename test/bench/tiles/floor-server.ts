/** The floor: one statement with `ST_AsMVT` behind `node:http`, with the attributes and the buffer of our tiles. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { MEASURES } from '../../../src/feature/measures.ts';

const STATEMENT = `
  SELECT ST_AsMVT(tile, 'features', 4096, 'outline') AS bytes FROM (
    SELECT f.id::text AS id, f.scene_id::text AS "sceneId", f.segmentation_id::text AS "segmentationId", s.prompt,
           ${MEASURES.map(({ name, column }) => `f.${column} AS "${name}"`).join(', ')},
           ST_AsMVTGeom(ST_Transform(f.geometry, 3857), ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS outline
    FROM feature AS f JOIN segmentation AS s ON s.id = f.segmentation_id
    WHERE f.geometry && ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096), 4326)
  ) AS tile`;

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const server = createServer((request, response) => {
  const [z, x, y] = (request.url ?? '').slice(1).split('/').map(Number);
  void pool
    .query<{ bytes: Buffer }>({ name: 'tile', text: STATEMENT, values: [z, x, y] })
    .then(({ rows }) => response.setHeader('content-type', 'application/vnd.mapbox-vector-tile').end(rows[0]?.bytes));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
