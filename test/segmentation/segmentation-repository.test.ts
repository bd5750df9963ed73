import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { SegmentationNotRunningError, UnknownFeatureLabelError } from '../../src/segmentation/segmentation.store.ts';
import {
  ANEW,
  box,
  claimNext,
  compareStored,
  featuresOf,
  line,
  newScene,
  newSegmentation,
  resultOf,
  runningSegmentation,
  startSegmentation,
  workerOf,
} from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
let store: SegmentationRepository;
beforeAll(async () => {
  database = await openTestDatabase();
  store = new SegmentationRepository(database);
});
afterAll(() => database.close());

const CountRow = z.object({ count: z.number() });
async function countOf(table: Prisma.Sql, segmentationId: string): Promise<number> {
  const rows = await database.query(
    CountRow,
    Prisma.sql`SELECT count(*)::float8 AS count FROM ${table} WHERE segmentation_id = ${segmentationId}::uuid`,
  );
  return rows[0]?.count ?? -1;
}

const PairRow = z.object({
  relation: z.string(),
  border: z.number().nullable(),
  gap: z.number().nullable(),
  bearing: z.number().nullable(),
  labels: z.string(),
});
/** Adjacency of a scene; labels are prompts' initials and feature numbers, in the order of the stored pair. */
function pairsOf(sceneId: string): Promise<z.infer<typeof PairRow>[]> {
  return database.query(
    PairRow,
    Prisma.sql`
      SELECT relation, shared_border_m AS border, gap_m AS gap, p.bearing_deg AS bearing,
             left(sa.prompt, 1) || a.label || ' ' || left(sb.prompt, 1) || b.label AS labels
      FROM feature_adjacency p JOIN feature a ON a.id = feature_a JOIN segmentation sa ON sa.id = a.segmentation_id
      JOIN feature b ON b.id = feature_b JOIN segmentation sb ON sb.id = b.segmentation_id
      WHERE p.scene_id = ${sceneId}::uuid ORDER BY labels`,
  );
}

/** Cancels segmentations and takes their jobs out of the queue. */
async function cancelAll(...segmentations: readonly { readonly id: string }[]): Promise<void> {
  for (const { id } of segmentations) await store.cancel(id);
  for (let claim: unknown = 1; claim !== null;) claim = await store.claim(await workerOf(database), () => 0);
}

describe('the life of a segmentation', () => {
  it('begins QUEUED, with what was asked', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const area = box(10.1, 50.1, 10.2, 50.2);
    const asked = newSegmentation(scene.id, { areaOfInterest: area, gsdM: 2, minAreaM2: 30 });
    const [created] = await store.create([asked], ANEW);
    const { workKey: _workKey, ...kept } = asked;
    expect(created).toMatchObject({ ...kept, state: 'QUEUED', targetFound: null, failure: null, attempts: 0 });
    expect(await store.byId(created!.id)).toEqual(created);
    await cancelAll(created!);
  });

  it('is claimed by one caller, all questions of a request at once', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const first = await store.create(
      [newSegmentation(scene.id, { prompt: 'one' }), newSegmentation(scene.id, { prompt: 'two' })],
      ANEW,
    );
    const second = await store.create([newSegmentation(scene.id, { prompt: 'three' })], ANEW);
    const claims = await Promise.all([claimNext(database), claimNext(database), claimNext(database)]);
    const prompts = claims.map((claim) => claim.map(({ prompt }) => prompt).join()).toSorted();
    expect(prompts).toEqual(['', 'one,two', 'three']);
    const claimed = claims.flat();
    expect(claimed.every(({ state, attempts, startedAt }) => state === 'RUNNING' && attempts === 1 && startedAt)).toBe(
      true,
    );
    await cancelAll(...first, ...second);
  });

  it('tells a run that it was cancelled, and takes no progress, failure or result after that', async () => {
    const { segmentation } = await runningSegmentation(database);
    const step = { phase: 'reasoning' as const, windowsDone: 1, windowsTotal: 4, etaS: 2.5 };
    expect(await store.progress([segmentation], step)).toEqual(new Set([segmentation.id]));
    expect((await store.byId(segmentation.id))?.progress).toEqual(step);
    expect(await store.cancel(segmentation.id)).toBe(true);
    expect(await store.cancel(segmentation.id)).toBe(false);
    expect(await store.progress([segmentation], step)).toEqual(new Set());
    await store.fail([segmentation], { code: 'X', message: 'y' });
    expect((await store.byId(segmentation.id))?.state).toBe('CANCELLED');
    await expect(store.storeResult(segmentation, resultOf([]))).rejects.toThrow(SegmentationNotRunningError);
    expect(await countOf(Prisma.sql`mask`, segmentation.id)).toBe(0);
  });

  it('keeps why it failed', async () => {
    const { segmentation } = await runningSegmentation(database);
    await store.fail([segmentation], { code: 'MODEL_REJECTED', message: 'not this one' });
    expect(await store.byId(segmentation.id)).toMatchObject({
      state: 'FAILED',
      failure: { code: 'MODEL_REJECTED', message: 'not this one' },
      finishedAt: expect.any(Date),
    });
  });

  it('is not found under an identifier that cannot be one', async () => {
    expect(await store.byId('nonsense')).toBeNull();
    await expect(store.list({ sceneId: 'nonsense' }, { first: 1, after: null })).rejects.toThrow(
      'sceneId "nonsense" is not an identifier',
    );
  });

  it('is listed newest first, in pages that match the filter', async () => {
    const scene = await new SceneRepository(database).insert(newScene());
    const prompts = ['Roads', 'water here', 'Water 100%', 'trees', 'more WATER'];
    for (const prompt of prompts) await store.create([newSegmentation(scene.id, { prompt })], ANEW);
    const filter = { sceneId: scene.id, promptContains: 'water' };
    const page = await store.list(filter, { first: 2, after: null });
    const rest = await store.list(filter, { first: 2, after: page.edges.at(-1)!.cursor });
    expect([await page.totalCount(), page.hasNextPage, rest.hasNextPage]).toEqual([3, true, false]);
    expect([...page.edges, ...rest.edges].map(({ node }) => node.prompt)).toEqual([
      'more WATER',
      'Water 100%',
      'water here',
    ]);
    const back = await store.list(filter, { last: 2, before: null });
    const front = await store.list(filter, { last: 2, before: back.edges[0]!.cursor });
    expect([...front.edges, ...back.edges].map(({ node }) => node.prompt)).toEqual([
      'more WATER',
      'Water 100%',
      'water here',
    ]);
    expect([back.hasPreviousPage, back.hasNextPage, front.hasPreviousPage, front.hasNextPage]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect((await store.listOf([scene.id], { first: 2 })).get(scene.id)!.edges.map(({ node }) => node.prompt)).toEqual([
      'more WATER',
      'trees',
    ]);
    expect((await store.countsOf([scene.id])).get(scene.id)).toBe(5);
    for (let claimed = await claimNext(database); claimed.length > 0; claimed = await claimNext(database)) {
      await cancelAll(...claimed);
    }
  });
});

describe('storing a result', () => {
  it('measures each feature on the ellipsoid', async () => {
    const { segmentation } = await runningSegmentation(database);
    await store.storeResult(segmentation, resultOf(featuresOf(box(10, 0, 10.02, 0.01))));
    const feature = await database.prisma.feature.findFirstOrThrow({ where: { segmentationId: segmentation.id } });
    // geographiclib 2.1 for Python: Geodesic.WGS84.Polygon()
    // Its edges are geodesics; those of RFC 7946 are straight in longitude and latitude.
    expect(Math.abs(feature.areaM2! / 2_461_814.428_86 - 1)).toBeLessThan(2e-8);
    expect(feature.perimeterM).toBeCloseTo(6664.265_115, 4);
    expect(feature.compactness).toBeCloseTo((4 * Math.PI * feature.areaM2!) / feature.perimeterM! ** 2, 9);
    expect(feature.bearingDeg).toBeCloseTo(90, 2);
    expect(await store.byId(segmentation.id)).toMatchObject({
      state: 'SUCCEEDED',
      targetFound: true,
      featureCount: 1,
      areaM2: feature.areaM2,
      emptyReason: null,
    });
    expect(await store.mask(segmentation.id)).toEqual({
      widthPx: 100,
      heightPx: 100,
      counts: [10, 100, 9890],
      pixelCount: 100,
      areaM2: feature.areaM2,
      meanProbability: 0.8,
    });
  });

  it('has no metres without a georeference', async () => {
    const { scene, segmentation } = await runningSegmentation(database, {
      crs: null,
      affine: null,
      gsdM: null,
      footprint: null,
    });
    expect(scene.areaM2).toBeNull();
    const touching = {
      segmentationA: segmentation.id,
      labelA: 1,
      segmentationB: segmentation.id,
      labelB: 2,
      border: null,
      corners: 1,
    };
    const features = featuresOf(box(0, 0, 10, 10), box(10, 10, 20, 20));
    await store.storeResult(segmentation, resultOf(features, { georeferenced: false, adjacency: [touching] }));
    const [feature] = await database.prisma.feature.findMany({ where: { segmentationId: segmentation.id } });
    expect(feature).toMatchObject({ areaM2: null, perimeterM: null, compactness: null, bearingDeg: null });
    expect(await store.byId(segmentation.id)).toMatchObject({ featureCount: 2, areaM2: null, targetFound: true });
    expect(await pairsOf(scene.id)).toEqual([
      expect.objectContaining({ relation: 'TOUCHES', border: null, gap: null, bearing: null }),
    ]);
  });

  it('keeps why nothing was found', async () => {
    const { segmentation } = await runningSegmentation(database);
    await store.storeResult(segmentation, resultOf([], { emptyReason: 'ALL_BELOW_MIN_AREA' }));
    expect(await store.byId(segmentation.id)).toMatchObject({
      state: 'SUCCEEDED',
      targetFound: false,
      emptyReason: 'ALL_BELOW_MIN_AREA',
      featureCount: 0,
      areaM2: 0,
    });
  });

  it('stores pairs that touch with their border, and pairs that are near with their gap, within and between prompts', async () => {
    const { scene, segmentation: water } = await runningSegmentation(database);
    const metre = 1 / 111_319.491;
    const east = (from: number, to: number) => box(10 + from * metre, 0, 10 + to * metre, 0.001);
    await store.storeResult(water, resultOf(featuresOf(east(0, 100), east(130, 200), east(400, 500))));
    const roads = await startSegmentation(database, scene.id, { prompt: 'Roads' });
    const border = line([10 + 100 * metre, 0], [10 + 100 * metre, 0.001]);
    const adjacency = [{ segmentationA: roads.id, labelA: 1, segmentationB: water.id, labelB: 1, border, corners: 0 }];
    await store.storeResult(roads, resultOf(featuresOf(east(100, 110))));
    await compareStored(database, { adjacency });
    const pairs = await pairsOf(scene.id);
    expect(pairs.map(({ labels, relation }) => `${relation} ${labels}`)).toEqual([
      'TOUCHES W1 R1',
      'NEAR W1 W2',
      'NEAR W2 R1',
    ]);
    expect(pairs[0]).toMatchObject({ border: expect.closeTo(110.574, 2), gap: 0, bearing: expect.closeTo(90, 3) });
    expect(pairs[1]).toMatchObject({ border: null, gap: expect.closeTo(30, 2), bearing: expect.closeTo(90, 3) });
    expect(pairs[2]).toMatchObject({ gap: expect.closeTo(20, 2), bearing: expect.closeTo(270, 3) });
  });

  it('keeps nothing when a pair names a feature that is not there', async () => {
    const { segmentation } = await runningSegmentation(database);
    const adjacency = [
      {
        segmentationA: segmentation.id,
        labelA: 1,
        segmentationB: segmentation.id,
        labelB: 7,
        border: null,
        corners: 1,
      },
    ];
    const result = resultOf(featuresOf(box(10, 50, 10.1, 50.1)), { adjacency });
    await expect(store.storeResult(segmentation, result)).rejects.toThrow(UnknownFeatureLabelError);
    expect([
      await countOf(Prisma.sql`feature`, segmentation.id),
      await countOf(Prisma.sql`mask`, segmentation.id),
    ]).toEqual([0, 0]);
    expect((await store.byId(segmentation.id))?.state).toBe('RUNNING');
    await store.cancel(segmentation.id);
  });

  it('refuses an outline that crosses itself', async () => {
    const { segmentation } = await runningSegmentation(database);
    const bowtie = {
      type: 'Polygon' as const,
      coordinates: [
        [
          [10, 50],
          [13, 53],
          [11, 50],
          [10, 51],
          [10, 50],
        ],
      ],
    };
    await expect(store.storeResult(segmentation, resultOf(featuresOf(bowtie)))).rejects.toThrow(/feature_valid/);
    await store.cancel(segmentation.id);
  });

  it('goes with its scene', async () => {
    const { scene, segmentation } = await runningSegmentation(database);
    await store.storeResult(segmentation, resultOf(featuresOf(box(10, 50, 10.1, 50.1))));
    expect(await new SceneRepository(database).remove(scene.id)).toEqual(scene);
    expect(await store.byId(segmentation.id)).toBeNull();
    expect(await countOf(Prisma.sql`feature`, segmentation.id)).toBe(0);
  });
});
