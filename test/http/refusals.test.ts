import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getNullableType, isNonNullType, type GraphQLArgument } from 'graphql';
import { buildSchema } from '../../src/graphql/schema.ts';
import { IMAGERY, openServedApp, type ServedApp } from './served-app.ts';

let test: ServedApp;
let sceneId = '';
let segmentationId = '';
beforeAll(async () => {
  test = await openServedApp();
  const asked = await test.segment(['bright']);
  sceneId = asked.sceneId;
  segmentationId = asked.segmentationIds[0]!;
});
afterAll(() => test.close());

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

async function post(query: string, variables: unknown = {}): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`${test.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof variables === 'string' ? variables : JSON.stringify({ query, variables }),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}
const codes = ({ errors }: Answer): string[] => (errors ?? []).map(({ extensions }) => extensions.code);

describe('a charset', () => {
  const body = JSON.stringify({ query: '{ scenes { totalCount } }' });
  const ask = async (path: string, charset: string, bytes: Uint8Array): Promise<number> => {
    const headers = { 'content-type': `application/json; charset=${charset}` };
    return (await fetch(`${test.url}${path}`, { method: 'POST', headers, body: bytes })).status;
  };

  it.each(['utf-7', 'UTF-7', 'utf-7-imap', 'iso-8859-1', 'utf-9'])(
    'that is not of Unicode is refused: %s',
    async (name) => {
      for (const path of ['/graphql', '/features.geojson']) {
        expect(await ask(path, name, Buffer.from(body))).toBe(415);
      }
    },
  );

  it('of Unicode is read', async () => {
    expect(await ask('/graphql', 'utf-8', Buffer.from(body))).toBe(200);
    expect(await ask('/graphql', 'UTF-16', Buffer.from(`\ufeff${body}`, 'utf16le'))).toBe(200);
  });
});

describe('U+0000', () => {
  it.each([
    ['features by prompt', 'query($t: String) { features(filter: { promptContains: $t }) { totalCount } }'],
    ['segmentations by prompt', 'query($t: String) { segmentations(filter: { promptContains: $t }) { totalCount } }'],
    ['scenes by name', 'query($t: String) { scenes(filter: { name: $t }) { totalCount } }'],
    ['segmentations by model', 'query($t: ID) { segmentations(filter: { modelId: $t }) { totalCount } }'],
    ['a node', 'query($t: ID!) { node(id: $t) { id } }'],
    ['a cursor', 'query($t: String) { scenes(after: $t) { totalCount } }'],
    ['a name', 'mutation($t: String) { registerScene(input: { path: "a.tif", name: $t }) { id } }'],
    ['a path', 'mutation($t: String) { registerScene(input: { path: $t }) { id } }'],
    ['a URL', 'mutation($t: String) { registerScene(input: { url: $t }) { id } }'],
    ['an upload', 'mutation($t: String!) { createUpload(filename: $t, sizeBytes: 1) { id } }'],
    ['a prompt', 'mutation($t: String!) { segment(input: { sceneId: "a", prompts: [$t] }) { id } }'],
    ['a key', 'mutation($t: String) { segment(input: { sceneId: "a", prompts: ["b"], idempotencyKey: $t }) { id } }'],
    ['a literal', '{ scenes(filter: { name: "\\u0000" }) { totalCount } }'],
  ])('in %s is refused as bad input', async (_where, query) => {
    const { answer } = await post(query, query.includes('$t') ? { t: 'a\0b' } : {});
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors?.[0]?.message).toMatch(/U\+0000/);
  });

  it('is as half a surrogate pair, which no text of a database may contain', async () => {
    const { answer } = await post('mutation($t: String!) { segment(input: { sceneId: "a", prompts: [$t] }) { id } }', {
      t: 'a\ud800b',
    });
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining('U+D800 at position 1') as string, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  it('in the filter of a file is refused too', async () => {
    const filter = encodeURIComponent(JSON.stringify({ promptContains: '\0' }));
    const response = await fetch(`${test.url}/features.csv?filter=${filter}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'BAD_USER_INPUT' } });
  });
});

it.each([
  ['{ features(filter: { promptContains: $t }) { totalCount } }'],
  ['{ segmentations(filter: { promptContains: $t }) { totalCount } }'],
])('is bad input to search for more than a prompt: %s', async (query) => {
  const found = await post(`query($t: String) ${query}`, { t: 'x '.repeat(250) });
  expect(found.answer.errors).toBeUndefined();
  const refused = await post(`query($t: String) ${query}`, { t: 'x '.repeat(251) });
  expect(codes(refused.answer)).toEqual(['BAD_USER_INPUT']);
  expect(refused.answer.errors?.[0]?.message).toMatch(/promptContains has 502 characters; the limit is 500/);
});

describe('deep input', () => {
  const deep = (levels: number): string => `${'{"not":'.repeat(levels)}{"areaM2":{"min":1}}${'}'.repeat(levels)}`;

  it.each([50, 200, 1000, 5000, 20_000, 100_000])('in variables is refused as bad input: %i levels', async (levels) => {
    const query = 'query($f: FeatureFilter) { features(filter: $f) { totalCount } }';
    const { status, answer } = await post(
      query,
      `{"query":${JSON.stringify(query)},"variables":{"f":${deep(levels)}}}`,
    );
    expect(status).toBeLessThan(500);
    expect(codes(answer)).toEqual([levels === 50 ? 'INVALID_FILTER' : 'BAD_USER_INPUT']);
  });

  it('in the filter of a file is refused too', async () => {
    const response = await fetch(`${test.url}/features.csv`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"filter":${deep(20_000)}}`,
    });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each([
    [
      '3000 fragments in a chain',
      `{...A0}${Array.from({ length: 3000 }, (_, k) => ` fragment A${k} on Query{...A${k + 1}}`).join('')} fragment A3000 on Query{__typename}`,
    ],
    ['60000 selections', '{a'.repeat(60_000) + '}'.repeat(60_000)],
    ['90000 fields', `{${'__typename '.repeat(90_000)}}`],
    ['a list', `{features(filter:{bbox:${'['.repeat(100_000)}${']'.repeat(100_000)}}){totalCount}}`],
  ])('in a document is refused: %s', async (_what, query) => {
    const { status, answer } = await post(query);
    expect(status).toBeLessThan(500);
    expect(['BAD_USER_INPUT', 'GRAPHQL_PARSE_FAILED']).toContain(codes(answer)[0]);
  });
});

it('is 400 for a subscription by POST, and says what to use', async () => {
  const { status, answer } = await post(`subscription { segmentationProgress(id: "${segmentationId}") { id } }`);
  expect([status, codes(answer)]).toEqual([400, ['SUBSCRIPTION_NEEDS_WEBSOCKET']]);
  expect(answer.errors?.[0]?.message).toMatch(/use WebSocket/);
});

describe('an explicit null', () => {
  const schema = buildSchema();
  const fields = Object.values(schema.getQueryType()!.getFields()).filter(({ args }) =>
    args.some(({ type }) => !isNonNullType(type)),
  );
  const REQUIRED: Record<string, string> = {
    fromSegmentationId: '"FROM"',
    toSegmentationId: '"FROM"',
    zones: '{ sceneIds: ["SCENE"] }',
  };
  const SELECTIONS: Record<string, string> = {
    features: '{ totalCount nodes { id neighbours(NEIGHBOURS) { totalCount } } }',
    audit: '{ totalCount nodes { id } }',
    deletedSince: '{ hasNextPage }',
    jobs: '{ totalCount nodes { id } }',
    scenes: '{ totalCount nodes { id segmentations(LIST) { totalCount } } }',
    segmentations: '{ totalCount nodes { id features(FEATURES) { nodes { id } } } }',
    featureCollection: '',
    featureStatistics: '{ featureCount }',
    zonalStatistics: '{ featureCount }',
    change: '{ appearedAreaM2 }',
    adjacency: '{ nodeCount }',
  };
  const given = (args: readonly GraphQLArgument[], nulls: boolean): string => {
    const parts = args.flatMap(({ name, type }) => {
      if (isNonNullType(type)) return name in REQUIRED ? [`${name}: ${REQUIRED[name]}`] : [];
      return nulls ? [`${name}: null`] : [];
    });
    return parts.length > 0 ? `(${parts.join(', ')})` : '';
  };
  const operation = (name: string, nulls: boolean): string => {
    const nestedList = nulls ? '(first: null, after: null, last: null, before: null)' : '';
    const nestedFeatures = nulls ? '(filter: null, orderBy: null, first: null, after: null)' : '';
    const nestedNeighbours = nulls ? '(relation: null, withinM: null, inSegmentationId: null, first: null)' : '';
    const { args } = fields.find((field) => field.name === name)!;
    return `{ ${name}${given(args, nulls)} ${SELECTIONS[name]} }`
      .replace('(NEIGHBOURS)', nestedNeighbours)
      .replace('(LIST)', nestedList)
      .replace('(FEATURES)', nestedFeatures)
      .replaceAll('FROM', segmentationId)
      .replace('SCENE', sceneId);
  };

  it('is tried for every query with an optional argument', () => {
    expect(fields.map(({ name }) => name).toSorted()).toEqual(Object.keys(SELECTIONS).toSorted());
    expect(getNullableType(fields[0]!.args[0]!.type)).toBeDefined();
  });

  it.each(fields.map(({ name }) => name))('is the same as nothing in %s', async (name) => {
    const absent = await post(operation(name, false));
    const nulls = await post(operation(name, true));
    expect(absent.answer.errors).toBeUndefined();
    expect(nulls.answer).toEqual(absent.answer);
  });
});

describe('a page of no nodes', () => {
  it.each(['first: 0', 'last: 0'])('has its counts and says whether there are nodes: %s', async (size) => {
    const more = size.startsWith('first') ? 'hasNextPage' : 'hasPreviousPage';
    const page = `{ totalCount nodes { id } edges { cursor } pageInfo { ${more} endCursor } }`;
    const lists = `a: features(${size}) ${page} b: scenes(${size}) ${page} c: segmentations(${size}) ${page}`;
    const { answer } = await post(`{ ${lists} d: features(${size}) { totalCount nodes { id } } }`);
    expect(answer.errors).toBeUndefined();
    const { d, ...others } = answer.data as Record<string, { totalCount: number; nodes: unknown[] }>;
    for (const list of Object.values(others)) {
      expect(list).toMatchObject({ nodes: [], edges: [], pageInfo: { [more]: true, endCursor: null } });
      expect(list.totalCount).toBeGreaterThan(0);
    }
    expect(d?.nodes).toEqual([]);
    const none = await post(`{ features(${size}, filter: { areaM2: { min: 1e12 } }) ${page} }`);
    expect(none.answer.data).toMatchObject({ features: { totalCount: 0, pageInfo: { [more]: false } } });
  });
});

describe('what is answered otherwise than it was put', () => {
  const warningsOf = async (query: string, variables: object): Promise<readonly string[]> => {
    const { answer } = await post(query, variables);
    expect(codes(answer)).toEqual([]);
    return (answer as { extensions?: { warnings?: string[] } }).extensions?.warnings ?? [];
  };

  it('a geometry of a filter of scenes that is not valid is repaired, with a warning', async () => {
    const bowTie = [
      [-105, 38],
      [-104, 39],
      [-104, 38],
      [-105, 39],
      [-105, 38],
    ];
    const query = 'query($g: GeoJSONGeometry) { scenes(filter: { intersects: $g }) { totalCount } }';
    const warnings = await warningsOf(query, { g: { type: 'Polygon', coordinates: [bowTie] } });
    expect(warnings).toEqual([expect.stringMatching(/^The Polygon was invalid \(Self-intersection.*was repaired\.$/)]);
  });

  it('a scene far coarser than what the model was trained on is asked at its own resolution, with a warning', async () => {
    const { answer } = await post('mutation($p: String!) { registerScene(input: { path: $p }) { id gsdM } }', {
      p: join(IMAGERY, 'landsat_pucallpa_epsg4326_4band.tif'),
    });
    const { id, gsdM } = (answer.data as { registerScene: { id: string; gsdM: number } }).registerScene;
    const ask =
      'mutation($id: ID!, $scale: SegmentationScale!) { segment(input: { sceneId: $id, prompts: ["bright"], scale: $scale }) { id } }';
    const [warning, ...others] = await warningsOf(ask, { id, scale: 'AUTO' });
    expect(others).toEqual([]);
    expect(warning).toContain(`pixels of ${gsdM.toPrecision(4)} m`);
    expect(await warningsOf(ask, { id, scale: 'WINDOWS' })).toEqual([]);
    expect(await warningsOf(ask, { id: sceneId, scale: 'AUTO' })).toEqual([]);
  });
});
