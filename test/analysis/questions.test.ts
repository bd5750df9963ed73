import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { localService } from '../../src/cli/application/ask.ts';
import { runCli } from '../../src/cli/program.ts';
import { answerOperation, readOperation } from '../../src/cli/query.ts';
import type { Database } from '../../src/database/database.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { CapturedTerminal } from '../cli/captured-terminal.ts';
import { box, featuresOf, newScene, resultOf, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OPERATIONS = path.join(ROOT, 'schema/operations');
const files = (await readdir(OPERATIONS)).filter((file) => file.endsWith('.graphql')).toSorted();

/** Degrees of a metre at the harbour of the demo, 51.841° N. */
const [EAST, NORTH] = [1 / 68_890, 1 / 111_260];
const [WEST, SOUTH] = [4.98634, 51.8399];
/** Metres east and north of the south-western corner of the demo's scene, which has 250 m on each side. */
const place = (west: number, south: number, east: number, north: number) =>
  box(WEST + west * EAST, SOUTH + south * NORTH, WEST + east * EAST, SOUTH + north * NORTH);

let test: TestApp;
let database: Database;
let listening: Listening;

beforeAll(async () => {
  database = await openTestDatabase();
  test = await openTestApp({}, async () => database);
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
  const store = new SegmentationRepository(database);
  const scene = await new SceneRepository(database).insert(
    newScene({ name: 'Harbour', footprint: place(0, 0, 250, 250) }),
  );
  const answers = [
    // a canal, a basin 20 m east of it, a pond in the north-western corner
    ['water', [place(20, 0, 60, 180), place(80, 20, 240, 120), place(5, 230, 25, 245)]],
    // most of the basin, and a meadow 10 m north of it
    ['what would flood first?', [place(80, 20, 230, 110), place(90, 130, 140, 160)]],
    ['tennis courts', []],
  ] as const;
  for (const [prompt, outlines] of answers) {
    const { id } = await startSegmentation(database, scene.id, { prompt });
    await store.storeResult({ id, attempts: 1 }, resultOf(featuresOf(...outlines), { nearM: 0 }));
  }
}, 240_000);
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

async function answer(name: string): Promise<unknown> {
  const service = localService(test.app);
  return answerOperation(service, await readOperation(path.join(OPERATIONS, `${name}.graphql`)));
}

async function cli(...words: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli([...words, '--url', listening.url], terminal, {});
  return { exitCode, output: terminal.output, notes: terminal.notes };
}

describe('the saved operations', () => {
  it('are twelve', () => expect(files).toHaveLength(12));

  it.each(files)('%s is valid against the committed schema', async (file) => {
    const schema = buildSchema(await readFile(path.join(ROOT, 'schema/schema.graphql'), 'utf8'));
    expect(validate(schema, parse(await readFile(path.join(OPERATIONS, file), 'utf8')))).toEqual([]);
  });

  it.each(files)('%s stands in the documentation as it is', async (file) => {
    const docs = await readFile(path.join(ROOT, 'docs/querying.md'), 'utf8');
    const document = await readFile(path.join(OPERATIONS, file), 'utf8');
    const lines = document.split('\n');
    expect(docs).toContain(
      lines
        .filter((line) => !line.startsWith('# '))
        .join('\n')
        .trim(),
    );
    expect(docs).toContain(lines[0]!.replace(/^# /, ''));
  });

  it.each<[string, unknown]>([
    [
      '01-largest-water',
      {
        features: {
          totalCount: 3,
          nodes: [{ areaM2: expect.closeTo(16_000, -2) }, { areaM2: expect.closeTo(7200, -2) }, {}],
        },
      },
    ],
    [
      '02-near-the-quay',
      { features: { nodes: expect.arrayContaining([expect.objectContaining({ distanceM: expect.any(Number) })]) } },
    ],
    [
      '03-north-western-quarter',
      { features: { nodes: expect.arrayContaining([expect.objectContaining({ areaM2: expect.closeTo(300, -1) })]) } },
    ],
    [
      '04-floods-beside-water',
      {
        features: {
          totalCount: 2,
          nodes: [{ areaM2: expect.closeTo(13_500, -2) }, { areaM2: expect.closeTo(1500, -2) }],
        },
      },
    ],
    ['05-long-and-thin', { features: { totalCount: 0, nodes: [] } }],
    [
      '06-area-of-each-answer',
      {
        featureStatistics: [
          { key: ['water'], featureCount: 3, unionAreaM2: expect.closeTo(23_500, -2) },
          { key: ['what would flood first?'], featureCount: 2 },
        ],
      },
    ],
    [
      '07-sizes',
      {
        featureStatistics: [
          {
            areaM2Quantiles: [
              expect.closeTo(300, -1),
              expect.closeTo(7200, -2),
              expect.any(Number),
              expect.closeTo(16_000, -2),
            ],
          },
          {},
        ],
      },
    ],
    [
      '08-density',
      {
        featureStatistics: expect.arrayContaining([
          expect.objectContaining({ key: [expect.stringMatching(/^\d+\/\d+$/)] }),
        ]),
      },
    ],
    [
      '09-where-two-answers-differ',
      {
        change: {
          persistedAreaM2: expect.closeTo(13_500, -2),
          appearedAreaM2: expect.closeTo(1500, -2),
          pairs: [{ iou: expect.closeTo(13_500 / 16_000, 3) }],
          appeared: [{}],
          vanished: [{}, {}],
        },
      },
    ],
    [
      '10-share-of-each-half',
      {
        zonalStatistics: [
          { id: 'west', coveredShare: expect.any(Number), featureCount: 3, nearestDistanceM: 0 },
          { id: 'east', featureCount: 1 },
        ],
      },
    ],
    [
      '11-found-nothing',
      {
        segmentations: { totalCount: 1, nodes: [{ prompt: 'tennis courts', emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD' }] },
      },
    ],
    [
      '12-who-borders-whom',
      {
        adjacency: {
          nodeCount: 4,
          edgeCount: 5,
          edges: expect.arrayContaining([expect.objectContaining({ relation: 'TOUCHES', gapM: 0 })]),
        },
      },
    ],
  ])('%s answers', async (name, expected) => {
    expect(await answer(name)).toMatchObject(expected as object);
  });

  it('see shares of the halves that add up to the whole', async () => {
    const Halves = z.object({ zonalStatistics: z.array(z.object({ coveredAreaM2: z.number() })) });
    const { zonalStatistics } = Halves.parse(await answer('10-share-of-each-half'));
    const covered = zonalStatistics.reduce((sum, one) => sum + one.coveredAreaM2, 0);
    expect(covered).toBeCloseTo(7200 + 16_000 + 300, -2);
  });
});

describe('terraql query', () => {
  it('prints the answer of one file, and of several by name', async () => {
    const file = (name: string) => path.join(OPERATIONS, `${name}.graphql`);
    const one = await cli('query', file('11-found-nothing'));
    expect(one).toMatchObject({ exitCode: 0, notes: [] });
    expect(JSON.parse(one.output).segmentations.totalCount).toBe(1);
    const several = await cli('query', file('01-largest-water'), file('09-where-two-answers-differ'));
    expect(Object.keys(JSON.parse(several.output))).toEqual(['01-largest-water', '09-where-two-answers-differ']);
    const asked = await cli('query', file('01-largest-water'), '--variables', '{"prompt":"flood","first":1}');
    expect(JSON.parse(asked.output).features).toMatchObject({ totalCount: 2, nodes: [{}] });
  });

  it.each([
    [['nowhere.graphql'], 2, /nowhere\.graphql: ENOENT/],
    [[path.join(OPERATIONS, '01-largest-water.graphql'), '--variables', '[1]'], 2, /are not a JSON object/],
    [
      [path.join(OPERATIONS, '09-where-two-answers-differ.graphql'), '--variables', '{"before":"@segmentation:fire"}'],
      2,
      /@segmentation:fire: no finished segmentation has that prompt/,
    ],
    [[path.join(OPERATIONS, '01-largest-water.graphql'), '--variables', '{"prompt":"water"}'], 1, /\$first/],
  ])('leaves %j with %d', async (words, exitCode, note) => {
    const failed = await cli('query', ...words);
    expect(failed).toMatchObject({ exitCode, output: '' });
    expect(failed.notes.join()).toMatch(note);
  });
});

describe('terraql adjacency', () => {
  it('writes the graph of what matches', async () => {
    const graphml = await cli('adjacency', '--prompt', 'water', '--gap-m', '60', '--format', 'graphml');
    expect(graphml).toMatchObject({ exitCode: 0, notes: [] });
    expect(graphml.output.match(/<node /g)).toHaveLength(3);
    expect(graphml.output.match(/<edge /g)).toHaveLength(2);
    const { nodes, edges } = JSON.parse((await cli('adjacency', '--relation', 'touches', '--json')).output);
    expect(nodes).toHaveLength(5);
    expect(edges.every(({ relation }: { relation: string }) => relation === 'TOUCHES')).toBe(true);
  });

  it('says what is wrong with the question', async () => {
    const { exitCode, notes } = await cli('adjacency', '--gap-m', '20000');
    expect({ exitCode, notes }).toEqual({
      exitCode: 1,
      notes: ['terraql: withinM is 20000; it must be 0 to 10000 metres.'],
    });
  });
});

describe('over GraphQL', () => {
  it.each([
    ['{ featureStatistics(groupBy: [SCENE, SCENE]) { key } }', 'INVALID_STATISTICS'],
    ['{ featureStatistics { areaM2Quantiles(q: [2]) } }', 'INVALID_STATISTICS'],
    ['{ zonalStatistics(zones: {}) { areaM2 } }', 'INVALID_ZONES'],
    ['{ zonalStatistics(zones: { collection: "text" }) { areaM2 } }', 'BAD_USER_INPUT'],
    ['{ change(fromSegmentationId: "a", toSegmentationId: "b") { persistedAreaM2 } }', 'SEGMENTATION_NOT_FOUND'],
    ['{ adjacency(withinM: -5) { nodeCount } }', 'INVALID_FILTER'],
  ])('%s is refused with a code', async (document, code) => {
    expect((await test.ask(document)).error?.code).toBe(code);
  });

  it('gives the ends of edges among the nodes of a graph', async () => {
    const counted = (await test.ask('{ adjacency { nodeCount } }')).data.adjacency;
    const { nodes, edges } = (
      await test.ask('{ adjacency(withinM: 60) { nodes { id } edges { from { id } to { id } } } }')
    ).data.adjacency;
    expect(nodes).toHaveLength(counted.nodeCount);
    const ids = nodes.map(({ id }: { id: string }) => id);
    for (const { from, to } of edges) expect(ids).toEqual(expect.arrayContaining([from.id, to.id]));
  });
});
