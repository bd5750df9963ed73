import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Prisma } from '../../src/database/database.ts';
import { seededRandom } from '../seeded.ts';
import { type DurableApp, openDurableApp } from './durable-app.ts';
import { type Running, startScript } from './processes.ts';
import { urlOf } from './workers.ts';

const SCRIPT = path.resolve(import.meta.dirname, 'app-process.ts');
const SCENES = 40;
const KILLS = 6;
const PAUSE_MS = 100;

const server = process.env['DATABASE_URL'];
if (!server) console.warn('skipped: processes share a PostgreSQL server alone; set DATABASE_URL to one');

const CountRow = z.object({ runs: z.number(), scenes: z.number(), masks: z.number() });

describe.skipIf(!server)('a job', () => {
  let test: DurableApp;
  const pool: Running[] = [];
  const ids: string[] = [];

  const start = async (): Promise<Running> =>
    startScript(SCRIPT, [String(PAUSE_MS)], {
      DATABASE_URL: await urlOf(test.database),
      TERRAQL_DATA_DIR: path.join(test.root, 'data'),
      TERRAQL_SCENE_ROOTS: test.root,
      TERRAQL_WORKER: 'on',
      TERRAQL_NEAR_M: '0',
    });

  beforeAll(async () => {
    test = await openDurableApp({ TERRAQL_WORKER: 'off' });
    for (let seed = 0; seed < SCENES; seed++) ids.push(await test.register(64, seed));
    pool.push(...(await Promise.all([start(), start()])));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(pool.map((worker) => worker.end('SIGKILL')));
    await test?.close();
  });

  it(`whose workers are killed at ${KILLS} random moments asks every scene once`, async () => {
    const input = { ids, prompts: ['bright'] };
    const { data, error } = await test.ask(
      'mutation($input: SegmentScenesInput!) { segmentScenes(input: $input) { id } }',
      { input },
    );
    expect(error).toBeNull();
    const { id } = data.segmentScenes;
    const random = seededRandom(8);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(random() * 1500);
      const [victim] = pool.splice(Math.floor(random() * pool.length), 1);
      await victim!.end('SIGKILL');
      pool.push(await start());
    }
    const job = () => test.services.jobs.require(id);
    await expect.poll(async () => (await job()).state, { timeout: 240_000, interval: 500 }).toBe('SUCCEEDED');
    expect(await job()).toMatchObject({
      scenes: SCENES,
      pending: 0,
      failedScenes: 0,
      runs: { succeeded: SCENES, failed: 0, reused: 0 },
    });
    const rows = await test.database.query(
      CountRow,
      Prisma.sql`
        SELECT count(*)::float8 AS runs, count(DISTINCT s.scene_id)::float8 AS scenes,
               (SELECT count(*)::float8 FROM mask) AS masks
        FROM segmentation AS s`,
    );
    expect(rows).toEqual([{ runs: SCENES, scenes: SCENES, masks: SCENES }]);
  }, 400_000);
});
