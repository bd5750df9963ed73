import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

const SIDE_PX = 60_000;
const PIXELS = 2_700_000_000;
let test: TestApp;
let database: Database;
let id: string;
beforeAll(async () => {
  test = await openTestApp({ TERRAQL_WORKER: 'off' }, async () => (database = await openTestDatabase()));
  const { segmentation } = await runningSegmentation(database, { widthPx: SIDE_PX, heightPx: SIDE_PX });
  id = segmentation.id;
  const features = featuresOf(box(10, 50, 11, 50.75)).map((feature) => ({ ...feature, pixelCount: PIXELS }));
  const mask = {
    widthPx: SIDE_PX,
    heightPx: SIDE_PX,
    counts: [0, PIXELS, SIDE_PX ** 2 - PIXELS],
    pixelCount: PIXELS,
    meanProbability: 0.8,
  };
  await new SegmentationRepository(database).storeResult(segmentation, resultOf(features, { mask }));
});
afterAll(() => test.close());

it('answers counts of more than 2³¹ pixels', async () => {
  const { data, error } = await test.ask(
    `query ($id: ID!) {
      segmentation(id: $id) { mask { pixelCount counts } features { nodes { pixelCount } } }
      features(filter: { segmentationId: "${id}" }) { nodes { pixelCount } edges { node { pixelCount } } }
    }`,
    { id },
  );
  expect(error).toBeNull();
  expect(data).toEqual({
    segmentation: {
      mask: { pixelCount: PIXELS, counts: [0, PIXELS, SIDE_PX ** 2 - PIXELS] },
      features: { nodes: [{ pixelCount: PIXELS }] },
    },
    features: { nodes: [{ pixelCount: PIXELS }], edges: [{ node: { pixelCount: PIXELS } }] },
  });
});
