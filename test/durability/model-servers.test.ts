import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import { readConfig } from '../../src/config.ts';
import type { Database } from '../../src/database/database.ts';
import { createLogger } from '../../src/logging.ts';
import { openModels } from '../../src/inference/open-models.ts';
import type { Segmentation } from '../../src/segmentation/segmentation.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { MODELS_DIR, temporaryFolder } from '../inference/model-folder.ts';
import { type Running, startCommand } from './processes.ts';
import { writeBlocks } from './seeded-scene.ts';
import { urlOf } from './workers.ts';
import { oneQuestion } from '../segmentation/one-question.ts';

/** So many that the hash which places each picture on one of two servers leaves neither without any. */
const SCENES = 20;
const OUTAGE_MS = 10_000;

const server = process.env['DATABASE_URL'];
if (!server) console.warn('skipped: processes share a PostgreSQL server alone; set DATABASE_URL to one');

describe.skipIf(!server)('workers and model servers, each a process of its own', () => {
  let database: Database;
  let app: Awaited<ReturnType<typeof createApp>>;
  let root = '';
  let environment: NodeJS.ProcessEnv = {};
  const sceneIds: string[] = [];
  const running = new Set<Running>();

  const start = async (words: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Running> => {
    const command = await startCommand(words, { ...environment, ...extra });
    running.add(command);
    return command;
  };
  const modelServer = (port = '0'): Promise<Running> =>
    start(['model-server', '--port', port], { TERRAQL_MODEL_THREADS: '1' });
  const worker = (urls: readonly unknown[]): Promise<Running> => start(['worker'], { TERRAQL_MODEL_URL: urls.join() });
  const endAll = async (): Promise<void> => {
    await Promise.all([...running].map((command) => command.end('SIGKILL')));
    running.clear();
  };

  beforeAll(async () => {
    root = await temporaryFolder();
    database = await openTestDatabase();
    environment = {
      DATABASE_URL: await urlOf(database),
      TERRAQL_DATA_DIR: path.join(root, 'data'),
      TERRAQL_SCENE_ROOTS: root,
      TERRAQL_MODELS_DIR: MODELS_DIR,
      TERRAQL_NEAR_M: '0',
    };
    // It only asks; the workers carry out.
    const config = readConfig({ ...environment, TERRAQL_WORKER: 'off', TERRAQL_MODEL_URL: 'http://127.0.0.1:9' });
    app = await createApp(config, createLogger('silent'), { database: async () => database, models: openModels });
    for (let seed = 1; seed <= SCENES; seed++) {
      const file = path.join(root, `blocks-${seed}.tif`);
      await writeBlocks(file, 256, seed);
      sceneIds.push((await app.servicesFor(DEFAULT_VIEWER).scenes.register({ path: file })).id);
    }
  }, 300_000);
  afterAll(async () => {
    await endAll();
    await app.close();
  });

  /** Asks that many questions, about the scenes in turn; each is one window. */
  async function ask(runs: number, wording: string): Promise<string[]> {
    const ids: string[] = [];
    for (let run = 0; run < runs; run++) {
      const [asked] = await app
        .servicesFor(DEFAULT_VIEWER)
        .segmentations.segment(oneQuestion(sceneIds[run % SCENES]!, `${wording} ${run}`, { scale: 'WHOLE' }));
      ids.push(asked!.id);
    }
    return ids;
  }
  const rows = (ids: readonly string[]): Promise<Segmentation[]> =>
    app.servicesFor(DEFAULT_VIEWER).segmentations.byIds(ids);
  /** How many have succeeded; none may have failed. */
  async function succeeded(ids: readonly string[]): Promise<number> {
    const now = await rows(ids);
    expect(now.filter(({ state }) => state === 'FAILED').map(({ failure }) => failure)).toEqual([]);
    return now.filter(({ state }) => state === 'SUCCEEDED').length;
  }
  async function untilSucceeded(ids: readonly string[], least = ids.length): Promise<void> {
    while ((await succeeded(ids)) < least) await sleep(100);
  }

  it('share 40 runs, none of which is done twice', async () => {
    const servers = [await modelServer(), await modelServer()];
    const urls = servers.map(({ started }) => started['url']);
    const ids = await ask(40, 'the brightest block, number');
    const workers = [await worker(urls), await worker(urls)];
    expect(workers.map(({ started }) => started['runs'])).toEqual([1, 1]);
    await untilSucceeded(ids);
    expect((await rows(ids)).every(({ attempts }) => attempts === 1)).toBe(true);
    const questions = await Promise.all(urls.map((url) => metric(url, 'terraql_model_batch_questions_sum')));
    expect(questions.reduce((sum, asked) => sum + asked, 0)).toBe(40);
    expect(Math.min(...questions)).toBeGreaterThan(0);
    const requests = await Promise.all(urls.map((url) => metric(url, 'terraql_model_requests_total')));
    expect(requests).toEqual(questions);
    for (const command of workers) expect(await command.end('SIGTERM')).toEqual([0, null]);
    await endAll();
  }, 300_000);

  it(`lose no run of 20 while the model server is away for ${OUTAGE_MS / 1000} s`, async () => {
    const before = await modelServer();
    const url = String(before.started['url']);
    await worker([url]);
    const ids = await ask(20, 'the darkest block, number');
    await untilSucceeded(ids, 1);
    await before.end('SIGKILL');
    expect(await succeeded(ids)).toBeLessThan(20);
    const back = Date.now() + OUTAGE_MS;
    let waiting: Segmentation[] = [];
    while (Date.now() < back) {
      await sleep(1000);
      await succeeded(ids);
      waiting = (await rows(ids)).filter(({ state }) => state === 'QUEUED');
    }
    expect(waiting.length).toBeGreaterThan(0);
    for (const { failure } of waiting)
      expect(failure).toEqual({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining(url) });
    await modelServer(new URL(url).port);
    await untilSucceeded(ids);
    expect((await rows(ids)).every(({ failure }) => failure === null)).toBe(true);
    await endAll();
  }, 300_000);
});

/** The sum of a metric over its labels. */
async function metric(url: unknown, name: string): Promise<number> {
  const text = await (await fetch(`${String(url)}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
