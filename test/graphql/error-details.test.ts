import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

let test: ServedApp;
let sceneId = '';
beforeAll(async () => {
  test = await openServedApp();
  const { data } = await test.ask('mutation($path: String!) { registerScene(input: { path: $path }) { id } }', {
    path: SUBURB,
  });
  sceneId = data.registerScene.id;
});
afterAll(() => test.close());

async function refused(query: string, variables: object = {}): Promise<unknown> {
  const response = await fetch(`${test.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { errors } = (await response.json()) as { errors: { extensions: unknown }[] };
  return errors[0]?.extensions;
}
const filtered = 'query($filter: FeatureFilter) { features(filter: $filter) { totalCount } }';
const ID = '01890000-0000-7000-8000-000000000000';

describe('an argument that is refused', () => {
  it.each<[string, string, object, object]>([
    ['a page', '{ scenes(first: 100000) { totalCount } }', {}, { argument: 'first', value: 100_000, limit: 1000 }],
    [
      'a range',
      filtered,
      { filter: { meanProbability: { max: 2 } } },
      { argument: 'meanProbability', value: 2, limit: 1 },
    ],
    ['a list', filtered, { filter: { ids: Array(1001).fill(ID) } }, { argument: 'ids', value: 1001, limit: 1000 }],
    [
      'a text',
      filtered,
      { filter: { promptContains: 'x'.repeat(501) } },
      { argument: 'promptContains', value: 501, limit: 500 },
    ],
    [
      'a distance',
      filtered,
      { filter: { near: { geometry: { type: 'Point', coordinates: [0, 0] }, withinM: -1 } } },
      { argument: 'near.withinM', value: -1 },
    ],
    ['a precision', '{ featureCollection(precision: 16) }', {}, { argument: 'precision', value: 16, limit: 15 }],
    ['a simplification', '{ featureCollection(simplifyM: -1) }', {}, { argument: 'simplifyM', value: -1 }],
    [
      'a threshold',
      'mutation { segment(input: { sceneId: "$SCENE", prompts: ["x"], threshold: 2 }) { id } }',
      {},
      { argument: 'threshold', value: 2, limit: 1 },
    ],
    ['a type within a variable', filtered, { filter: { areaM2: { min: 'x' } } }, { argument: 'filter.areaM2.min' }],
    ['a type of a variable', 'query($n: Int) { scenes(first: $n) { totalCount } }', { n: 'x' }, { argument: 'n' }],
    ['a variable that is missing', 'query($id: ID!) { scene(id: $id) { id } }', {}, { argument: 'id' }],
  ])('is named with what was given and what is allowed: %s', async (_what, query, variables, details) => {
    expect(await refused(query.replace('$SCENE', sceneId), variables)).toMatchObject({
      code: expect.any(String),
      ...details,
    });
  });

  it('is named by the other routes too', async () => {
    const errorAt = async (address: string): Promise<unknown> =>
      ((await (await fetch(`${test.url}${address}`)).json()) as { error: unknown }).error;
    expect(await errorAt('/features.csv?precision=20')).toMatchObject({ argument: 'precision', value: 20, limit: 15 });
    expect(await errorAt('/features.csv?filter={"areaM2":{"min":"x"}}')).toMatchObject({
      argument: 'filter.areaM2.min',
    });
    expect(await errorAt('/ogc/collections/features/items?limit=0')).toMatchObject({ argument: 'limit', value: '0' });
  });
});
