/**
 * Map tiles beside other servers: `DATABASE_URL=postgresql://… npm run bench -- tiles [features|scenes]`.
 *
 * Stores 200,000 seeded features in a database of its own and asks for the same vector tiles of TerraQL with and without its
 * cache, of bare `ST_AsMVT` behind `node:http`, of Martin and of tipg; then for the same tiles of imagery of TerraQL and of
 * TiTiler, on the same Cloud Optimized GeoTIFF. Peers are installed outside the project: TERRAQL_BENCH_MARTIN names the
 * program, TERRAQL_BENCH_PYTHON the folder of programs of an environment with tipg and titiler.application; those that are
 * not there are left out. TERRAQL_BENCH_FEATURES (200000), TERRAQL_BENCH_SECONDS (6: of each server and zoom),
 * TERRAQL_BENCH_CLIENTS (4), and TERRAQL_BENCH_DATABASE, a database that is kept, as for `query`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MEASURES } from '../../src/feature/measures.ts';
import { squarePosition } from '../../src/tiles/tile-grid.ts';
import { type BenchDatabase, openBenchDatabase } from './query/bench-database.ts';
import { ProcessorClock } from './query/processor-time.ts';
import { gridOf, ORIGIN, STEP } from './query/seed-city.ts';
import { type Running, start } from './query/start-contenders.ts';
import { makeCog } from './tiles/make-cog.ts';
import { installedPeers, startMartin, startTipg, startTiTiler } from './tiles/peers.ts';
import { race, type Racer } from './tiles/tile-race.ts';

const SETTINGS = {
  features: Number(process.env['TERRAQL_BENCH_FEATURES'] ?? 200_000),
  seconds: Number(process.env['TERRAQL_BENCH_SECONDS'] ?? 6),
  clients: Number(process.env['TERRAQL_BENCH_CLIENTS'] ?? 4),
};
const FEATURE_ZOOMS = [13, 14, 16];
const SCENE_ZOOMS = [15, 16, 18];
const TILES = 16;
const PORTS = { martin: 4811, tipg: 4812, titiler: 4813 };

/** Tiles near a position, row by row, as `z/x/y`. */
function tilesAround(longitude: number, latitude: number, z: number): string[] {
  const [x, y] = squarePosition(longitude, latitude).map((share) => Math.floor(share * 2 ** z)) as [number, number];
  const side = Math.sqrt(TILES);
  return Array.from({ length: TILES }, (_, index) => `${z}/${x + (index % side)}/${y + Math.floor(index / side)}`);
}

function startOwn(databaseUrl: string, dataDir: string, cacheMb: number, roots: string): Promise<Running> {
  const serve = ['--import', 'tsx', 'src/main.ts', 'serve', '--port', '0', '--no-worker', '--json'];
  return start(process.execPath, serve, {
    DATABASE_URL: databaseUrl,
    NODE_ENV: 'production',
    TERRAQL_DATA_DIR: dataDir,
    TERRAQL_LOG_LEVEL: 'warn',
    TERRAQL_TILE_CACHE_MB: String(cacheMb),
    TERRAQL_SCENE_ROOTS: roots,
  });
}

/** Servers that were started, to be stopped whatever happens. */
class Started {
  private readonly servers: Running[] = [];

  async add(server: Promise<Running>): Promise<Running> {
    const running = await server;
    this.servers.push(running);
    return running;
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop();
  }
}

interface Course {
  readonly database: BenchDatabase;
  readonly dataDir: string;
  readonly clock: ProcessorClock;
  readonly started: Started;
}

async function raceFeatures({ database, dataDir, clock, started }: Course): Promise<void> {
  const { columns, rows } = gridOf(SETTINGS.features);
  const middle = [ORIGIN.east + (STEP.east * columns) / 3, ORIGIN.north + (STEP.north * rows) / 3] as const;
  const peers = installedPeers();
  const bare = await started.add(startOwn(database.url, path.join(dataDir, 'bare'), 0, dataDir));
  const cached = await started.add(startOwn(database.url, path.join(dataDir, 'cached'), 64, dataDir));
  const floorFile = path.join(import.meta.dirname, 'tiles/floor-server.ts');
  const floor = await started.add(
    start(process.execPath, ['--import', 'tsx', floorFile], { DATABASE_URL: database.url }),
  );
  const martin = peers.martin && (await started.add(startMartin(peers.martin, database.url, dataDir, PORTS.martin)));
  const tipg = peers.uvicorn && (await started.add(startTipg(peers.uvicorn, database.url, PORTS.tipg)));
  const properties = ['id', 'scene_id', 'segmentation_id', ...MEASURES.map(({ column }) => column)].join(',');
  for (const z of FEATURE_ZOOMS) {
    const tiles = tilesAround(...middle, z);
    const paths = (of: (tile: string) => string): string[] => tiles.map(of);
    const racers: Racer[] = [
      { name: 'TerraQL', server: bare, paths: paths((tile) => `/tiles/features/${tile}.mvt`) },
      { name: 'TerraQL, cached', server: cached, paths: paths((tile) => `/tiles/features/${tile}.mvt`) },
      { name: 'ST_AsMVT, node:http', server: floor, paths: paths((tile) => `/${tile}`) },
    ];
    if (martin) racers.push({ name: 'Martin', server: martin, paths: paths((tile) => `/feature/${tile}`) });
    const tipgPath = (tile: string): string =>
      `/collections/public.feature/tiles/WebMercatorQuad/${tile}?geom-column=geometry&properties=${properties}`;
    if (tipg) racers.push({ name: 'tipg', server: tipg, paths: paths(tipgPath) });
    console.log(await race(`features, z ${z}`, racers, clock, SETTINGS.seconds, SETTINGS.clients));
  }
}

async function raceScenes({ database, dataDir, clock, started }: Course): Promise<void> {
  const cog = await makeCog(path.join(dataDir, 'scene.tif'));
  const peers = installedPeers();
  const own = await started.add(startOwn(database.url, path.join(dataDir, 'scenes'), 0, dataDir));
  const titiler = peers.uvicorn && (await started.add(startTiTiler(peers.uvicorn, PORTS.titiler)));
  const answer = await own.pool.request({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($path: String!) { registerScene(input: { path: $path }) { id } }',
      variables: { path: cog.file },
    }),
  });
  const { data } = (await answer.body.json()) as { data: { registerScene: { id: string } } };
  for (const z of SCENE_ZOOMS) {
    for (const format of ['webp', 'png'] as const) {
      const tiles = tilesAround(...cog.corner, z);
      const racers: Racer[] = [
        {
          name: 'TerraQL',
          server: own,
          paths: tiles.map((tile) => `/tiles/scenes/${data.registerScene.id}/${tile}.${format}`),
        },
      ];
      const url = encodeURIComponent(cog.file);
      const theirs = (tile: string): string =>
        `/cog/tiles/WebMercatorQuad/${tile}.${format}?url=${url}&resampling=bilinear&reproject=bilinear&tilesize=256`;
      if (titiler) racers.push({ name: 'TiTiler', server: titiler, paths: tiles.map(theirs) });
      console.log(await race(`${format}, z ${z}`, racers, clock, SETTINGS.seconds, SETTINGS.clients));
    }
  }
}

const serverUrl = process.env['DATABASE_URL'];
if (serverUrl === undefined) throw new Error('set DATABASE_URL to a PostgreSQL server with PostGIS');
const chosen = process.argv[2];
const database = await openBenchDatabase(serverUrl, SETTINGS.features, process.env['TERRAQL_BENCH_DATABASE'] ?? null);
const dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-bench-'));
const clock = await ProcessorClock.open(database.url);
for (const part of [raceFeatures, raceScenes]) {
  const started = new Started();
  const isChosen = chosen === undefined || part.name.toLowerCase().endsWith(chosen);
  try {
    if (isChosen) await part({ database, dataDir, clock, started });
  } finally {
    await started.stop();
  }
}
await clock.close();
await database.release();
await rm(dataDir, { recursive: true, force: true });
