import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { EVERY_WORKSPACE } from '../../src/database/scope.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import type { FeatureFilter } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { type RangeName, SORTED_MEASURES } from '../../src/feature/measures.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { cell, METRE, storeFeatures, type StoredIds } from './stored-features.ts';

let database: Database;
let features: FeatureRepository;
let ids: StoredIds;
beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureRepository(database);
  ({ ids } = await storeFeatures(database));
});
afterAll(() => database.close());

const point = { type: 'Point' as const, coordinates: [10 + 110 * METRE, 50 * METRE] };
const line = {
  type: 'LineString' as const,
  coordinates: [
    [10 - METRE, 50 * METRE],
    [10 + 50 * METRE, 50 * METRE],
  ],
};

/** A filter with each condition, and the same without it. */
const CASES: Record<Exclude<keyof FeatureFilter, RangeName>, () => readonly [FeatureFilter, FeatureFilter?]> = {
  ids: () => [{ ids: [ids.scene] }],
  sceneId: () => [{ sceneId: ids.scene }],
  sceneIds: () => [{ sceneIds: [ids.scene] }],
  segmentationId: () => [{ segmentationId: ids.roads }],
  prompt: () => [{ prompt: 'Pacific' }],
  promptContains: () => [{ promptContains: 'roads' }],
  created: () => [{ created: { to: new Date('2024-01-01') } }],
  updated: () => [{ updated: { to: new Date('2024-01-01') } }],
  review: () => [{ review: ['REJECTED'] }],
  label: () => [{ label: 'roof' }],
  modelId: () => [{ modelId: 'other/1' }],
  attributes: () => [{ attributes: [{ like: { attribute: 'prompt' }, pattern: 'r%', negated: false }] }],
  georeferenced: () => [{ georeferenced: false }],
  acquired: () => [{ acquired: { from: new Date('2024-01-01') } }],
  bbox: () => [{ bbox: [9, -1, 11, 1] }],
  near: () => [{ near: { geometry: point, withinM: 11 } }],
  intersects: () => [{ intersects: cell(90, 130, 40, 60) }],
  within: () => [{ within: cell(-1, 221, -1, 101) }],
  contains: () => [{ contains: { ...point, coordinates: [10 + 160 * METRE, 55 * METRE] } }],
  touches: () => [{ touches: cell(220, 230) }],
  overlaps: () => [{ overlaps: cell(210, 530) }],
  crosses: () => [{ crosses: line }],
  disjoint: () => [{ disjoint: cell(0, 10) }],
  neighbourCount: () => [{ neighbourCount: { min: 2 } }],
  adjacentTo: () => [{ adjacentTo: { segmentationId: ids.roads } }],
  adjacentWithinM: () => [
    { adjacentTo: { segmentationId: ids.water }, adjacentWithinM: 300.5 },
    { adjacentTo: { segmentationId: ids.water } },
  ],
  adjacentReachM: () => [
    { adjacentTo: { segmentationId: ids.pacific }, adjacentReachM: 30_000 },
    { adjacentTo: { segmentationId: ids.pacific } },
  ],
  distinct: () => [{ distinct: true }],
  and: () => [{ and: [{ segmentationId: ids.water }] }],
  or: () => [{ or: [{ segmentationId: ids.water }, { segmentationId: ids.roads }] }],
  not: () => [{ not: { segmentationId: ids.water } }],
};

const text = (filter: FeatureFilter) => {
  const { sql, values } = conditionSql(filter, EVERY_WORKSPACE);
  return JSON.stringify([sql, values]);
};

it.each(Object.entries(CASES))('the condition %s changes the statement and the answer', async (name, filters) => {
  const [filter, without = {}] = filters();
  expect(text(filter)).not.toBe(text(without));
  // Pairs of two scenes are sought only where there are two scenes on the same ground.
  if (name === 'adjacentReachM' || name === 'distinct') return;
  expect(await features.count(filter)).not.toBe(await features.count(without));
});

it.each(SORTED_MEASURES)('the range $name has both ends, and no feature without the value', async ({ name }) => {
  const { edges } = await features.find({}, { by: 'CREATED', direction: 'ASC' }, { first: 100 });
  const values = edges.map(({ node }) => node[name]).filter((value) => value !== null);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const within = (from: number, to: number) => values.filter((value) => value >= from && value <= to).length;
  expect(await features.count({ [name]: { min } })).toBe(values.length);
  expect(await features.count({ [name]: { max } })).toBe(values.length);
  expect(await features.count({ [name]: { min: max } })).toBe(within(max, max));
  expect(await features.count({ [name]: { max: min } })).toBe(within(min, min));
  expect(await features.count({ [name]: { min: max + 1 } })).toBe(0);
});
