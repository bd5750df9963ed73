import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { ANEW, newScene, newSegmentation, workerOf } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
  await database.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES ('small', 'Small'), ('late', 'Late')`);
});
afterAll(() => database.close());

/** Queues batches of one question each for a new scene of a workspace. */
async function queue(workspace: string, batches: number): Promise<void> {
  const own = database.forWorkspace(workspace);
  const scene = await new SceneRepository(own).insert(newScene());
  const store = new SegmentationRepository(own);
  for (let batch = 0; batch < batches; batch++) await store.create([newSegmentation(scene.id)], ANEW);
}

it('batches are taken in turn between workspaces, however many of one wait', async () => {
  const store = new SegmentationRepository(database.forRuns);
  const worker = await workerOf(database);
  const taken: string[] = [];
  const take = async (batches: number): Promise<void> => {
    for (let batch = 0; batch < batches; batch++) taken.push((await store.claim(worker, () => 0))!.workspace);
  };
  await queue('default', 20);
  await take(2);
  await queue('small', 2);
  await take(3);
  await queue('late', 1);
  await take(4);
  expect(taken).toEqual(['default', 'default', 'small', 'default', 'small', 'late', 'default', 'default', 'default']);
});
