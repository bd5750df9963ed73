import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logging.ts';
import { openModels } from '../../src/inference/open-models.ts';
import type { Segmentation } from '../../src/segmentation/segmentation.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { MODELS_DIR, temporaryFolder } from '../inference/model-folder.ts';
import { type ServedModels, serveModels } from '../model-server/served-models.ts';
import { oneQuestion } from '../segmentation/one-question.ts';

const WAIT = { timeout: 240_000, interval: 200 };
/** Longer than a window takes on a busy machine. */
const TIMEOUT_S = 3;
const WHITE = 255;

let served: ServedModels;
let app: App;
let root = '';
/** Windows that the server hangs at: a white one, every one, or none. */
let hangsAt: 'white' | 'every' | 'none' = 'none';
/** Windows that it hung at. */
let hung = 0;

beforeAll(async () => {
  served = await serveModels();
  const inferTokens = served.model.inferTokens.bind(served.model);
  served.model.inferTokens = async (image, questions, signal, onPhase) => {
    const { windowPx } = served.model.info;
    const isWhite = image[3 * (windowPx / 2) * (windowPx + 1)] === WHITE;
    if (hangsAt === 'none' || (hangsAt === 'white' && !isWhite)) return inferTokens(image, questions, signal, onPhase);
    hung += 1;
    onPhase?.('encoding');
    return new Promise((_resolve, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
  };
  root = await temporaryFolder();
  const config = readConfig({
    TERRAQL_SCENE_ROOTS: root,
    TERRAQL_DATA_DIR: path.join(root, 'data'),
    TERRAQL_MODELS_DIR: MODELS_DIR,
    TERRAQL_MODEL_URL: served.url,
    TERRAQL_MODEL_TIMEOUT_S: String(TIMEOUT_S),
    TERRAQL_NEAR_M: '0',
  });
  app = await createApp(config, createLogger('silent'), { database: openTestDatabase, models: openModels });
}, 300_000);
afterAll(async () => {
  await app.close();
  await served.close();
});

/** Asks about a picture of grey windows side by side, of which one may be white. */
async function ask(windows: number, white: number | null): Promise<string> {
  const { windowPx } = served.model.info;
  const file = path.join(root, `${windows}-${white}.png`);
  const width = windowPx + 0.75 * windowPx * (windows - 1);
  const input = Buffer.alloc(windowPx * windowPx * 3, WHITE);
  const raw = { width: windowPx, height: windowPx, channels: 3 } as const;
  await sharp({ create: { width, height: windowPx, channels: 3, background: '#777777' } })
    .composite(white === null ? [] : [{ input, raw, left: 0.75 * windowPx * white, top: 0 }])
    .png()
    .toFile(file);
  const { id: sceneId } = await app.servicesFor(DEFAULT_VIEWER).scenes.register({ path: file });
  const [asked] = await app
    .servicesFor(DEFAULT_VIEWER)
    .segmentations.segment(oneQuestion(sceneId, 'water', { scale: 'WINDOWS', force: true }));
  return asked!.id;
}
const row = (id: string): Promise<Segmentation> => app.servicesFor(DEFAULT_VIEWER).segmentations.require(id);
const stateOf = async (id: string): Promise<string> => (await row(id)).state;

describe('a window that the model hangs at each time', () => {
  it.each([
    ['amid others that are answered', 4, 2, 5],
    // Nothing else was answered when it hung first.
    ['as the only one of a run that is alone', 1, 0, 6],
  ])(
    'fails its run after five times, %s',
    async (_where, windows, white, times) => {
      hangsAt = 'white';
      hung = 0;
      const id = await ask(windows, white);
      await expect.poll(() => stateOf(id), WAIT).toBe('FAILED');
      const { failure, progress } = await row(id);
      expect(failure).toEqual({
        code: 'MODEL_TIMEOUT',
        message:
          `Model segearth-r1-compact/1 answers other requests but timed out on window ${white + 1} of ${windows}: ` +
          `no answer in ${TIMEOUT_S} s`,
      });
      expect(progress.windowsDone).toBe(white);
      expect(hung).toBe(times);
      hangsAt = 'none';
      await app.servicesFor(DEFAULT_VIEWER).segmentations.retry([id]);
      await expect.poll(() => stateOf(id), WAIT).toBe('SUCCEEDED');
    },
    300_000,
  );

  it('is an outage while the model answers nothing else', async () => {
    hangsAt = 'every';
    hung = 0;
    const id = await ask(1, 0);
    await expect.poll(() => hung, WAIT).toBeGreaterThan(5);
    await expect.poll(async () => (await row(id)).failure?.code, WAIT).toBe('MODEL_UNAVAILABLE');
    expect(['QUEUED', 'RUNNING']).toContain(await stateOf(id));
    hangsAt = 'none';
    await expect.poll(() => stateOf(id), WAIT).toBe('SUCCEEDED');
  }, 300_000);
});
