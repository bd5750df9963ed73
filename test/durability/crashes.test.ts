import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Prisma } from '../../src/database/database.ts';
import { seededRandom } from '../seeded.ts';
import { type DurableApp, openDurableApp } from './durable-app.ts';
import { startWorker, urlOf, type WorkerProcess } from './workers.ts';

const WAIT = { timeout: 120_000, interval: 100 };
const KILLS = 20;
const POOL = 3;
const PAUSE_MS = 60;
/** A run of 16 windows takes about this long. */
const RUN_MS = 16 * PAUSE_MS + 400;

const server = process.env['DATABASE_URL'];
if (!server) console.warn('skipped: processes share a PostgreSQL server alone; set DATABASE_URL to one');

const WorkerRow = z.object({ worker: z.number().nullable(), state: z.string() });
const FeatureRow = z.object({ label: z.number(), pixels: z.number(), probability: z.number(), outline: z.string() });
const CountRow = z.object({ count: z.number() });

describe.skipIf(!server)('processes that carry out runs', () => {
  let test: DurableApp;
  let databaseUrl = '';
  const pool = new Set<WorkerProcess>();
  const starting = new Set<Promise<void>>();

  const grow = (pauseMs: number): void => {
    const started = startWorker(databaseUrl, test.root, pauseMs).then((worker) => void pool.add(worker));
    starting.add(started);
    void started.finally(() => starting.delete(started));
  };
  const emptyPool = async (): Promise<void> => {
    await Promise.all(starting);
    await Promise.all([...pool].map((worker) => worker.kill()));
    pool.clear();
  };

  beforeAll(async () => {
    test = await openDurableApp({ TERRAQL_WORKER: 'off' });
    databaseUrl = await urlOf(test.database);
  });
  afterAll(async () => {
    await emptyPool();
    await test.close();
  });

  const succeeded = async (ids: readonly string[]): Promise<number> => {
    const rows = await test.services.segmentations.byIds(ids);
    return rows.filter(({ state }) => state === 'SUCCEEDED').length;
  };
  const featuresOf = (id: string) =>
    test.database.query(
      FeatureRow,
      Prisma.sql`
        SELECT label, pixel_count::float8 AS pixels, mean_probability AS probability, ST_AsText(geometry) AS outline
        FROM feature WHERE segmentation_id = ${id}::uuid ORDER BY label`,
    );
  const masksOf = async (ids: readonly string[]): Promise<number> => {
    const [row] = await test.database.query(
      CountRow,
      Prisma.sql`SELECT count(*)::float8 AS count FROM mask WHERE segmentation_id::text IN (${Prisma.join([...ids])})`,
    );
    return row!.count;
  };

  /** The worker that a run was taken by. */
  async function takenBy(id: string): Promise<WorkerProcess | null> {
    for (;;) {
      const [row] = await test.database.query(
        WorkerRow,
        Prisma.sql`SELECT worker, state FROM segmentation WHERE id = ${id}::uuid`,
      );
      if (row!.state === 'SUCCEEDED') return null;
      const found = [...pool].find(({ number }) => number === row!.worker);
      if (found) return found;
      await sleep(20);
    }
  }

  it(`that are killed at ${KILLS} random moments of runs of 16 windows lose and repeat nothing`, async () => {
    for (let worker = 0; worker < POOL; worker++) grow(PAUSE_MS);
    await Promise.all(starting);
    const undisturbed = await test.askAnew(await test.register(208, 7));
    await expect.poll(() => succeeded([undisturbed]), WAIT).toBe(1);
    expect((await test.segmentation(undisturbed)).progress).toMatchObject({ windowsDone: 16, windowsTotal: 16 });

    const random = seededRandom(20);
    const ids: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // Each about a scene of its own, though all of one picture: answers about one scene are compared with one another.
      const id = await test.askAnew(await test.register(208, 7));
      ids.push(id);
      const worker = await takenBy(id);
      await sleep(random() * RUN_MS);
      if (!worker) continue;
      await worker.kill();
      pool.delete(worker);
      grow(PAUSE_MS);
    }
    await expect.poll(() => succeeded(ids), WAIT).toBe(KILLS);

    const expected = await featuresOf(undisturbed);
    expect(expected.length).toBeGreaterThan(5);
    for (const id of ids) expect(await featuresOf(id)).toEqual(expected);
    expect(await masksOf(ids)).toBe(KILLS);
    const attempts = (await test.services.segmentations.byIds(ids)).map((row) => row.attempts);
    expect(attempts.filter((count) => count > 1).length).toBeGreaterThan(KILLS / 2);
    await expect.poll(() => readdir(path.join(test.root, 'data/blobs/runs')), WAIT).toEqual([]);
    await emptyPool();
  }, 600_000);

  it('share 40 runs, none of which is done twice', async () => {
    const scene = await test.register(64, 3);
    const ids: string[] = [];
    for (let run = 0; run < 40; run++) ids.push(await test.askAnew(scene, 'nothing that is here'));
    for (let worker = 0; worker < 2; worker++) grow(50);
    await Promise.all(starting);
    await expect.poll(() => succeeded(ids), WAIT).toBe(40);
    const shares = [...pool].map((worker) => worker.windows());
    expect(shares.reduce((sum, windows) => sum + windows, 0)).toBe(40);
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect((await test.services.segmentations.byIds(ids)).every(({ attempts }) => attempts === 1)).toBe(true);
    await emptyPool();
  }, 600_000);
});
