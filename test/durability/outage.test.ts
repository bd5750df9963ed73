import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ModelCrashedError,
  ModelRejectedError,
  ModelUnavailableError,
} from '../../src/inference/segmentation-model.ts';
import type { Segmentation } from '../../src/segmentation/segmentation.ts';
import { type DurableApp, openDurableApp } from './durable-app.ts';

const WAIT = { timeout: 150_000, interval: 200 };
const RUNS = 20;
/** Of a scene of 112 x 112 pixels. */
const WINDOWS = 4;

let test: DurableApp;
let sceneId: string;
beforeAll(async () => {
  test = await openDurableApp();
  sceneId = await test.register(112, 1);
}, 300_000);
afterAll(() => test.close());

const all = (ids: readonly string[]): Promise<Segmentation[]> => Promise.all(ids.map((id) => test.segmentation(id)));
const statesOf = async (ids: readonly string[]): Promise<string[]> => [
  ...new Set((await all(ids)).map(({ state }) => state)),
];
const keptRuns = (): Promise<string[]> => readdir(path.join(test.root, 'data/blobs/runs')).catch(() => []);

describe('while the model is away', () => {
  it(`${RUNS} runs wait, say why, and all finish when it is back, no window asked twice`, async () => {
    test.model.windowsAsked = 0;
    test.model.pauseMs = 20;
    const ids: string[] = [];
    for (let run = 0; run < RUNS; run++) ids.push(await test.askAnew(sceneId, 'nothing that is here'));
    await expect.poll(() => test.model.windowsAsked, WAIT).toBeGreaterThan(WINDOWS + 1);
    test.model.failure = new ModelUnavailableError('brightness/1', 'connection refused');
    await expect.poll(() => statesOf(ids), WAIT).not.toContain('RUNNING');
    const waiting = (await all(ids)).filter(({ state }) => state !== 'SUCCEEDED');
    expect(waiting.length).toBeGreaterThan(0);
    const reasons = async (): Promise<unknown[]> =>
      (await all(waiting.map(({ id }) => id))).map(({ state, failure }) => ({ state, failure }));
    const message = 'Model brightness/1 is unavailable: connection refused';
    const reason = { state: 'QUEUED', failure: { code: 'MODEL_UNAVAILABLE', message } };
    // From time to time one of them tries whether the model is back.
    await expect.poll(reasons, WAIT).toEqual(waiting.map(() => reason));
    test.model.failure = null;
    await expect.poll(() => statesOf(ids), WAIT).toEqual(['SUCCEEDED']);
    expect(test.model.windowsAsked).toBe(RUNS * WINDOWS);
    expect((await all(ids)).some(({ attempts }) => attempts > 1)).toBe(true);
    await expect.poll(keptRuns, WAIT).toEqual([]);
  }, 400_000);

  it('a run that waits can be cancelled', async () => {
    test.model.failure = new ModelUnavailableError('brightness/1', 'connection refused');
    const id = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(id)).failure?.code, WAIT).toBe('MODEL_UNAVAILABLE');
    await test.services.segmentations.cancel(id);
    test.model.failure = null;
    expect(await test.segmentation(id)).toMatchObject({ state: 'CANCELLED', failure: null });
  }, 120_000);
});

describe('a request that the model rejects', () => {
  it('fails at once, and can be put back in the queue', async () => {
    test.model.failure = new ModelRejectedError('brightness/1', 'no such tensor');
    const id = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('FAILED');
    expect(await test.segmentation(id)).toMatchObject({
      attempts: 1,
      failure: { code: 'MODEL_REJECTED', message: 'Model brightness/1 refused the request: no such tensor' },
    });
    test.model.failure = null;
    const RETRY = 'mutation($ids: [ID!]!) { retrySegmentations(ids: $ids) { state failure { code } } }';
    expect((await test.ask(RETRY, { ids: [id] })).error).toBeNull();
    await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('SUCCEEDED');
    expect((await test.ask(RETRY, { ids: [id] })).error).toEqual({
      code: 'SEGMENTATION_NOT_FAILED',
      message: `Segmentation ${id} is SUCCEEDED; only FAILED segmentations can be retried.`,
    });
  }, 120_000);
});

describe('an answer of the model with characters that no database holds', () => {
  it('is stored without them, and the runs behind it go on', async () => {
    test.model.failure = new ModelRejectedError('brightness/1', 'unexpected token \0');
    const id = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('FAILED');
    test.model.failure = null;
    const { failure } = await test.segmentation(id);
    expect(failure?.message).toBe('Model brightness/1 refused the request: unexpected token');
    const next = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(next)).state, WAIT).toBe('SUCCEEDED');
  }, 120_000);
});

describe('a window that ends the model each time', () => {
  it('fails its run after five futile attempts, with its own code, and does not delay other runs', async () => {
    test.model.windowsAsked = 0;
    test.model.failsAfter = 2;
    test.model.failure = new ModelCrashedError('brightness/1', 'its worker thread ended with code 1');
    const id = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(id)).failure?.code, WAIT).toBe('MODEL_CRASHED');
    await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('FAILED');
    const { attempts, failure, progress } = await test.segmentation(id);
    expect(failure).toEqual({
      code: 'MODEL_CRASHED',
      message: 'Model brightness/1 crashed while processing the window: its worker thread ended with code 1',
    });
    expect(attempts).toBe(5);
    expect(progress).toMatchObject({ windowsDone: 2, windowsTotal: WINDOWS });
    expect(test.model.windowsAsked).toBe(2);
    test.model.failsAfter = 0;
    test.model.failure = null;
    const other = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(other)).state, WAIT).toBe('SUCCEEDED');
    await test.services.segmentations.retry([id]);
    await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('SUCCEEDED');
  }, 300_000);
});

describe('a cancelled run', () => {
  it('stops inside a window, stores nothing, keeps nothing, and lets the next run begin', async () => {
    test.model.windowsAsked = 0;
    test.model.pauseMs = 0;
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    const id = await test.askAnew(sceneId);
    await expect.poll(async () => (await test.segmentation(id)).progress.phase, WAIT).toBe('reasoning');
    await test.services.segmentations.cancel(id);
    const next = await test.askAnew(sceneId);
    // The model still holds its window back; only a run that was let go makes room for the next.
    await expect.poll(async () => (await test.segmentation(next)).state, WAIT).toBe('RUNNING');
    expect(test.model.windowsAsked).toBe(0);
    open();
    await expect.poll(async () => (await test.segmentation(next)).state, WAIT).toBe('SUCCEEDED');
    expect(await test.segmentation(id)).toMatchObject({ state: 'CANCELLED', featureCount: 0, targetFound: null });
    expect(await test.services.segmentations.mask(id)).toBeNull();
    await expect.poll(keptRuns, WAIT).toEqual([]);
  }, 120_000);
});
