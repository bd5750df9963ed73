import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type { Segmentation } from '../../src/segmentation/segmentation.ts';
import { IdempotencyKeyReusedError, type SegmentationChange } from '../../src/segmentation/segmentation.store.ts';
import {
  ANEW,
  claimNext,
  newScene,
  newSegmentation,
  resultOf,
  runningSegmentation,
  workerOf,
} from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
let store: SegmentationRepository;
beforeAll(async () => {
  database = await openTestDatabase();
  store = new SegmentationRepository(database);
});
afterAll(() => database.close());

/** Cancels segmentations and takes their jobs out of the queue. */
async function cancelAll(...segmentations: readonly { readonly id: string }[]): Promise<void> {
  for (const { id } of segmentations) await store.cancel(id);
  for (let claim: unknown = 1; claim !== null;) claim = await store.claim(await workerOf(database), () => 0);
}

describe('a segmentation in the queue', () => {
  it('waits while its model does, and is not counted as an attempt', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const [asked] = await store.create([newSegmentation(scene.id)], ANEW);
    const worker = await workerOf(database);
    expect(await store.claim(worker, () => 3600)).toBeNull();
    expect(await store.claim(worker, () => 0)).toBeNull();
    await store.explainWait('tiny/1', { code: 'MODEL_UNAVAILABLE', message: 'gone fishing' });
    expect(await store.byId(asked!.id)).toMatchObject({
      state: 'QUEUED',
      attempts: 0,
      failure: { message: 'gone fishing' },
    });
    await database.execute(Prisma.sql`UPDATE terraql_queue.job SET start_after = start_after - interval '30 minutes'`);
    expect(await store.claim(worker, () => 0)).toBeNull();
    await database.execute(Prisma.sql`UPDATE terraql_queue.job SET start_after = start_after - interval '30 minutes'`);
    expect(await claimNext(database)).toMatchObject([{ id: asked!.id, attempts: 1, failure: null }]);
    await cancelAll(asked!);
  });

  it('goes back to the queue with the reason, and only its next attempt may write', async () => {
    const { segmentation } = await runningSegmentation(database);
    const failure = { code: 'MODEL_UNAVAILABLE', message: 'no answer' };
    const released = await store.release([segmentation], { failure, delayS: 0, stalled: false });
    expect(released).toEqual({ queued: [segmentation.id], failed: [] });
    expect(await store.byId(segmentation.id)).toMatchObject({ state: 'QUEUED', attempts: 1, failure });
    const [again] = await claimNext(database);
    expect(again).toMatchObject({ id: segmentation.id, attempts: 2, failure: null });
    const step = { phase: 'reasoning' as const, windowsDone: 1, windowsTotal: 4, etaS: null };
    expect(await store.progress([segmentation], step)).toEqual(new Set());
    await store.fail([segmentation], failure);
    await expect(store.storeResult(segmentation, resultOf([]))).rejects.toThrow('running under another attempt');
    expect(await store.byId(segmentation.id)).toMatchObject({ state: 'RUNNING', attempts: 2 });
    await cancelAll(segmentation);
  });

  it('fails after five attempts that come no further, and not while windows are done', async () => {
    const { segmentation } = await runningSegmentation(database);
    const failure = { code: 'INTERNAL_SERVER_ERROR', message: 'broken' };
    let [running]: readonly Segmentation[] = [segmentation];
    for (let windowsDone = 1; windowsDone < 8; windowsDone++) {
      await store.progress([running!], { phase: 'reasoning', windowsDone, windowsTotal: 9, etaS: null });
      await store.release([running!], { failure, delayS: 0, stalled: true });
      [running] = await claimNext(database);
    }
    for (let more = 1; more < 4; more++) {
      await store.release([running!], { failure, delayS: 0, stalled: true });
      [running] = await claimNext(database);
    }
    const last = await store.release([running!], { failure, delayS: 0, stalled: true });
    expect(last).toEqual({ queued: [], failed: [segmentation.id] });
    expect(await store.byId(segmentation.id)).toMatchObject({ state: 'FAILED', failure, finishedAt: expect.any(Date) });
    expect(await claimNext(database)).toEqual([]);
    expect(await store.retry([segmentation.id])).toEqual([segmentation.id]);
    expect(await store.retry([segmentation.id])).toEqual([]);
    expect(await claimNext(database)).toMatchObject([{ id: segmentation.id, failure: null, finishedAt: null }]);
    await cancelAll(segmentation);
  });

  it('is set aside when it ended its process twice, unless it finished a new window in between', async () => {
    const { segmentation } = await runningSegmentation(database);
    const { id } = segmentation;
    const crash = async () => {
      await database.execute(Prisma.sql`UPDATE segmentation SET worker = 1 WHERE id = ${id}::uuid`);
      return store.recover();
    };
    const progress = { phase: 'reasoning' as const, windowsDone: 1, windowsTotal: 9, etaS: null };
    expect(await crash()).toEqual({ queued: [id], failed: [] });
    const [second] = await claimNext(database);
    await store.progress([second!], { ...progress, advanced: true });
    expect(await crash()).toEqual({ queued: [id], failed: [] });
    const [third] = await claimNext(database);
    // Windows of earlier attempts are passed again.
    await store.progress([third!], { ...progress, windowsDone: 5 });
    expect(await crash()).toEqual({ queued: [], failed: [id] });
    expect(await store.byId(id)).toMatchObject({
      state: 'FAILED',
      failure: { code: 'RUN_CRASHED', message: expect.stringContaining('ended 2 times') as string },
    });
    expect(await store.retry([id])).toEqual([id]);
    const [again] = await claimNext(database);
    expect(await crash()).toEqual({ queued: [id], failed: [] });
    expect(again).toMatchObject({ id });
    await cancelAll(segmentation);
  });

  it('keeps a failure whose text the database would refuse or that is too long', async () => {
    const { segmentation } = await runningSegmentation(database);
    const failure = { code: 'MODEL_REJECTED', message: `a\0b\ud800c\u0007${'x'.repeat(100_000)}` };
    await store.release([segmentation], { failure, delayS: 0, stalled: false });
    const { message } = (await store.byId(segmentation.id))!.failure!;
    expect(message).toMatch(/^a b c x+…$/);
    expect(message).toHaveLength(1000);
    const [running] = await claimNext(database);
    await store.fail([running!], failure);
    expect((await store.byId(segmentation.id))!.failure!.message).toBe(message);
    await store.explainWait(segmentation.model.id, failure);
  });

  it('is put back when the process that ran it is gone, and left alone while it lives', async () => {
    const { segmentation } = await runningSegmentation(database);
    expect(await store.recover()).toEqual({ queued: [], failed: [] });
    await database.execute(Prisma.sql`UPDATE segmentation SET worker = 1 WHERE id = ${segmentation.id}::uuid`);
    expect(await store.recover()).toEqual({ queued: [segmentation.id], failed: [] });
    expect(await store.byId(segmentation.id)).toMatchObject({ state: 'QUEUED', failure: { code: 'WORKER_LOST' } });
    expect(await claimNext(database)).toMatchObject([{ id: segmentation.id, attempts: 2 }]);
    await cancelAll(segmentation);
  });
});

describe('a request', () => {
  it('is the same for a second request with its idempotency key, which other arguments cannot have', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const asked = [newSegmentation(scene.id, { prompt: 'one' }), newSegmentation(scene.id, { prompt: 'two' })];
    const keyed = { force: true, key: { value: 'key', argumentsSha256: 'd'.repeat(64) } };
    const [first, second] = await Promise.all([store.create(asked, keyed), store.create(asked, keyed)]);
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    const other = { ...keyed, key: { value: 'key', argumentsSha256: 'e'.repeat(64) } };
    await expect(store.create(asked, other)).rejects.toThrow(IdempotencyKeyReusedError);
    await database.execute(Prisma.sql`UPDATE segment_request SET created_at = created_at - interval '24 hours'`);
    const later = await store.create(asked, other);
    expect(later.map(({ id }) => id)).not.toEqual(first.map(({ id }) => id));
    await cancelAll(...first, ...later);
  });

  it('is the same for a second request for the same work, unless it is forced or the first came to nothing', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const asked = newSegmentation(scene.id);
    const same = { force: false, key: null };
    const [[first], [second]] = await Promise.all([store.create([asked], same), store.create([asked], same)]);
    expect(second!.id).toBe(first!.id);
    const twice = await store.create([asked, asked], same);
    expect(twice.map(({ id }) => id)).toEqual([first!.id, first!.id]);
    const [forced] = await store.create([asked], ANEW);
    expect(forced!.id).not.toBe(first!.id);
    await cancelAll(first!, forced!);
    const [anew] = await store.create([asked], same);
    expect([first!.id, forced!.id]).not.toContain(anew!.id);
    await cancelAll(anew!);
  });
});

describe('a listener', () => {
  it('hears of every change', async () => {
    const heard: SegmentationChange[] = [];
    const stop = await store.listen({ onChange: (change) => heard.push(change), onGap: () => undefined });
    const { scene, segmentation } = await runningSegmentation(database);
    await store.cancel(segmentation.id);
    await new SceneRepository(database).remove(scene.id);
    const { id } = segmentation;
    const expected = ['QUEUED', 'RUNNING', 'CANCELLED', 'DELETED'].map((state) => ({ id, state }));
    await expect.poll(() => heard, { timeout: 5000 }).toEqual(expected);
    stop();
  });
});
