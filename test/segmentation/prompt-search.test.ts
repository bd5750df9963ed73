import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { ANEW, newScene, newSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

const PROMPTS = ['where could a helicopter land?', 'parking lots with cars', 'parking lots', 'flooded roofs 100%'];

let database: Database;
let store: SegmentationRepository;
beforeAll(async () => {
  database = await openTestDatabase();
  store = new SegmentationRepository(database);
  const scene = await new SceneRepository(database).insert(newScene());
  for (const prompt of PROMPTS) await store.create([newSegmentation(scene.id, { prompt })], ANEW);
});
afterAll(() => database.close());

describe('a prompt', () => {
  it.each([
    ['a part of a word', '0%', ['flooded roofs 100%']],
    ['another form of the word', 'floods', ['flooded roofs 100%']],
    ['a typing error', 'helicoptr', ['where could a helicopter land?']],
    ['words in another order', 'land helicopter', ['where could a helicopter land?']],
    ['a phrase', '"parking lots"', ['parking lots', 'parking lots with cars']],
    ['a phrase in another order', '"lots parking"', []],
    ['a word that must not be there', 'parking -cars', ['parking lots']],
    ['either of two words', 'helicopter or roofs', ['flooded roofs 100%', 'where could a helicopter land?']],
    ['no word of it', 'zebra', []],
  ])('is found by %s: %s', async (_what, promptContains, expected) => {
    const { edges } = await store.list({ promptContains }, { first: 9 });
    expect(edges.map(({ node }) => node.prompt)).toEqual(expected);
  });
});
