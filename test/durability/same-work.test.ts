import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prisma } from '../../src/database/database.ts';
import { z } from 'zod';
import { type DurableApp, openDurableApp } from './durable-app.ts';

const WAIT = { timeout: 120_000, interval: 200 };
const SEGMENT = 'mutation($input: SegmentInput!) { segment(input: $input) { id } }';
const FeatureRow = z.object({ label: z.number(), probability: z.number(), pixels: z.number(), outline: z.string() });

let test: DurableApp;
beforeAll(async () => {
  test = await openDurableApp();
}, 300_000);
afterAll(() => test.close());

async function ask(sceneId: string, changes: object = {}): Promise<{ id: string }> {
  const { data, error } = await test.ask(SEGMENT, {
    input: { sceneId, prompts: ['bright'], scale: 'WINDOWS', ...changes },
  });
  if (error) throw new Error(error.message);
  return data.segment[0];
}
const finished = async (...ids: string[]): Promise<void> => {
  for (const id of ids) await expect.poll(async () => (await test.segmentation(id)).state, WAIT).toBe('SUCCEEDED');
};
const featuresOf = (id: string) =>
  test.database.query(
    FeatureRow,
    Prisma.sql`
      SELECT label, mean_probability AS probability, pixel_count::float8 AS pixels, ST_AsText(geometry) AS outline
      FROM feature WHERE segmentation_id = ${id}::uuid ORDER BY label`,
  );

describe('one picture that is registered as two scenes', () => {
  it('is worked on once for both, and each has the answer as its own', async () => {
    const [one, two] = [await test.register(112, 1), await test.register(112, 1)];
    test.model.windowsAsked = 0;
    test.model.pauseMs = 100;
    const [first, second] = [await ask(one), await ask(two)];
    await finished(first.id, second.id);
    const scenes = [(await test.segmentation(first.id)).sceneId, (await test.segmentation(second.id)).sceneId];
    expect(scenes).toEqual([one, two]);
    expect(test.model.windowsAsked).toBe(4);
    const expected = await featuresOf(first.id);
    expect(expected.length).toBeGreaterThan(2);
    expect(await featuresOf(second.id)).toEqual(expected);
    const [a, b] = [
      await test.services.segmentations.mask(first.id),
      await test.services.segmentations.mask(second.id),
    ];
    expect(b).toEqual(a);
    expect((await test.segmentation(second.id)).progress).toMatchObject({ windowsDone: 4, windowsTotal: 4 });

    await test.services.scenes.delete(one);
    expect(await featuresOf(second.id)).toEqual(expected);
    expect((await ask(two)).id).toBe(second.id);
  }, 300_000);

  it('is worked on again for a request that is forced', async () => {
    const [one, two] = [await test.register(64, 2), await test.register(64, 2)];
    test.model.windowsAsked = 0;
    const first = await ask(one);
    const forced = await ask(two, { force: true });
    await finished(first.id, forced.id);
    expect(test.model.windowsAsked).toBe(2);
  }, 120_000);

  it('does not wait for a run that is cancelled', async () => {
    const [one, two] = [await test.register(64, 3), await test.register(64, 3)];
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    const [first, second] = [await ask(one), await ask(two)];
    await expect.poll(async () => (await test.segmentation(first.id)).state, WAIT).toBe('RUNNING');
    await test.services.segmentations.cancel(first.id);
    open();
    await finished(second.id);
    expect((await featuresOf(second.id)).length).toBeGreaterThan(0);
  }, 120_000);

  it('finds what an answer of the other scene left empty empty here too, with its reason', async () => {
    const [one, two] = [await test.register(64, 4), await test.register(64, 4)];
    const first = await ask(one, { prompts: ['nothing that is here'] });
    await finished(first.id);
    test.model.windowsAsked = 0;
    const second = await ask(two, { prompts: ['nothing that is here'] });
    await finished(second.id);
    expect(test.model.windowsAsked).toBe(0);
    expect(await test.segmentation(second.id)).toMatchObject({
      targetFound: false,
      emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD',
    });
  }, 120_000);
});
