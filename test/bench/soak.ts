/**
 * A long load of queries and operations drawn at random beside running segmentations, damaged uploads and kills: `npm run bench -- soak [minutes] [clients] [minutes
 * between kills]`, on the embedded database or that of DATABASE_URL, which should be empty. Prints a line a minute and what
 * it came to: answers by code, faults, milliseconds of queries and of `/healthz`, memory and files at the start, in the
 * middle and at the end. Ends with 1 where a fault was met or a scene was lost.
 */
import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema } from '../../src/graphql/schema.ts';
import { type Known, RandomOperations } from '../graphql/random-operations.ts';
import { SUBURB, IMAGERY } from '../http/served-app.ts';
import { seededRandom } from '../seeded.ts';
import { filesBelow, ServedProcess } from './soak/served-process.ts';
import { count, imageSupply, newTally, SoakClient, SUBURB_BOX, type Tally } from './soak/soak-load.ts';

/** Scenes that damaged uploads became are deleted beyond this many, so that growth is not of our own making. */
const KEPT_SCENES = 20;
/** One client of so many asks operations drawn at random, the others what dashboards ask. */
const RANDOM_SHARE = 5;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
}

const milliseconds = (values: readonly number[]): string =>
  `p50 ${percentile(values, 0.5).toFixed(0)} ms, p99 ${percentile(values, 0.99).toFixed(0)} ms, most ${percentile(values, 1).toFixed(0)} ms of ${values.length}`;
const counted = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([key, times]) => `${key}: ${times}`).join(', ') || 'none';

interface Sample {
  readonly residentMib: number;
  readonly files: number;
  readonly bytes: number;
}

async function sampled(served: ServedProcess, folder: string): Promise<Sample> {
  return { residentMib: await served.residentMib(), ...(await filesBelow(folder)) };
}

const told = ({ residentMib, files, bytes }: Sample): string =>
  `${residentMib.toFixed(0)} MiB resident, ${files} files of ${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** @param until milliseconds since the epoch */
async function repeat(until: number, pauseMs: number, action: () => Promise<void>): Promise<void> {
  while (Date.now() < until) {
    await action();
    await sleep(pauseMs);
  }
}

/** Damaged uploads, one after another. @returns identifiers of scenes that were registered and not deleted since */
async function upload(client: SoakClient, random: () => number, until: number): Promise<readonly string[]> {
  const next = await imageSupply(random);
  const scenes: string[] = [];
  await repeat(until, 20, async () => {
    const { name, bytes } = next();
    const id = await client.register(name, bytes);
    if (id !== null) scenes.push(id);
    if (scenes.length > KEPT_SCENES) await client.deleteScene(scenes.shift()!);
  });
  return scenes;
}

async function watch(served: ServedProcess, folder: string, tally: Tally, until: number): Promise<Sample[]> {
  const samples = [await sampled(served, folder)];
  await repeat(until, 60_000, async () => {
    samples.push(await sampled(served, folder));
    say(
      `${told(samples.at(-1)!)}; ${tally.queryMs.length} queries, runs ${counted(tally.runs)}, ${tally.faults.length} faults`,
    );
  });
  return samples;
}

/** What the operations drawn at random may name: a scene, its first features and files that can be registered. */
async function knownOf(client: SoakClient, sceneId: string): Promise<Known> {
  await client.segment(sceneId);
  const answer = await client.ask('{ features(first: 20) { nodes { id } pageInfo { endCursor } } }');
  const features = answer?.data?.features;
  return {
    ids: [sceneId, ...(features?.nodes ?? []).map(({ id }) => id)],
    cursors: features?.pageInfo.endCursor ? [features.pageInfo.endCursor] : [],
    paths: [path.join(IMAGERY, 'odd/rgb.webp'), path.join(IMAGERY, 'odd/grey_utm.png'), IMAGERY],
    box: SUBURB_BOX,
  };
}

async function main(minutes: number, clients: number, killEvery: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'terraql-soak-'));
  const served = await ServedProcess.start({
    TERRAQL_DATA_DIR: folder,
    TERRAQL_SCENE_ROOTS: IMAGERY,
    TERRAQL_UPLOAD_TTL_S: '60',
  });
  const tally = newTally();
  const client = (seed: number): SoakClient => new SoakClient(served.url, tally, seededRandom(seed));
  try {
    const answer = await client(0).ask('mutation ($path: String!) { registerScene(input: { path: $path }) { id } }', {
      path: SUBURB,
    });
    const sceneId = answer?.data?.registerScene?.id;
    if (sceneId === undefined) throw new Error(`the first scene was refused: ${JSON.stringify(answer)}`);
    const known = await knownOf(client(6), sceneId);
    const schema = buildSchema();
    const until = Date.now() + minutes * 60_000;
    const kills = async (): Promise<void> => {
      await repeat(until, killEvery * 60_000, async () => {
        await sleep(Math.max(0, Math.min(killEvery * 30_000, until - Date.now())));
        if (Date.now() < until) await served.killAndRestart();
        count(tally.answers, 'kill -9');
      });
    };
    const [samples, scenes] = await Promise.all([
      watch(served, folder, tally, until),
      upload(client(1), seededRandom(1), until),
      repeat(until, 200, () => client(2).probe()),
      repeat(until, 100, () => client(3).segment(sceneId)),
      ...(killEvery > 0 ? [kills()] : []),
      ...Array.from({ length: clients }, (_, index) => {
        const one = client(10 + index);
        if (index % RANDOM_SHARE > 0) return repeat(until, 5, () => one.askAnything());
        const operations = new RandomOperations(schema, known, seededRandom(1000 + index));
        return repeat(until, 50, async () => {
          const { query, variables } = operations.next();
          await one.ask(query, variables);
        });
      }),
    ]);
    await client(4).ask('{ scenes(first: 1) { totalCount } }');
    for (const id of [sceneId, ...scenes]) {
      const found = await client(5).ask('query ($id: ID!) { scene(id: $id) { id } }', { id });
      if (found?.data?.scene?.id !== id) tally.faults.push(`scene ${id} was lost`);
    }
    const stopped = await served.stop();
    say(`answers: ${counted(tally.answers)}`);
    say(`runs: ${counted(tally.runs)}`);
    say(`queries: ${milliseconds(tally.queryMs)}`);
    say(`/healthz: ${milliseconds(tally.healthMs)}`);
    for (const [name, at] of [
      ['start', 1],
      ['middle', samples.length >> 1],
      ['end', samples.length - 1],
    ] as const) {
      say(`${name}: ${told(samples[Math.min(at, samples.length - 1)]!)}`);
    }
    say(`stopped with ${stopped.join(' ')}`);
    say(`faults: ${tally.faults.length}`);
    for (const fault of new Set(tally.faults)) say(`  ${fault}`);
    if (tally.faults.length > 0) process.exitCode = 1;
  } finally {
    await served.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const [minutes = '60', clients = '50', killEvery = '5'] = process.argv.slice(2);
await main(Number(minutes), Number(clients), Number(killEvery));
