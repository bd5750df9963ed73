/**
 * Whole runs over large scenes: `npx tsx test/bench/scenes.ts [share side] [small side] [large side]`, on the embedded
 * database or that of DATABASE_URL. Each run is a process of its own. Printed are
 * - the share of a run over 4096 x 4096 pixels that is spent outside ONNX Runtime (goal: 10 % at most),
 * - the peak of resident memory over 20,000 x 20,000 pixels against 5,000 x 5,000 (goal: 1.2 times at most), with a model
 *   that answers at once, so that nothing of a size of its own hides what the service holds.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { type App, createApp, type Models } from '../../src/app.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { LocalModel } from '../../src/inference/local-model.ts';
import type { ModelRegistry } from '../../src/inference/model-registry.ts';
import { createLogger } from '../../src/logging.ts';
import { openLocalModels } from '../../src/inference/open-models.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { instantModels } from './instant-model.ts';
import { oneQuestion } from '../segmentation/one-question.ts';

const run = promisify(execFile);
const SELF = fileURLToPath(import.meta.url);
/** Side of the texture that the scenes repeat, pixels. */
const TEXTURE_PX = 1000;
const SHARE_SIDE = 4096;
const MEMORY_SIDES = [5000, 20_000] as const;

/** What one run came to. */
interface Measured {
  readonly windows: number;
  readonly features: number;
  readonly seconds: number;
  /** Inside ONNX Runtime; null for the model that answers at once. */
  readonly onnxSeconds: number | null;
  readonly peakMib: number;
}

/** Writes a tiled, pyramidal GeoTIFF without georeference: bright fields on dark ground, the same pattern all over. */
async function writeScene(file: string, side: number): Promise<void> {
  const field = Buffer.from(
    `<svg width="${TEXTURE_PX}" height="${TEXTURE_PX}"><rect width="100%" height="100%" fill="#28381c"/>
      <polygon points="200,180 640,240 760,700 300,620" fill="#e8e4d0"/></svg>`,
  );
  const texture = await sharp(field).removeAlpha().png().toBuffer();
  const background = { r: 40, g: 56, b: 28 };
  await sharp({ create: { width: side, height: side, channels: 3, background }, limitInputPixels: false })
    .composite([{ input: texture, tile: true, gravity: 'northwest' }])
    .tiff({ tile: true, tileWidth: 512, tileHeight: 512, pyramid: true, compression: 'deflate', bigtiff: true })
    .toFile(file);
}

/** Asks one question about a scene, in windows at its own scale. */
async function ask(app: App, file: string): Promise<Omit<Measured, 'onnxSeconds' | 'peakMib'>> {
  const { id: sceneId } = await app.servicesFor(DEFAULT_VIEWER).scenes.register({ path: file });
  const [asked] = await app
    .servicesFor(DEFAULT_VIEWER)
    .segmentations.segment(oneQuestion(sceneId, 'bright fields', { scale: 'WINDOWS' }));
  let last = asked!;
  for await (const state of await app.servicesFor(DEFAULT_VIEWER).segmentations.progress(asked!.id)) last = state;
  if (last.state !== 'SUCCEEDED') throw new Error(`the run is ${last.state}: ${JSON.stringify(last.failure)}`);
  const seconds = (last.finishedAt!.getTime() - last.startedAt!.getTime()) / 1000;
  return { windows: last.progress.windowsTotal, features: last.featureCount, seconds };
}

/** Runs one scene in this process. */
async function measure(file: string, kind: string): Promise<Measured> {
  const folder = path.dirname(file);
  const config = readConfig({
    TERRAQL_SCENE_ROOTS: folder,
    TERRAQL_DATA_DIR: await mkdtemp(path.join(folder, 'data-')),
  });
  const local: ModelRegistry<LocalModel> | null = kind === 'real' ? await openLocalModels(config) : null;
  const models: Models = local ?? instantModels();
  const database = process.env['DATABASE_URL']
    ? await openTestDatabase()
    : await openDatabase({ databaseUrl: undefined, dataDir: config.TERRAQL_DATA_DIR });
  const app = await createApp(config, createLogger('error'), {
    database: async () => database,
    models: async () => models,
  });
  try {
    await local?.get();
    const done = await ask(app, file);
    const onnxMs = local?.active()[0]!.stats.onnxMs;
    return {
      ...done,
      onnxSeconds: onnxMs === undefined ? null : onnxMs / 1000,
      peakMib: await peakMib(),
    };
  } finally {
    await app.close();
  }
}

/** Most resident memory of this process so far. Linux counts that of the parent into `maxRSS`, not into `VmHWM`. */
async function peakMib(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024;
}

/** Runs one scene in a process of its own. */
async function measured(folder: string, side: number, kind: 'real' | 'instant'): Promise<Measured> {
  const file = path.join(folder, `scene-${side}.tif`);
  await writeScene(file, side);
  const { stdout } = await run(process.execPath, [...process.execArgv, SELF, '--run', file, kind]);
  await rm(file);
  return JSON.parse(stdout) as Measured;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const found = ({ windows, features, seconds }: Measured): string =>
  `${windows} windows, ${features} features, ${seconds.toFixed(1)} s`;

async function main(shareSide: number, memorySides: readonly [number, number]): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'terraql-bench-'));
  try {
    const whole = await measured(folder, shareSide, 'real');
    const share = 1 - whole.onnxSeconds! / whole.seconds;
    say(`${shareSide} x ${shareSide}: ${found(whole)}, ${whole.onnxSeconds!.toFixed(1)} s of them in ONNX Runtime`);
    say(`outside ONNX Runtime: ${(100 * share).toFixed(1)} % (goal: 10 % at most)`);
    const peaks: number[] = [];
    for (const side of memorySides) {
      const one = await measured(folder, side, 'instant');
      say(`${side} x ${side}: ${found(one)}, peak ${one.peakMib.toFixed(0)} MiB`);
      peaks.push(one.peakMib);
    }
    say(`peak memory: ${(peaks[1]! / peaks[0]!).toFixed(2)} times (goal: 1.2 times at most)`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [first, second, third] = process.argv.slice(2);
if (first === '--run') say(JSON.stringify(await measure(second!, third!)));
else await main(Number(first ?? SHARE_SIDE), [Number(second ?? MEMORY_SIDES[0]), Number(third ?? MEMORY_SIDES[1])]);
