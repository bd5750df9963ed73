import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AdjacencyGraphRepository } from '../../src/analysis/adjacency-graph.repository.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { checkFilter } from '../../src/feature/check-filter.ts';
import { AnswerComparison } from '../../src/run/answer-comparison.ts';
import { contactsBetween, contactsWithin, featuresOf, type Ground, groundOf } from '../../src/run/vectorise-mask.ts';
import type { Scene } from '../../src/scene/scene.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { toCocoCounts } from '../../src/vector/coco-counts.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import type { LabelledMask } from '../../src/vector/labelled-mask.ts';
import { newScene, resultOf, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { maskOf, noiseMask } from '../vector/seeded-masks.ts';

const SIDE_PX = 10;
const NEAR_M = 25;

let database: Database;
let store: SegmentationRepository;
let scenes: SceneRepository;
beforeAll(async () => {
  database = await openTestDatabase();
  store = new SegmentationRepository(database);
  scenes = new SceneRepository(database);
});
afterAll(() => database.close());

interface Answer {
  readonly id: string;
  readonly labelled: LabelledMask;
}

/** Pixels of 10 m. */
function storeScene(): Promise<Scene> {
  const affine = [500_000, 10, 0, 5_600_000, 0, -10] as const;
  return scenes.insert(newScene({ widthPx: SIDE_PX, heightPx: SIDE_PX, crs: 'EPSG:32632', affine, gsdM: 10 }));
}

async function storeAnswer(scene: Scene, ground: Ground, labelled: LabelledMask): Promise<Answer> {
  const { id, attempts } = await startSegmentation(database, scene.id);
  const { widthPx, heightPx, pixelCount } = labelled.mask;
  const mask = { widthPx, heightPx, counts: toCocoCounts(labelled.mask), pixelCount, meanProbability: 0.5 };
  const adjacency = contactsWithin(id, labelled, ground);
  await store.storeResult({ id, attempts }, resultOf(featuresOf(labelled, ground), { mask, adjacency, nearM: NEAR_M }));
  return { id, labelled };
}

async function storeAnswers(scene: Scene, ground: Ground, seeds: readonly number[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const seed of seeds) {
    answers.push(await storeAnswer(scene, ground, labelMask(maskOf(noiseMask(seed, SIDE_PX, SIDE_PX, 0.12)))));
  }
  return answers;
}

const comparisonOf = (scene: Scene): AnswerComparison =>
  new AnswerComparison(
    {
      store,
      logger: pino({ level: 'silent' }),
      scenesOf: () => ({ get: () => Promise.resolve(scene), open: () => Promise.reject(new Error('not needed')) }),
    },
    { nearM: NEAR_M },
  );

async function compareAll(scene: Scene): Promise<void> {
  const comparison = comparisonOf(scene);
  while (await comparison.step(1, new AbortController().signal));
}

const PairRow = z.object({ pair: z.string(), relation: z.string(), border: z.number().nullable(), gap: z.number() });

/** Stored pairs of two answers by `answer.label` of both, with what is measured of them. */
function pairsBetween(answers: readonly Answer[]) {
  const number = (id: Prisma.Sql): Prisma.Sql =>
    Prisma.sql`array_position(${`{${answers.map((answer) => answer.id).join(',')}}`}::text::uuid[], ${id})`;
  return database.query(
    PairRow,
    Prisma.sql`
      SELECT LEAST(a.name, b.name) || ' ' || GREATEST(a.name, b.name) AS pair, p.relation, p.shared_border_m AS border, p.gap_m AS gap
      FROM feature_adjacency AS p
      JOIN LATERAL (SELECT segmentation_id, ${number(Prisma.sql`segmentation_id`)} || '.' || label AS name FROM feature WHERE id = p.feature_a) AS a ON a.name IS NOT NULL
      JOIN LATERAL (SELECT segmentation_id, ${number(Prisma.sql`segmentation_id`)} || '.' || label AS name FROM feature WHERE id = p.feature_b) AS b ON b.name IS NOT NULL
      WHERE a.segmentation_id <> b.segmentation_id ORDER BY 1`,
  );
}

/** Pairs that meet in the masks, found for every two answers at once. */
function touchingPairs(answers: readonly Answer[], ground: Ground): string[] {
  return answers
    .flatMap((a, i) =>
      answers
        .slice(i + 1)
        .flatMap((b, j) =>
          contactsBetween(a, b, ground).map(({ labelA, labelB }) => [`${i + 1}.${labelA}`, `${i + j + 2}.${labelB}`]),
        ),
    )
    .map((pair) => pair.toSorted().join(' '))
    .toSorted();
}

async function comparedOf(answers: readonly Answer[]): Promise<boolean[]> {
  const stored = await store.byIds(answers.map(({ id }) => id));
  return answers.map(({ id }) => stored.find((one) => one.id === id)!.compared);
}

describe('answers of one scene', () => {
  it('are stored without pairs of two answers, and say so until they are compared', async () => {
    const scene = await storeScene();
    const ground = (await groundOf(scene))!;
    const answers = await storeAnswers(scene, ground, [1, 2, 3]);
    expect(await pairsBetween(answers)).toEqual([]);
    expect(await comparedOf(answers)).toEqual([true, false, false]);
    await compareAll(scene);
    expect(await comparedOf(answers)).toEqual([true, true, true]);
    const pairs = await pairsBetween(answers);
    expect(new Set(pairs.map(({ pair }) => pair.replaceAll(/\.\d+/g, '')))).toEqual(new Set(['1 2', '1 3', '2 3']));
    expect(pairs.filter(({ relation }) => relation === 'TOUCHES').map(({ pair }) => pair)).toEqual(
      touchingPairs(answers, ground),
    );
    const gaps = pairs.filter(({ relation }) => relation === 'NEAR').map(({ gap }) => gap);
    expect(gaps.length).toBeGreaterThan(5);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(NEAR_M);
    await scenes.remove(scene.id);
  });

  it('have the same neighbours before they are compared, after a part of it and at the end', async () => {
    const scene = await storeScene();
    const answers = await storeAnswers(scene, (await groundOf(scene))!, [4, 5, 6]);
    const before = await neighbourhood(scene);
    expect(before.edges.length).toBeGreaterThan(20);
    const comparison = comparisonOf(scene);
    let steps = 0;
    while (await comparison.step(1, new AbortController().signal)) {
      steps++;
      expectSame(await neighbourhood(scene), before);
    }
    expect(steps).toBeGreaterThanOrEqual(answers.length - 1);
    await scenes.remove(scene.id);
  });

  it('are compared once by several processes at a time', async () => {
    const scene = await storeScene();
    const ground = (await groundOf(scene))!;
    const answers = await storeAnswers(scene, ground, [8, 9, 10]);
    await Promise.all([compareAll(scene), compareAll(scene)]);
    const touching = (await pairsBetween(answers)).filter(({ relation }) => relation === 'TOUCHES');
    expect(touching.map(({ pair }) => pair)).toEqual(touchingPairs(answers, ground));
    await scenes.remove(scene.id);
  });

  it('are compared by the next step when one was stopped in the middle', async () => {
    const scene = await storeScene();
    const ground = (await groundOf(scene))!;
    const answers = await storeAnswers(scene, ground, [11, 12]);
    const comparison = comparisonOf(scene);
    const stopped = AbortSignal.abort(new Error('the service stops'));
    await expect(comparison.step(1, stopped)).rejects.toThrow('the service stops');
    expect([await pairsBetween(answers), await comparedOf(answers)]).toEqual([[], [true, false]]);
    await comparison.step(1, new AbortController().signal);
    expect((await pairsBetween(answers)).length).toBeGreaterThan(0);
    await scenes.remove(scene.id);
  });

  it('hold up none of another scene when one of them cannot be compared', async () => {
    const [broken, whole] = [await storeScene(), await storeScene()];
    const ground = (await groundOf(broken))!;
    const lost = await storeAnswers(broken, ground, [13, 14]);
    const answers = await storeAnswers(whole, ground, [15, 16]);
    await database.prisma.mask.delete({ where: { segmentationId: lost[0]!.id } });
    await compareAll(whole);
    expect([await comparedOf(lost), await comparedOf(answers)]).toEqual([
      [true, false],
      [true, true],
    ]);
    for (const { id } of [broken, whole]) await scenes.remove(id);
  });

  it('leave nothing to compare when their scene is deleted meanwhile', async () => {
    const scene = await storeScene();
    await storeAnswers(scene, (await groundOf(scene))!, [17, 18]);
    const next = (await store.nextUncompared(1, new Set()))!;
    await scenes.remove(scene.id);
    expect(await store.storeComparison(next, [], NEAR_M)).toBe(false);
    expect(await store.nextUncompared(1, new Set())).toBeNull();
  });
});

interface Neighbourhood {
  readonly edges: readonly {
    readonly pair: string;
    readonly relation: string;
    readonly border: number | null;
    readonly gap: number;
  }[];
  readonly pages: readonly string[];
  readonly beside: readonly string[];
}

/** The neighbours of every feature of a scene, as the graph, the field and the filter tell them. */
async function neighbourhood(scene: Scene): Promise<Neighbourhood> {
  const features = new FeatureRepository(database);
  const graph = new AdjacencyGraphRepository(database);
  const filter = checkFilter({ sceneId: scene.id }, 1000, NEAR_M);
  const edges = await graph.edges(filter, { reachM: NEAR_M }, 100_000);
  const ids = await graph.nodes(filter, 10_000);
  const pages = await features.neighbours(ids, { reachM: NEAR_M }, { first: 1000 });
  const [, second] = await store.list({ sceneId: scene.id }, { first: 2, after: null }).then((page) => page.edges);
  const beside = checkFilter({ sceneId: scene.id, adjacentTo: { segmentationId: second!.node.id } }, 1000, NEAR_M);
  return {
    edges: edges.map(({ fromId, toId, relation, sharedBorderM, gapM }) => ({
      relation,
      pair: `${fromId} ${toId}`,
      border: sharedBorderM,
      gap: gapM!,
    })),
    pages: ids.map((id) =>
      pages
        .get(id)!
        .edges.map(({ node }) => node.node.id)
        .toSorted()
        .join(' '),
    ),
    beside: await graph.nodes(beside, 10_000),
  };
}

function expectSame(now: Neighbourhood, before: Neighbourhood): void {
  expect([now.pages, now.beside]).toEqual([before.pages, before.beside]);
  expect(now.edges.map(({ pair }) => pair)).toEqual(before.edges.map(({ pair }) => pair));
  for (const [index, { pair, relation, gap, border }] of now.edges.entries()) {
    const was = before.edges[index]!;
    expect(Math.abs(gap - was.gap), `gap of ${pair}, metres`).toBeLessThan(0.01);
    // Only features that cover the same pixels touch by one measure and not by the other.
    const isSame = was.relation === 'TOUCHES' && was.gap === 0 && was.border! < 1e-6;
    expect(isSame ? 'NEAR TOUCHES' : was.relation, pair).toContain(relation);
    if (border !== null && was.border !== null) {
      expect(Math.abs(border - was.border), `border of ${pair}, metres`).toBeLessThan(0.5);
    }
  }
}
