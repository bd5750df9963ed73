import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type { Database } from '../../src/database/database.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openTestApp, type TestApp } from './test-app.ts';

let test: TestApp;
let listening: Listening;
beforeAll(async () => {
  let database: Database | undefined;
  test = await openTestApp({}, async () => (database = await openTestDatabase()));
  const { segmentation } = await runningSegmentation(database!);
  const outlines = [box(10, 50, 10.01, 50.01), box(10.1, 50, 10.12, 50.01), box(10.2, 50, 10.23, 50.01)];
  await new SegmentationRepository(database!).storeResult(segmentation, resultOf(featuresOf(...outlines)));
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
});
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

async function post(query: string, variables = {}): Promise<{ text: string; status: number; body: HttpBody }> {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${listening.url}/graphql`, { method: 'POST', headers, body });
  const text = await response.text();
  return { text, status: response.status, body: JSON.parse(text) as HttpBody };
}
interface HttpBody {
  readonly data?: { readonly features: { readonly nodes: readonly { readonly geometry: unknown }[] } };
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly warnings?: readonly string[] };
}
const FEATURES = 'query($filter: FeatureFilter) { features(filter: $filter) { nodes { geometry } } }';

describe('an answer over HTTP', () => {
  it('has outlines as the database wrote them', async () => {
    const { text, body } = await post('{ features(first: 1) { nodes { geometry(precision: 3) } } }');
    expect(body.data!.features.nodes).toEqual([{ geometry: box(10.2, 50, 10.23, 50.01) }]);
    expect(text).toContain('{"geometry":{"type":"Polygon","coordinates":[[[10.2,50],');
  });

  it('has collections as the database wrote them', async () => {
    const { body } = await post('{ featureCollection(precision: 2) }');
    expect(body.data).toMatchObject({ featureCollection: { type: 'FeatureCollection', features: { length: 3 } } });
  });

  it('warns of a geometry that was repaired', async () => {
    const bowtie = [at(0, 0), at(1, 1), at(1, 0), at(0, 1), at(0, 0)];
    const { body } = await post(FEATURES, { filter: { intersects: { type: 'Polygon', coordinates: [bowtie] } } });
    expect(body.data!.features.nodes).toHaveLength(3);
    expect(body.extensions!.warnings).toEqual([
      expect.stringMatching(/^The Polygon was invalid \(Self-inter.* was repaired/),
    ]);
  });

  it.each<[string, object | null, number]>([
    ['null is no condition', { intersects: null }, 3],
    ['no filter is no condition', null, 3],
    ['a point matches what it meets', { intersects: { type: 'Point', coordinates: [10.005, 50.005] } }, 1],
  ])('to a filter where %s', async (_what, filter, count) => {
    const { body } = await post(FEATURES, { filter });
    expect(body.data!.features.nodes).toHaveLength(count);
    expect(body.extensions!.warnings).toBeUndefined();
  });

  it.each<[string, object, string, RegExp]>([
    [
      'an empty collection',
      { type: 'GeometryCollection', geometries: [] },
      'INVALID_GEOMETRY',
      /a GeometryCollection needs at least 1 geometry/,
    ],
    ['a crs', { type: 'Point', coordinates: [0, 0], crs: { type: 'name' } }, 'INVALID_GEOMETRY', /crs member/],
    ['metres', { type: 'Point', coordinates: [500_000, 0] }, 'INVALID_GEOMETRY', /\[500000,0\] is not a position/],
    [
      'an open ring',
      { type: 'Polygon', coordinates: [[at(0, 0), at(1, 0), at(1, 1), at(0, 1)]] },
      'INVALID_GEOMETRY',
      /ring/,
    ],
    ['a text', { wkt: 'POINT(0 0)' }, 'INVALID_GEOMETRY', /type is missing/],
  ])('refuses %s instead of an empty list', async (_what, intersects, code, message) => {
    const { body } = await post(FEATURES, { filter: { intersects } });
    expect(body.data).toBeNull();
    expect(body.errors).toEqual([expect.objectContaining({ extensions: { code } })]);
    expect(body.errors![0]!.message).toMatch(message);
  });
});

function at(x: number, y: number): [number, number] {
  return [10 + x * 0.3, 50 + y * 0.02];
}
