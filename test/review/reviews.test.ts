import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestedFilter } from '../../src/feature/check-filter.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { type StoredIds, storeFeatures } from '../feature/stored-features.ts';
import { openTestDatabase } from '../database/test-database.ts';

let test: TestApp;
let ids: StoredIds;
let idOf: (name: string) => string;

const REVIEW = `mutation ($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $since: DateTime) {
  reviewFeatures(ids: $ids, status: $status, label: $label, note: $note, unchangedSince: $since) { id review { status label note by at } }
}`;
const review = (names: readonly string[], status: string, more: Record<string, unknown> = {}) =>
  test.ask(REVIEW, { ids: names.map(idOf), status, ...more });

beforeAll(async () => {
  test = await openTestApp({}, async () => {
    const database = await openTestDatabase();
    const stored = await storeFeatures(database);
    ids = stored.ids;
    idOf = (name) => [...stored.names].find(([, other]) => other === name)![0];
    return database;
  });
});
afterAll(() => test.close());

async function matching(filter: object): Promise<string[]> {
  const { data, error } = await test.ask(
    'query ($filter: FeatureFilter) { features(filter: $filter) { nodes { id } } }',
    { filter },
  );
  expect(error).toBeNull();
  return data.features.nodes.map(({ id }) => id);
}

describe('a review', () => {
  it('is kept with who said it and when, and leaves the answer as it was', async () => {
    const { data, error } = await review(['w1'], 'ACCEPTED', { label: 'basin', note: ' seen on site ' });
    expect(error).toBeNull();
    const [{ review: said }] = data.reviewFeatures;
    expect(said).toMatchObject({ status: 'ACCEPTED', label: 'basin', note: 'seen on site', by: 'anonymous' });
    expect(Date.now() - Date.parse(said.at)).toBeLessThan(60_000);
  });

  it('follows another, and both stay in the history, newest first', async () => {
    await review(['w2'], 'ACCEPTED');
    await review(['w2'], 'REJECTED', { label: 'shadow' });
    const { data } = await test.ask(
      'query ($id: ID!) { feature(id: $id) { review { status } reviews { status label } } }',
      {
        id: idOf('w2'),
      },
    );
    expect(data.feature).toEqual({
      review: { status: 'REJECTED' },
      reviews: [
        { status: 'REJECTED', label: 'shadow' },
        { status: 'ACCEPTED', label: null },
      ],
    });
  });

  it('is a condition of the filter, by status and by label', async () => {
    await review(['r1', 'r2'], 'REJECTED', { label: 'roof' });
    await review(['w3'], 'UNREVIEWED');
    expect((await matching({ review: ['REJECTED'], segmentationId: ids.roads })).toSorted()).toEqual(
      [idOf('r1'), idOf('r2')].toSorted(),
    );
    expect(await matching({ label: 'roof', areaM2: { min: 900 } })).toEqual([idOf('r1')]);
    const open = await matching({ review: ['UNREVIEWED'], segmentationId: ids.water });
    expect(open).toEqual([idOf('w3')]);
    const either = await matching({ review: ['UNREVIEWED', 'REJECTED'], segmentationId: ids.water });
    expect(either.toSorted()).toEqual([idOf('w2'), idOf('w3')].toSorted());
    expect((await matching({ review: ['UNREVIEWED', 'ACCEPTED', 'REJECTED'] })).length).toBe(7);
    expect(await matching({ review: [] })).toEqual([]);
  });

  it('moves the time of the last change, by which features are found again', async () => {
    const TIMES = 'query ($id: ID!) { feature(id: $id) { createdAt updatedAt review { at } } }';
    const before = (await test.ask(TIMES, { id: idOf('x1') })).data.feature;
    expect(before.updatedAt).toBe(before.createdAt);
    await review(['x1'], 'UNREVIEWED', { note: 'to be looked at again' });
    const { createdAt, updatedAt, review: said } = (await test.ask(TIMES, { id: idOf('x1') })).data.feature;
    expect([createdAt, updatedAt]).toEqual([before.createdAt, said.at]);
    expect(updatedAt > createdAt).toBe(true);
    expect(await matching({ updated: { from: updatedAt } })).toEqual([idOf('x1')]);
    expect(await matching({ updated: { to: createdAt }, ids: [idOf('x1')] })).toEqual([]);
    expect(await matching({ created: { to: createdAt }, ids: [idOf('x1')] })).toEqual([idOf('x1')]);
    const { data } = await test.ask('query ($filter: FeatureFilter) { featureCollection(filter: $filter) }', {
      filter: { ids: [idOf('x1')] },
    });
    expect(data.featureCollection.features[0]?.properties).toMatchObject({ createdAt, updatedAt });
  });

  it('counts in statistics unless the filter says otherwise', async () => {
    const counted = async (filter: RequestedFilter): Promise<number> =>
      (await test.services.statistics.group(filter, []))[0]!.featureCount;
    expect(await counted({ segmentationId: ids.roads })).toBe(2);
    expect(await counted({ segmentationId: ids.roads, review: ['UNREVIEWED', 'ACCEPTED'] })).toBe(0);
  });

  it('is refused if someone reviewed in the meantime, and names the reviewer', async () => {
    const since = new Date(Date.now() - 3600_000).toISOString();
    const { error } = await review(['w1', 'p1'], 'REJECTED', { since });
    expect(error).toMatchObject({
      code: 'REVIEW_CHANGED',
      message: expect.stringContaining('anonymous accepted feature') as unknown,
    });
    expect(await matching({ review: ['REJECTED'], ids: [idOf('p1')] })).toEqual([]);
  });

  it('of features that do not exist is refused, all or nothing', async () => {
    const { error } = await test.ask(REVIEW, {
      ids: [idOf('p1'), '01a2282e-5e3d-7001-8e9f-a52e7ca94e37'],
      status: 'ACCEPTED',
    });
    expect(error?.code).toBe('FEATURE_NOT_FOUND');
    expect(await matching({ review: ['ACCEPTED'], ids: [idOf('p1')] })).toEqual([]);
  });

  it.each([
    ['no features', () => ({ ids: [] }), /1 to 1000/],
    [
      'a long label',
      () => ({ ids: [idOf('w1')], label: 'x'.repeat(201) }),
      /label has 201 characters; the limit is 200/,
    ],
    ['a long note', () => ({ ids: [idOf('w1')], note: 'x'.repeat(2001) }), /the limit is 2000/],
  ])('with %s is refused', async (_what, variables, message) => {
    const { error } = await test.ask(REVIEW, { status: 'ACCEPTED', ...variables() });
    expect(error).toMatchObject({ code: 'REVIEW_INVALID', message: expect.stringMatching(message) as unknown });
  });

  it('goes with its feature', async () => {
    await test.ask('mutation ($id: ID!) { deleteScene(id: $id) }', { id: ids.scene });
    expect(await matching({ review: ['ACCEPTED', 'REJECTED'] })).toEqual([]);
  });
});
