import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { type CountedDatabase, countedStatements } from '../database/counted-statements.ts';
import { box, featuresOf, resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import type { AnswerData } from './answer.ts';
import { openTestApp, type TestApp } from './test-app.ts';

const METRE = 1 / 111_319.491;
const SIDE = 10;

let test: TestApp;
let database: CountedDatabase;

beforeAll(async () => {
  test = await openTestApp({}, async () => (database = countedStatements(await openTestDatabase())));
  const { scene, segmentation } = await runningSegmentation(database);
  const store = new SegmentationRepository(database);
  // 100 squares of 10 m, 10 m from each other: every one has ten others and more within 50 m.
  const squares = Array.from({ length: SIDE * SIDE }, (_, index) => {
    const west = 10 + (index % SIDE) * 20 * METRE;
    const south = Math.floor(index / SIDE) * 20 * METRE;
    return box(west, south, west + 10 * METRE, south + 10 * METRE);
  });
  const features = featuresOf(...squares).map((feature) => ({ ...feature, meanProbability: 0.5 }));
  await store.storeResult(segmentation, resultOf(features));
  const other = await startSegmentation(database, scene.id, { prompt: 'What floods?' });
  await store.storeResult(other, resultOf(featuresOf(box(10, 0, 10 + 5 * METRE, 5 * METRE))));
});
afterAll(() => test.close());

async function statementsOf(document: string): Promise<{ data: AnswerData; statements: readonly string[] }> {
  const { answer, statements } = await database.during(() => test.ask(document));
  expect(answer.error).toBeNull();
  return { data: answer.data, statements };
}

const FEATURE = `id areaM2 scene { id name } segmentation { id prompt model { id } }
  neighbours(first: 10) { totalCount edges { relation gapM node { id scene { id } segmentation { prompt model { id } } } } }`;

describe('an operation', () => {
  it('of 100 features with scene, segmentation, model, outline and 10 neighbours each is at most 8 statements', async () => {
    const { data, statements } = await statementsOf(
      `{ features(first: 100) { totalCount nodes { ${FEATURE} geometry centroid } } }`,
    );
    expect(data.features.nodes).toHaveLength(100);
    for (const { neighbours } of data.features.nodes) {
      expect(neighbours.edges).toHaveLength(10);
      expect(neighbours.totalCount).toBeGreaterThanOrEqual(10);
    }
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(8);
  });

  it('of scenes with their segmentations, masks and features is as many statements as relations', async () => {
    const { data, statements } = await statementsOf(
      `{ scenes { nodes { segmentations { totalCount nodes { mask { pixelCount } features(first: 5) { totalCount nodes { id } } } } } } }`,
    );
    const { nodes } = data.scenes.nodes[0].segmentations;
    expect(nodes.map((node) => [node.features.totalCount, node.features.nodes.length])).toEqual([
      [1, 1],
      [100, 5],
    ]);
    expect(statements.length, statements.join('\n')).toBe(6);
  });

  it('counts only when the count is selected', async () => {
    expect((await statementsOf('{ features(first: 3) { nodes { id } } }')).statements).toHaveLength(1);
    expect((await statementsOf('{ features(first: 3) { totalCount nodes { id } } }')).statements).toHaveLength(2);
  });
});
