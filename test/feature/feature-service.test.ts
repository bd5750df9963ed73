import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService, RequestTooLargeError } from '../../src/feature/feature.service.ts';
import { TooManyVerticesError } from '../../src/geojson-geometry.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
let service: FeatureService;
beforeAll(async () => {
  database = await openTestDatabase();
  service = new FeatureService(new FeatureRepository(database), { maxVertices: 10, nearM: 50 });
  const { segmentation } = await runningSegmentation(database);
  const features = featuresOf(box(10, 50, 10.01, 50.01), box(10.5, 50, 10.53, 50.01), box(10.8, 50, 10.82, 50.01));
  await new SegmentationRepository(database).storeResult(segmentation, resultOf(features));
});
afterAll(() => database.close());

const whole = { first: 10, after: null };

describe('the feature service', () => {
  it('lists the largest first, with the number of all', async () => {
    const page = await service.find({}, undefined, { first: 2, after: null });
    expect(page.edges.map(({ node }) => node.label)).toEqual([2, 3]);
    expect([page.hasNextPage, await page.totalCount()]).toEqual([true, 3]);
  });

  it('repairs a polygon that crosses itself, wherever the filter has it, and warns once', async () => {
    const bowtie = {
      type: 'Polygon',
      coordinates: [
        [
          [10, 50],
          [10.1, 50.1],
          [10.1, 50],
          [10, 50.1],
          [10, 50],
        ],
      ],
    };
    for (const filter of [
      { intersects: bowtie },
      { or: [{ not: { not: { near: { geometry: bowtie, withinM: 5 } } } }] },
    ]) {
      const warnings: string[] = [];
      const { edges } = await service.find(filter, undefined, whole, (warning) => warnings.push(warning));
      expect(edges.map(({ node }) => node.label)).toEqual([1]);
      expect(warnings).toEqual([
        expect.stringMatching(/^The Polygon was invalid \(Self-intersection\[10.05 50.05.*\]\) and was repaired/),
      ]);
    }
  });

  it('refuses more vertices than the limit', async () => {
    const points = { type: 'MultiPoint', coordinates: Array.from({ length: 11 }, (_, x) => [x, 0]) };
    await expect(service.count({ intersects: points })).rejects.toThrow(new TooManyVerticesError(11, 10));
  });

  it.each([
    [
      'too many features',
      () => service.featureCollection({}, undefined, 50_001, { precision: 7, simplifyM: 0 }),
      'limit is 50001',
    ],
    ['a broken precision', () => service.geometries([], { precision: 1.5, simplifyM: 0 }), 'precision is 1.5'],
    ['negative simplification', () => service.geometries([], { precision: 7, simplifyM: -1 }), 'simplifyM is -1'],
  ])('refuses %s', async (_what, ask, message) => {
    await expect(ask()).rejects.toThrow(RequestTooLargeError);
    await expect(ask()).rejects.toThrow(message);
  });

  it('refuses neighbours farther than the limit', async () => {
    const { edges } = await service.find({}, undefined, whole);
    await expect(service.neighbours([edges[0]!.node.id], { withinM: 10_001 }, whole)).rejects.toThrow(
      'withinM is 10001',
    );
  });

  it('moves no outline farther than simplifyM', async () => {
    const { edges } = await service.find({}, undefined, whole);
    const ids = edges.map(({ node }) => node.id);
    const outlines = await service.geometries(ids, { precision: 7, simplifyM: 100 });
    expect([...outlines.values()].map((text) => JSON.parse(text).type)).toEqual(['Polygon', 'Polygon', 'Polygon']);
  });
});
