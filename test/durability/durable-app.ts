import path from 'node:path';
import type { Database } from '../../src/database/database.ts';
import type { Segmentation } from '../../src/segmentation/segmentation.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { writeBlocks } from './seeded-scene.ts';

const REGISTER = 'mutation($path: String!) { registerScene(input: { path: $path }) { id } }';
const SEGMENT = 'mutation($input: SegmentInput!) { segment(input: $input) { id } }';

export interface DurableApp extends TestApp {
  readonly database: Database;
  /** Registers a picture of blocks. @returns its identifier */
  register(sidePx: number, seed: number): Promise<string>;
  /**
   * Asks anew about a scene, in windows.
   * @param prompt the bright blocks unless told otherwise
   * @returns the segmentation's identifier, at once
   */
  askAnew(sceneId: string, prompt?: string): Promise<string>;
  segmentation(id: string): Promise<Segmentation>;
}

/** The whole service on a database of its own, with pictures whose bright blocks are known. */
export async function openDurableApp(environment: Record<string, string> = {}): Promise<DurableApp> {
  const database = await openTestDatabase();
  const written = new Set<string>();
  const test = await openTestApp({ TERRAQL_NEAR_M: '0', ...environment }, async () => database);
  return {
    ...test,
    database,
    async register(sidePx, seed) {
      const file = path.join(test.root, `blocks-${sidePx}-${seed}.tif`);
      // Not again: somebody may be reading it.
      if (!written.has(file)) await writeBlocks(file, sidePx, seed);
      written.add(file);
      const { data, error } = await test.ask(REGISTER, { path: file });
      if (error) throw new Error(error.message);
      return data.registerScene.id;
    },
    async askAnew(sceneId, prompt = 'bright') {
      const input = { sceneId, prompts: [prompt], scale: 'WINDOWS', force: true };
      const { data, error } = await test.ask(SEGMENT, { input });
      if (error) throw new Error(error.message);
      return data.segment[0].id;
    },
    segmentation: (id) => test.services.segmentations.require(id),
  };
}
