import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';
import { IMAGERY, openServedApp, type ServedApp } from '../http/served-app.ts';
import { seededRandom } from '../seeded.ts';
import { type Known, type RandomOperation, RandomOperations } from './random-operations.ts';

/** More of them, as before a release: `TERRAQL_TEST_OPERATIONS=5000 npx vitest run test/graphql/random-operations`. */
const OPERATIONS = Number(process.env['TERRAQL_TEST_OPERATIONS'] ?? 150);
const TIMEOUT_MS = 60_000 + OPERATIONS * 1000;
/** What no answer may tell: places in the code, statements, the driver. */
const INTERNALS =
  /node_modules|src\/[a-z-]+\/|at .*\.[jt]s:\d|\bSELECT |\b[Pp]risma|relation "|syntax error at|\bECONN|\bpg_/;

let test: ServedApp;
let known: Known;

beforeAll(async () => {
  test = await openServedApp();
  const { sceneId, segmentationIds } = await test.segment(['bright', 'dark']);
  const answer = await test.ask(
    '{ features(first: 5) { nodes { id } pageInfo { endCursor } } scenes { pageInfo { endCursor } } }',
  );
  const { features, scenes } = answer.data;
  known = {
    ids: [sceneId, ...segmentationIds, ...features.nodes.map(({ id }) => id), '01a2282e-5e3d-7001-8e9f-a52e7ca94e37'],
    cursors: [features.pageInfo.endCursor!, scenes.pageInfo.endCursor!],
    paths: [path.join(IMAGERY, 'odd/rgb.webp'), path.join(IMAGERY, 'odd/grey_utm.png'), IMAGERY],
    box: [-104.776, 38.953, -104.774, 38.955],
  };
});
afterAll(() => test.close());

/** @returns what is wrong with the answer; null when nothing is */
async function fault({ query, variables }: RandomOperation): Promise<string | null> {
  const response = await fetch(`${test.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(50_000),
  });
  const text = await response.text();
  const answer = JSON.parse(text) as { errors?: { message: string; extensions?: { code?: string } }[] };
  const internal = answer.errors?.some(({ extensions }) => extensions?.code === 'INTERNAL_SERVER_ERROR');
  const coded = (answer.errors ?? []).every(({ extensions }) => typeof extensions?.code === 'string');
  const told = INTERNALS.exec(text.replaceAll(/"(source|path|url)":"[^"]*"/g, ''))?.[0];
  if (response.status < 500 && internal !== true && coded && told === undefined) return null;
  return `${response.status} ${told ?? ''} ${text.slice(0, 300)}\n${query}\n${JSON.stringify(variables).slice(0, 1500)}`;
}

describe('operations drawn at random', () => {
  it.each([99, 1, 2026])(
    'are answered, or refused with a code: seed %i',
    async (seed) => {
      const operations = new RandomOperations(buildSchema(), known, seededRandom(seed));
      const faults: string[] = [];
      for (let count = 0; count < OPERATIONS / 3 && faults.length < 10; count++) {
        const found = await fault(operations.next());
        if (found !== null) faults.push(found);
      }
      expect(faults.join('\n\n')).toBe('');
    },
    TIMEOUT_MS,
  );
});
