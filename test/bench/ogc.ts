/**
 * Items of OGC API - Features beside other servers: `DATABASE_URL=postgresql://… npm run bench -- ogc`.
 *
 * Stores 200,000 seeded features in a database of its own and asks TerraQL, tipg and pygeoapi for the same pages: 100 items in a
 * box, and in a box by a condition of CQL2. Peers are installed outside the project:
 * TERRAQL_BENCH_PYTHON names the folder of programs of an environment with tipg, uvicorn, pygeoapi and gunicorn; those that
 * are not there are left out. TERRAQL_BENCH_FEATURES (200000), TERRAQL_BENCH_SECONDS (6: of each server and question),
 * TERRAQL_BENCH_CLIENTS (4), and TERRAQL_BENCH_DATABASE, a database that is kept, as for `query`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { MEASURES } from '../../src/feature/measures.ts';
import { openBenchDatabase } from './query/bench-database.ts';
import { ProcessorClock } from './query/processor-time.ts';
import { gridOf, ORIGIN, STEP } from './query/seed-city.ts';
import { type Running, start } from './query/start-contenders.ts';
import { installedPeers, startPygeoapi, startTipg } from './tiles/peers.ts';
import { race, type Racer } from './tiles/tile-race.ts';

const SETTINGS = {
  features: Number(process.env['TERRAQL_BENCH_FEATURES'] ?? 200_000),
  seconds: Number(process.env['TERRAQL_BENCH_SECONDS'] ?? 6),
  clients: Number(process.env['TERRAQL_BENCH_CLIENTS'] ?? 4),
};
const BOXES = 16;
/** Features of a box on a side. */
const SIDE = 20;
const LIMIT = 100;
const PORTS = { tipg: 4822, pygeoapi: 4823 };

/** What is asked, in the names that a server has for the columns; null asks for no condition. */
type Condition = ((area: string, probability: string) => string) | null;

const QUESTIONS: readonly (readonly [title: string, condition: Condition])[] = [
  ['100 items in a box', null],
  ['… by CQL2', (area, probability) => `${area} > 2500 AND ${probability} < 0.9`],
];

function boxes(): string[] {
  const { columns, rows } = gridOf(SETTINGS.features);
  return Array.from({ length: BOXES }, (_, index) => {
    const west = ORIGIN.east + STEP.east * ((index * columns) / (BOXES + 2));
    const south = ORIGIN.north + STEP.north * ((index * rows) / (BOXES + 2));
    return [west, south, west + SIDE * STEP.east, south + SIDE * STEP.north].map((value) => value.toFixed(5)).join(',');
  });
}

function paths(address: string, filter: string | null, others: Readonly<Record<string, string>>): string[] {
  return boxes().map((bbox) => {
    const query = { bbox, limit: String(LIMIT), ...(filter === null ? {} : { filter }), ...others };
    return `${address}?${new URLSearchParams(query).toString()}`;
  });
}

/** What peers serve: identifier, measures and outline of each feature. pygeoapi reads no column of type uuid. */
async function copyForPeers(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const measures = MEASURES.map(({ column }) => `${column}::float8 AS ${column}`).join(', ');
  await client.query(`
    DROP TABLE IF EXISTS feature_page;
    CREATE TABLE feature_page AS
      SELECT id::text AS id, ${measures}, geometry::geometry(Polygon, 4326) AS geometry FROM feature ORDER BY id;
    ALTER TABLE feature_page ADD PRIMARY KEY (id);
    CREATE INDEX feature_page_geometry ON feature_page USING gist (geometry)`);
  await client.query('VACUUM ANALYZE feature_page');
  await client.end();
}

const serverUrl = process.env['DATABASE_URL'];
if (serverUrl === undefined) throw new Error('set DATABASE_URL to a PostgreSQL server with PostGIS');
const database = await openBenchDatabase(serverUrl, SETTINGS.features, process.env['TERRAQL_BENCH_DATABASE'] ?? null);
await copyForPeers(database.url);
const dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-bench-'));
const clock = await ProcessorClock.open(database.url);
const started: Running[] = [];
const run = async (server: Promise<Running>): Promise<Running> => {
  started.push(await server);
  return started.at(-1)!;
};
try {
  const serve = ['--import', 'tsx', 'src/main.ts', 'serve', '--port', '0', '--no-worker', '--json'];
  const environment = { DATABASE_URL: database.url, NODE_ENV: 'production', TERRAQL_DATA_DIR: dataDir };
  const own = await run(start(process.execPath, serve, { ...environment, TERRAQL_LOG_LEVEL: 'warn' }));
  const peers = installedPeers();
  const tipg = peers.uvicorn && (await run(startTipg(peers.uvicorn, database.url, PORTS.tipg)));
  const pygeoapi = peers.pygeoapi && (await run(startPygeoapi(peers.pygeoapi, database.url, dataDir, PORTS.pygeoapi)));
  for (const [title, condition] of QUESTIONS) {
    const ours = condition && condition('areaM2', 'meanProbability');
    const theirs = condition && condition('area_m2', 'mean_probability');
    const lang = (name: string): Record<string, string> => (condition ? { 'filter-lang': name } : {});
    const racers: Racer[] = [
      { name: 'TerraQL', server: own, paths: paths('/ogc/collections/features/items', ours, lang('cql2-text')) },
    ];
    if (tipg) {
      const address = '/collections/public.feature_page/items';
      racers.push({ name: 'tipg', server: tipg, paths: paths(address, theirs, lang('cql2-text')) });
    }
    if (pygeoapi) {
      // It knows the text of CQL2 by the name of its predecessor.
      const parameters = { f: 'json', ...lang('cql-text') };
      racers.push({
        name: 'pygeoapi',
        server: pygeoapi,
        paths: paths('/collections/feature_page/items', theirs, parameters),
      });
    }
    console.log(await race(title, racers, clock, SETTINGS.seconds, SETTINGS.clients, 'pages'));
  }
} finally {
  for (const server of started) await server.stop();
}
await clock.close();
await database.release();
await rm(dataDir, { recursive: true, force: true });
