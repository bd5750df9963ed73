import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { postgis } from '@electric-sql/pglite-postgis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { MIGRATIONS_DIR, readMigrations } from '../../src/database/migrate.ts';
import { migratedSnapshot, openTestDatabase } from '../database/test-database.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { seededRandom } from '../seeded.ts';
import { writeUtmScene } from '../utm-scene.ts';
import { type Running, startScript } from './processes.ts';
import { urlOf } from './workers.ts';

const SCRIPT = path.resolve(import.meta.dirname, 'serve-process.ts');
/** The time that orchestrators leave a process as a rule, before they kill it. */
const STOP_MS = 10_000;
/** Blocks of 4 pixels, each a feature or none: storing them with their neighbours takes far longer than the stop may. */
const SIDE_PX = 500;
const BLOCK_PX = 4;

let root = '';
let server: Database | null = null;
let running: Running | null = null;

beforeAll(async () => {
  root = await temporaryFolder();
  await writeNoise(path.join(root, 'noise.tif'));
});
afterAll(async () => {
  await running?.end('SIGKILL');
  await server?.close();
  await rm(root, { recursive: true, force: true });
});

async function writeNoise(file: string): Promise<void> {
  const random = seededRandom(7);
  const blocks = SIDE_PX / BLOCK_PX;
  const bright = Array.from({ length: blocks ** 2 }, () => random() < 0.4);
  const pixels = new Uint8Array(SIDE_PX ** 2 * 3);
  for (let i = 0; i < pixels.length; i++) {
    const [column, row] = [Math.floor(i / 3) % SIDE_PX, Math.floor(i / 3 / SIDE_PX)];
    pixels[i] = bright[Math.floor(row / BLOCK_PX) * blocks + Math.floor(column / BLOCK_PX)] ? 255 : 0;
  }
  await writeUtmScene(file, pixels, SIDE_PX, SIDE_PX);
}

/** Settings of a process on a new database of the engine under test. */
async function onNewDatabase(dataDir: string): Promise<NodeJS.ProcessEnv> {
  if (process.env['DATABASE_URL']) {
    server = await openTestDatabase();
    return { DATABASE_URL: await urlOf(server) };
  }
  await mkdir(dataDir);
  const loadDataDir = await migratedSnapshot(await readMigrations(MIGRATIONS_DIR));
  const pglite = await PGlite.create({ dataDir: path.join(dataDir, 'pglite'), loadDataDir, extensions: { postgis } });
  await pglite.close();
  return {};
}

async function ask<T>(url: string, query: string, variables: object): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

it('SIGTERM while a large answer is being stored ends the process in time, and nothing of it is kept', async () => {
  const dataDir = path.join(root, 'data');
  const environment = await onNewDatabase(dataDir);
  running = await startScript(SCRIPT, [], {
    ...environment,
    TERRAQL_PORT: '0',
    TERRAQL_DATA_DIR: dataDir,
    TERRAQL_SCENE_ROOTS: root,
    TERRAQL_NEAR_M: '2000',
  });
  const url = String(running.started['url']);
  const { registerScene } = await ask<{ registerScene: { id: string } }>(
    url,
    'mutation ($path: String!) { registerScene(input: { path: $path }) { id } }',
    { path: path.join(root, 'noise.tif') },
  );
  const { segment } = await ask<{ segment: { id: string }[] }>(
    url,
    'mutation ($input: SegmentInput!) { segment(input: $input) { id } }',
    { input: { sceneId: registerScene.id, prompts: ['bright'], scale: 'WINDOWS' } },
  );
  await running.printed('storing');
  await sleep(1500);
  const stopped = performance.now();
  expect(await running.end('SIGTERM')).toEqual([0, null]);
  expect(performance.now() - stopped).toBeLessThan(STOP_MS);
  const database = server ?? (await openDatabase({ dataDir }));
  const row = await database.prisma.segmentation.findUniqueOrThrow({ where: { id: segment[0]!.id } });
  // Where the engine cannot be stopped in time the next process finds the run as after a crash, and nothing of its answer.
  expect(['QUEUED', 'RUNNING']).toContain(row.state);
  expect(await database.prisma.feature.count()).toBe(0);
  if (!server) await database.close();
}, 300_000);
