import type { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestContext } from '../../src/graphql/context.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { post, startServer } from './asked-server.ts';

let server: ApolloServer<RequestContext>;
beforeAll(async () => {
  server = await startServer(buildSchema(), { maxDepth: 6, maxAliases: 3, maxCost: 1000 });
});
afterAll(() => server.stop());

const ask = (query: string, variables = {}) => post(server, { query, variables });
/** Cost of an operation, told by a server that lets nothing through. */
async function costOf(query: string, variables = {}): Promise<number> {
  const strict = await startServer(buildSchema(), { maxCost: 1 });
  const { errors } = await post(strict, { query, variables });
  await strict.stop();
  return Number(/^The operation costs (\d+); the limit is 1\./.exec(errors?.[0]?.message ?? '')?.[1] ?? NaN);
}

describe('an operation', () => {
  it('is refused with status 400 when it costs more than it may, with both figures', async () => {
    expect(await ask('{ features(first: 500) { nodes { id geometry } } }')).toMatchObject({
      status: 400,
      errors: [
        {
          message: expect.stringMatching(/^The operation costs 1001; the limit is 1000/),
          extensions: { code: 'OPERATION_TOO_COSTLY' },
        },
      ],
      extensions: { cost: { requested: 1001, maximum: 1000 } },
    });
  });

  it('says what it cost when it is answered', async () => {
    expect(await ask('{ __typename }')).toEqual({
      status: 200,
      data: { __typename: 'Query' },
      extensions: { cost: { requested: 0, maximum: 1000 } },
    });
  });

  it.each<[string, string, object, number]>([
    ['what is below a page once for each node', '{ features(first: 7) { nodes { id scene { id } } } }', {}, 1 + 7 * 2],
    ['pages from the back alike', '{ features(last: 7) { nodes { id } } }', {}, 1 + 7],
    ['the default size of a page', '{ features { nodes { id } } }', {}, 1 + 100],
    ['the default size in place of null', '{ features(first: null) { nodes { id } } }', {}, 1 + 100],
    ['values of variables', 'query($n: Int) { features(first: $n) { nodes { id } } }', { n: 3 }, 1 + 3],
    [
      'pages within pages',
      '{ scenes(first: 5) { nodes { segmentations(first: 4) { nodes { id } } } } }',
      {},
      1 + 5 * 6,
    ],
    [
      'neighbours as searches',
      '{ features(first: 2) { nodes { neighbours(first: 3) { edges { node { id } } } } } }',
      {},
      25,
    ],
    ['a document by its features', '{ featureCollection(limit: 200) }', {}, 200],
    [
      'spatial conditions',
      '{ features(first: 1, filter: { bbox: [0,0,1,1], or: [{ bbox: [0,0,1,1] }] }) { nodes { id } } }',
      {},
      12,
    ],
    ['a join with neighbours', '{ features(first: 1, filter: { adjacentTo: {} }) { nodes { id } } }', {}, 202],
    [
      'a spatial join',
      '{ features(first: 1, filter: { adjacentTo: {}, adjacentWithinM: 9 }) { nodes { id } } }',
      {},
      202,
    ],
    [
      'the count of neighbours',
      '{ features(first: 1, filter: { neighbourCount: { min: 1 } }) { nodes { id } } }',
      {},
      22,
    ],
    ['an order that no index has', '{ features(first: 1, orderBy: { by: NEIGHBOURS }) { nodes { id } } }', {}, 102],
  ])('is charged for %s', async (_what, query, variables, cost) => {
    expect(await costOf(query, variables)).toBe(cost);
  });

  it('is refused when it is deeper than it may be', async () => {
    const { errors } = await ask(
      '{ features(first: 1) { nodes { scene { segmentations(first: 1) { nodes { scene { segmentations { totalCount } } } } } } } }',
    );
    expect(errors?.[0]?.message).toMatch(/depth limit of 6 exceeded, found 8/);
  });

  it('is refused when it has more aliases than it may', async () => {
    const { errors } = await ask(
      '{ a: __typename b: models { id } c: models { id } d: models { id } e: models { id } }',
    );
    expect(errors?.[0]?.message).toMatch(/Aliases limit of 3 exceeded, found 4/);
  });

  it('with a variable of the wrong type is refused for that', async () => {
    const answer = await ask('query($n: Int) { features(first: $n) { nodes { id } } }', { n: 'three' });
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(answer.errors?.[0]?.message).toMatch(/"three"/);
  });
});

it('suggests no names of the schema in production', async () => {
  const closed = await startServer(buildSchema(), { production: true });
  const { errors } = await post(closed, { query: '{ scenez { id } }' });
  await closed.stop();
  expect(errors?.[0]?.message).toMatch(/^Cannot query field "scenez"/);
  expect(errors?.[0]?.message).not.toMatch(/Did you mean/);
});
