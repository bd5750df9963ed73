import path from 'node:path';
import type { Database } from '../../src/database/database.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen } from '../../src/http/listen.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';

export const IMAGERY = path.resolve(import.meta.dirname, '../fixtures/imagery');
/** 383 x 232 pixels of a suburb, EPSG:26913, 0.15 m a pixel. */
export const SUBURB = path.join(IMAGERY, 'suburb_utm13n_0m15_rgb_cog.tif');

export interface ServedApp extends TestApp {
  readonly url: string;
  /** Registers the suburb and asks; the model knows "bright" and "dark". @returns identifiers */
  segment(prompts: readonly string[]): Promise<{ sceneId: string; segmentationIds: string[] }>;
}

/** The whole service on a free port, with the model of {@link openTestApp}; it may read the images of the fixtures. */
export async function openServedApp(
  environment: Record<string, string> = {},
  database?: () => Promise<Database>,
): Promise<ServedApp> {
  const test = await openTestApp({ TERRAQL_SCENE_ROOTS: IMAGERY, ...environment }, database);
  const listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
  return {
    ...test,
    url: listening.url,
    async segment(prompts) {
      const registered = await test.ask(
        'mutation($path: String!) { registerScene(input: { path: $path, name: "<Suburb>" }) { id } }',
        { path: SUBURB },
      );
      const sceneId: string = registered.data.registerScene.id;
      const asked = await test.ask(
        'mutation($input: SegmentInput!) { segment(input: $input) { id state failure { message } } }',
        { input: { sceneId, prompts, waitS: 60 } },
      );
      const segmentations = asked.data.segment;
      if (segmentations.some(({ state }) => state !== 'SUCCEEDED')) throw new Error(JSON.stringify(segmentations));
      return { sceneId, segmentationIds: segmentations.map(({ id }) => id) };
    },
    async close() {
      await listening.stop(0);
      await test.close();
    },
  };
}
