import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Pool } from 'undici';
import { MEASURES } from '../../../src/feature/measures.ts';
import type { Running } from '../query/start-contenders.ts';

const START_TIMEOUT_MS = 120_000;

/** Where other tile servers are installed, outside the project; those that are not are left out. */
export interface InstalledPeers {
  readonly martin: string | null;
  readonly uvicorn: string | null;
  /** The folder of programs, where pygeoapi is among them. */
  readonly pygeoapi: string | null;
}

/** TERRAQL_BENCH_MARTIN: the program; TERRAQL_BENCH_PYTHON: the folder of programs of a virtual environment. */
export function installedPeers(): InstalledPeers {
  const programOf = (file: string | undefined): string | null => (file && existsSync(file) ? file : null);
  const python = process.env['TERRAQL_BENCH_PYTHON'];
  return {
    martin: programOf(process.env['TERRAQL_BENCH_MARTIN']),
    uvicorn: programOf(python && path.join(python, 'uvicorn')),
    pygeoapi: python !== undefined && programOf(path.join(python, 'pygeoapi')) ? python : null,
  };
}

/** Our attributes, as far as they are columns of the table. */
const COLUMNS = ['id', 'scene_id', 'segmentation_id', ...MEASURES.map(({ column }) => column)];

/** @returns Martin, without its cache, on the table of features alone */
export async function startMartin(program: string, databaseUrl: string, dataDir: string, port: number) {
  const config = path.join(dataDir, 'martin.yaml');
  const text = (type: string, names: readonly string[]): string =>
    names.map((name) => `        ${name}: ${type}\n`).join('');
  await writeFile(
    config,
    `listen_addresses: '127.0.0.1:${port}'
cache_size_mb: 0
worker_processes: 2
postgres:
  connection_string: '${databaseUrl}'
  pool_size: 10
  auto_publish: false
  tables:
    feature:
      schema: public
      table: feature
      srid: 4326
      geometry_column: geometry
      extent: 4096
      buffer: 64
      clip_geom: true
      properties:
${text('uuid', COLUMNS.slice(0, 3))}${text('float8', COLUMNS.slice(3))}`,
  );
  return startListening(program, ['--config', config], {}, port, '/health');
}

/** @returns tipg on all tables of the database */
export function startTipg(uvicorn: string, databaseUrl: string, port: number): Promise<Running> {
  return startListening(
    uvicorn,
    ['tipg.main:app', '--port', String(port), '--log-level', 'warning'],
    {
      DATABASE_URL: databaseUrl,
      TIPG_DB_SCHEMAS: '["public"]',
      TIPG_DB_EXCLUDE_FUNCTIONS: '["*"]',
      TIPG_MAX_FEATURES_PER_TILE: '20000',
      DB_MIN_CONN_SIZE: '1',
      DB_MAX_CONN_SIZE: '10',
    },
    port,
    '/healthz',
  );
}

/** @returns TiTiler */
export function startTiTiler(uvicorn: string, port: number): Promise<Running> {
  const parameters = ['titiler.application.main:app', '--port', String(port), '--log-level', 'warning'];
  return startListening(uvicorn, parameters, { GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR' }, port, '/healthz');
}

/** @returns pygeoapi on the table `feature_page`, under gunicorn with two processes */
export async function startPygeoapi(programs: string, databaseUrl: string, dataDir: string, port: number) {
  const [config, description] = ['pygeoapi.yaml', 'openapi.yaml'].map((name) => path.join(dataDir, name));
  const { hostname, port: databasePort, username, password, pathname } = new URL(databaseUrl);
  const data = { host: hostname, port: Number(databasePort), dbname: pathname.slice(1), user: username, password };
  const url = `http://127.0.0.1:${port}`;
  const text = { title: 'features', description: 'features', keywords: ['features'] };
  // JSON is YAML.
  const settings = {
    server: {
      bind: { host: '127.0.0.1', port },
      url,
      mimetype: 'application/json; charset=UTF-8',
      encoding: 'utf-8',
      gzip: false,
      languages: ['en-US'],
      limits: { default_items: 100, max_items: 1000 },
      map: { url: 'https://tile.openstreetmap.org/{z}/{x}/{y}.png', attribution: 'none' },
    },
    logging: { level: 'ERROR' },
    metadata: {
      identification: { ...text, terms_of_service: url, url },
      license: { name: 'none', url },
      provider: { name: 'none', url },
      contact: { name: 'none' },
    },
    resources: {
      feature_page: {
        type: 'collection',
        ...text,
        links: [],
        extents: { spatial: { bbox: [-180, -90, 180, 90] } },
        providers: [
          { type: 'feature', name: 'PostgreSQL', data, id_field: 'id', table: 'feature_page', geom_field: 'geometry' },
        ],
      },
    },
  };
  await writeFile(config!, JSON.stringify(settings));
  const environment = { PYGEOAPI_CONFIG: config!, PYGEOAPI_OPENAPI: description! };
  const generate = ['openapi', 'generate', config!, '--output-file', description!];
  const generated = spawn(path.join(programs, 'pygeoapi'), generate, { stdio: 'inherit' });
  await once(generated, 'exit');
  const serve = ['--workers', '2', '--bind', `127.0.0.1:${port}`, '--log-level', 'error', 'pygeoapi.flask_app:APP'];
  return startListening(path.join(programs, 'gunicorn'), serve, environment, port, '/conformance?f=json');
}

/** Starts a program and waits until it answers. */
async function startListening(
  command: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
  port: number,
  health: string,
): Promise<Running> {
  const child = spawn(command, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const origin = `http://127.0.0.1:${port}`;
  await untilHealthy(child, `${origin}${health}`);
  const pool = new Pool(origin, { connections: 64, pipelining: 1 });
  return {
    pool,
    pid: child.pid!,
    version: path.basename(command),
    async stop() {
      await pool.close();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function untilHealthy(child: ChildProcess, url: string): Promise<void> {
  for (const begunAt = performance.now(); performance.now() - begunAt < START_TIMEOUT_MS;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended; the reason is above`);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await setTimeout(200);
  }
  throw new Error(`${child.spawnargs.join(' ')} does not answer at ${url}`);
}
