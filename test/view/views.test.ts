import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slugOf } from '../../src/view/view.service.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { type StoredIds, storeFeatures } from '../feature/stored-features.ts';

let test: TestApp;
let ids: StoredIds;

const CREATE = `mutation ($input: ViewInput!) {
  createView(input: $input) { id slug name filter style orderBy { by direction } tilesUrl exportUrl(format: CSV) }
}`;

beforeAll(async () => {
  test = await openTestApp({}, async () => {
    const database = await openTestDatabase();
    ({ ids } = await storeFeatures(database));
    return database;
  });
});
afterAll(() => test.close());

describe('a view', () => {
  it('keeps filter, order and style, and has addresses of its own', async () => {
    const filter = { segmentationId: ids.water, acquired: { from: '2024-01-01T00:00:00.000Z' } };
    const { data, error } = await test.ask(CREATE, {
      input: {
        name: 'Große Wasserflächen',
        filter,
        orderBy: { by: 'PERIMETER', direction: 'ASC' },
        style: { colour: 'A' },
      },
    });
    expect(error).toBeNull();
    expect(data.createView).toMatchObject({
      slug: 'gro-e-wasserflachen',
      name: 'Große Wasserflächen',
      filter,
      style: { colour: 'A' },
      orderBy: { by: 'PERIMETER', direction: 'ASC' },
      tilesUrl: 'http://terraql.test/tiles/features/{z}/{x}/{y}.mvt?view=gro-e-wasserflachen',
      exportUrl: 'http://terraql.test/features.csv?view=gro-e-wasserflachen',
    });
  });

  it('shows the features of its filter in its order, and those that come later', async () => {
    const { data } = await test.ask(
      '{ view(slug: "gro-e-wasserflachen") { features { totalCount nodes { perimeterM } } } }',
    );
    const perimeters = data.view.features.nodes.map(({ perimeterM }) => perimeterM);
    expect(data.view.features.totalCount).toBe(3);
    expect(perimeters).toEqual([...perimeters].toSorted((a, b) => a - b));
  });

  it('is changed, is a node, and is deleted', async () => {
    const { data } = await test.ask(CREATE, { input: { name: 'All', filter: {} } });
    const { id } = data.createView;
    const changed = await test.ask(
      'mutation ($id: ID!, $input: ViewInput!) { updateView(id: $id, input: $input) { slug filter } }',
      { id, input: { name: 'Roads', slug: 'roads', filter: { promptContains: 'roads' } } },
    );
    expect(changed.data.updateView).toEqual({ slug: 'roads', filter: { promptContains: 'roads' } });
    const node = await test.ask('query ($id: ID!) { node(id: $id) { __typename id ... on View { name } } }', { id });
    expect(node.data.node).toEqual({ __typename: 'View', id, name: 'Roads' });
    expect((await test.ask('mutation ($id: ID!) { deleteView(id: $id) }', { id })).data.deleteView).toBe(id);
    expect((await test.ask('mutation ($id: ID!) { deleteView(id: $id) }', { id })).error?.code).toBe('VIEW_NOT_FOUND');
    expect((await test.ask('{ view(slug: "roads") { id } }')).data.view).toBeNull();
  });

  it('has a slug of its own', async () => {
    await test.ask(CREATE, { input: { name: 'Twice', filter: {} } });
    const { error } = await test.ask(CREATE, { input: { name: 'twice!', filter: {} } });
    expect(error).toMatchObject({ code: 'VIEW_SLUG_TAKEN', message: expect.stringContaining('"twice"') as unknown });
  });

  it.each([
    ['an empty name', { name: ' ', filter: {} }, 'VIEW_INVALID'],
    ['a name without letters', { name: '水', filter: {} }, 'VIEW_INVALID'],
    ['a slug with a blank', { name: 'a', slug: 'a b', filter: {} }, 'VIEW_INVALID'],
    ['a filter that is not allowed', { name: 'a', filter: { bbox: [1, 2, 3] } }, 'INVALID_FILTER'],
    [
      'a large style',
      { name: 'a', filter: {}, style: { texts: Array.from({ length: 20 }, () => 'x'.repeat(4000)) } },
      'VIEW_INVALID',
    ],
  ])('with %s is refused', async (_what, input, code) => {
    expect((await test.ask(CREATE, { input })).error?.code).toBe(code);
  });

  it.each([
    ['Große Seen 2024', 'gro-e-seen-2024'],
    ['  Étangs & rivières ', 'etangs-rivieres'],
    ['a'.repeat(150), 'a'.repeat(100)],
  ])('named %j has the slug %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });
});
