import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../../src/http/http-server.ts';
import { listen, type Listening } from '../../../src/http/listen.ts';
import { openTestApp, type TestApp } from '../../api/test-app.ts';
import { openTestDatabase } from '../../database/test-database.ts';
import { storeFeatures } from '../../feature/stored-features.ts';
import { seededRandom } from '../../seeded.ts';

let test: TestApp;
let listening: Listening;

beforeAll(async () => {
  test = await openTestApp({}, async () => {
    const database = await openTestDatabase();
    await storeFeatures(database);
    return database;
  });
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
});
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

interface HttpAnswer {
  readonly data: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

async function overHttp(query: string, variables: object): Promise<HttpAnswer> {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${listening.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return (await response.json()) as HttpAnswer;
}

const NEAR = 'filter: { near: { geometry: { type: "Point", coordinates: [10, 0] }, withinM: 1000 } }';

describe('nodes that are written by the database', () => {
  it.each([
    ['every plain field', '{ features { nodes { id areaM2 perimeterM meanProbability compactness bearingDeg } } }'],
    [
      'no value where a feature has none',
      '{ features(orderBy: { by: AREA, direction: ASC }) { nodes { areaM2 id } } }',
    ],
    ['outlines in two formats', '{ features { nodes { geometry rough: geometry(precision: 3, simplifyM: 5) } } }'],
    ['a precision of null', '{ features { nodes { geometry(precision: null) } } }'],
    ['distances', `{ features(${NEAR}, orderBy: { by: DISTANCE, direction: ASC }) { nodes { distanceM id } } }`],
    ['distances without a place', '{ features { nodes { distanceM } } }'],
    ['other names', '{ all: features { found: nodes { key: id type: __typename __typename } __typename } }'],
    [
      'fragments',
      'fragment A on Feature { areaM2 id } { features { nodes { id ...A ... on Node { id } ... { compactness } } } }',
    ],
    [
      'pages beside it',
      '{ features(first: 2) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }',
    ],
    [
      'a page from the back',
      '{ features(last: 3) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }',
    ],
    ['the first of more', '{ features(first: 2) { nodes { id areaM2 } } }'],
    ['the last of more', '{ features(last: 2) { nodes { id areaM2 } } }'],
    [
      'the farthest',
      `{ features(${NEAR}, orderBy: { by: DISTANCE, direction: ASC }, last: 2) { nodes { distanceM } } }`,
    ],
    ['two lists', '{ a: features(first: 1) { nodes { id } } b: features(last: 1) { nodes { id } } }'],
    ['nothing', '{ features(filter: { areaM2: { min: 1e12 } }) { nodes { id geometry } totalCount } }'],
  ])('are those that are resolved: %s', async (_name, query) => {
    const answer = await overHttp(query, {});
    const resolved = await test.ask(query);
    expect(resolved.error).toBeNull();
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual(resolved.data);
    expect(JSON.stringify(answer.data)).toBe(JSON.stringify(resolved.data));
  });

  it.each([
    ['edges', '{ features { edges { cursor node { id geometry } } nodes { id } } }'],
    ['a relation', '{ features { nodes { id geometry segmentation { prompt } } } }'],
    ['a box', '{ features { nodes { id bbox centroid pixelCount } } }'],
    ['@include', 'query ($yes: Boolean = false) { features { nodes { id areaM2 @include(if: $yes) } } }'],
    ['nodes twice', '{ features { nodes { id } nodes { areaM2 } } }'],
    ['a fragment around nodes', '{ features { ... on FeatureConnection { nodes { id } } } }'],
  ])('are resolved as before where they are more than values: %s', async (_name, query) => {
    const answer = await overHttp(query, {});
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual((await test.ask(query)).data);
  });

  it('are those that are resolved, for selections drawn at random', async () => {
    const random = seededRandom(7);
    const fields = ['id', 'areaM2', 'perimeterM', 'meanProbability', 'compactness', 'bearingDeg', '__typename'];
    fields.push('distanceM', 'geometry', 'geometry(precision: 1)', 'geometry(simplifyM: 9)');
    const drawn = (index: number): string => `f${index}: ${fields[Math.floor(random() * fields.length)]}`;
    const operations = Array.from({ length: 12 }, () => {
      const nodes = `nodes { ${Array.from({ length: 1 + Math.floor(random() * 6) }, (_, i) => drawn(i)).join(' ')} }`;
      const page = `${random() < 0.5 ? 'first' : 'last'}: ${1 + Math.floor(random() * 4)}`;
      return `{ features(${page}${random() < 0.3 ? `, ${NEAR}` : ''}) { ${nodes} totalCount } }`;
    });
    for (const query of operations) {
      const answer = await overHttp(query, {});
      const resolved = await test.ask(query);
      expect(resolved.error, query).toBeNull();
      expect(JSON.stringify(answer.data), query).toBe(JSON.stringify(resolved.data));
    }
  });

  it('take the format of outlines from variables, and refuse one that cannot be', async () => {
    const query = 'query ($p: Int) { features { nodes { geometry(precision: $p) } } }';
    const resolved = await test.ask(query, { p: 2 });
    expect((await overHttp(query, { p: 2 })).data).toEqual(resolved.data);
    const refused = await overHttp(query, { p: 99 });
    expect(refused.errors).toEqual([
      expect.objectContaining({
        message: 'precision is 99; it must be 0 to 15 decimal places.',
        extensions: { code: 'REQUEST_TOO_LARGE', argument: 'precision', value: 99, limit: 15 },
      }),
    ]);
  });
});

describe('sums of groups that are written by the database', () => {
  it.each([
    ['every sum', 'featureStatistics { key featureCount areaM2 perimeterM meanProbability }'],
    ['by cells and prompts', 'featureStatistics(groupBy: [GRID_1KM, PROMPT]) { key featureCount areaM2 }'],
    [
      'under other names',
      'all: featureStatistics(groupBy: [SCENE]) { n: featureCount key type: __typename __typename }',
    ],
    ['of fragments', 'featureStatistics(groupBy: [MODEL]) { ... on FeatureStatistics { key } ... { areaM2 } }'],
    ['of nothing', 'featureStatistics(filter: { areaM2: { min: 1e12 } }) { featureCount areaM2 meanProbability }'],
    ['in no group', 'featureStatistics(filter: { areaM2: { min: 1e12 } }, groupBy: [PROMPT]) { featureCount }'],
    [
      'twice',
      'a: featureStatistics { areaM2 } b: featureStatistics(groupBy: [SCENE]) { areaM2 } features { nodes { id } }',
    ],
    ['beside other measures', 'featureStatistics(groupBy: [PROMPT]) { key areaM2 areaM2Quantiles touchingPairs }'],
    ['asked for in two places', 'featureStatistics { areaM2 } featureStatistics { key }'],
  ])('are those that are resolved: %s', async (_name, fields) => {
    const answer = await overHttp(`{ ${fields} }`, {});
    const resolved = await test.ask(`{ ${fields} }`);
    expect(resolved.error).toBeNull();
    expect(answer.errors).toBeUndefined();
    expect(JSON.stringify(answer.data)).toBe(JSON.stringify(resolved.data));
  });

  it('refuse a repeated grouping', async () => {
    const { errors } = await overHttp('{ featureStatistics(groupBy: [SCENE, SCENE]) { featureCount } }', {});
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'groupBy names SCENE twice; name each grouping once.',
        extensions: { code: 'INVALID_STATISTICS' },
      }),
    ]);
  });
});
