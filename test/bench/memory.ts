/**
 * Resident memory of `terraql serve` with its default settings: `npm run bench -- memory`, on the embedded database or that of
 * DATABASE_URL, after `npm run build`. One scene is asked ten questions; its tiles, its features and sums over them are read.
 * Prints the memory of the process and of its decoder processes after each step; ends with 1 where the process holds a gigabyte.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { IMAGERY } from '../http/served-app.ts';
import { residentMib } from './soak/served-process.ts';

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');
const SCENE = path.join(IMAGERY, 'harbour_canal_rdnew_0m25_rgb.tif');
const MOST_MIB = 1000;
/** As `npm start` sets it: the C library keeps less of what threads have freed. */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
const PROMPTS = [
  'water',
  'buildings',
  'roads',
  'trees',
  'ships',
  'parking lots',
  'grass',
  'bare ground',
  'what would flood first?',
  'where could a truck unload?',
];

const folder = await mkdtemp(path.join(tmpdir(), 'terraql-memory-'));
const server = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--json'], {
  env: { ...MALLOC, ...process.env, TERRAQL_DATA_DIR: folder, TERRAQL_SCENE_ROOTS: IMAGERY, TERRAQL_LOG_LEVEL: 'warn' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
const { origin } = new URL((JSON.parse(line) as { url: string }).url);

async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: { message: string }[] };
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

let most = 0;
async function report(step: string): Promise<void> {
  const [own, ...children] = await residentMib(server.pid!);
  most = Math.max(most, own!);
  console.log(
    `${step.padEnd(34)} ${own!.toFixed(0).padStart(5)} MiB, decoders ${children.map((mib) => mib.toFixed(0)).join(' + ') || 'none'}`,
  );
}

/** Every tile of a kind from level 12 to 18 that the box of a scene meets. */
async function readTiles(kind: string, [west, south, east, north]: readonly number[]): Promise<void> {
  for (let z = 12; z <= 18; z++) {
    const x = (longitude: number) => Math.floor(((longitude + 180) / 360) * 2 ** z);
    const y = (latitude: number) =>
      Math.floor((0.5 - Math.asinh(Math.tan((latitude * Math.PI) / 180)) / (2 * Math.PI)) * 2 ** z);
    for (let column = x(west!); column <= x(east!); column++) {
      for (let row = y(north!); row <= y(south!); row++) {
        await (await fetch(`${origin}/tiles/${kind.replace('{tile}', `${z}/${column}/${row}`)}`)).arrayBuffer();
      }
    }
  }
}

try {
  await report('started');
  const { registerScene: scene } = await ask<{
    registerScene: { id: string; footprint: { coordinates: number[][][] } };
  }>('mutation ($path: String!) { registerScene(input: { path: $path }) { id footprint } }', { path: SCENE });
  await report('one scene');
  for (const prompt of PROMPTS) {
    const { segment } = await ask<{ segment: { state: string }[] }>(
      'mutation ($input: SegmentInput!) { segment(input: $input) { state } }',
      { input: { sceneId: scene.id, prompts: [prompt], waitS: 600 } },
    );
    await report(`${segment[0]!.state.toLowerCase()}: ${prompt}`);
  }
  const positions = scene.footprint.coordinates[0]!;
  const [longitudes, latitudes] = [0, 1].map((axis) => positions.map((position) => position[axis]!));
  const box = [Math.min(...longitudes!), Math.min(...latitudes!), Math.max(...longitudes!), Math.max(...latitudes!)];
  await readTiles('features/{tile}.mvt', box);
  await readTiles(`scenes/${scene.id}/{tile}.png`, box);
  await report('tiles');
  for (let round = 0; round < 20; round++) {
    await ask('{ features(first: 1000) { nodes { id areaM2 geometry } } }');
    await ask(
      '{ adjacency(withinM: 25) { edges { relation gapM } } featureStatistics(groupBy: [PROMPT]) { unionAreaM2 } }',
    );
    await (await fetch(`${origin}/features.geojson`)).arrayBuffer();
  }
  await report('queries');
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  await rm(folder, { recursive: true, force: true });
}
console.log(`at most ${most.toFixed(0)} MiB; the goal is less than ${MOST_MIB}`);
if (most >= MOST_MIB) process.exitCode = 1;
