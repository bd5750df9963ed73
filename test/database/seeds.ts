import { randomBytes } from 'node:crypto';
import type { MultiLineString, MultiPolygon, Polygon } from 'geojson';
import { pixelMeasures } from '../feature/measure-values.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { NewScene, Scene } from '../../src/scene/scene.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import type { NewSegmentation, Segmentation } from '../../src/segmentation/segmentation.ts';
import { createSegmentations } from '../../src/segmentation/segmentation-create.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type {
  CreateOptions,
  SegmentationResult,
  StoredAdjacencyInput,
  StoredFeatureInput,
} from '../../src/segmentation/segmentation.store.ts';

/** A scene of one square degree at 10° E 50° N, unless told otherwise. */
export function newScene(changes: Partial<NewScene> = {}): NewScene {
  return {
    name: 'Field',
    source: '/scenes/field.tif',
    sha256: 'a'.repeat(64),
    widthPx: 100,
    heightPx: 100,
    bands: 3,
    dtype: 'uint8',
    nodata: null,
    crs: 'EPSG:4326',
    affine: [10, 0.01, 0, 51, 0, -0.01],
    gsdM: 900,
    footprint: box(10, 50, 11, 51),
    rgbBands: [1, 2, 3],
    stretch: null,
    collar: null,
    acquiredAt: new Date('2024-06-01T10:00:00Z'),
    blobKey: null,
    remote: null,
    attribution: null,
    ...changes,
  };
}

export function newSegmentation(sceneId: string, changes: Partial<NewSegmentation> = {}): NewSegmentation {
  return {
    sceneId,
    prompt: 'Where is water?',
    task: 'REASONING',
    model: { id: 'tiny/1', name: 'tiny', version: '1', sha256: 'b'.repeat(64), windowPx: 512, licence: 'Apache-2.0' },
    scale: 'AUTO',
    gsdM: null,
    threshold: 0.5,
    minAreaM2: 0,
    areaOfInterest: null,
    workKey: randomBytes(32).toString('hex'),
    ...changes,
  };
}

/** Counter-clockwise, closed. */
export function box(west: number, south: number, east: number, north: number): Polygon {
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  };
}

export function line(...positions: [number, number][]): MultiLineString {
  return { type: 'MultiLineString', coordinates: [positions] };
}

/** Features 1, 2, … of outlines; the probability falls from 0.9 by a hundredth each. */
export function featuresOf(...outlines: (Polygon | MultiPolygon)[]): StoredFeatureInput[] {
  return outlines.map((geometry, index) => ({
    label: index + 1,
    geometry,
    ...pixelMeasures({ pixelCount: 100 + index, meanProbability: 0.9 - index / 100 }),
  }));
}

export function resultOf(
  features: readonly StoredFeatureInput[],
  changes: Partial<SegmentationResult> = {},
): SegmentationResult {
  const pixelCount = features.reduce((sum, feature) => sum + feature.pixelCount, 0);
  return {
    mask: {
      widthPx: 100,
      heightPx: 100,
      counts: [10, pixelCount, 9990 - pixelCount],
      pixelCount,
      meanProbability: 0.8,
    },
    georeferenced: true,
    features,
    adjacency: [],
    nearM: 50,
    emptyReason: features.length === 0 ? 'NO_PIXEL_ABOVE_THRESHOLD' : null,
    ...changes,
  };
}

/** A scene, and a segmentation of it that is RUNNING. */
export async function runningSegmentation(
  database: Database,
  scene: Partial<NewScene> = {},
): Promise<{ scene: Scene; segmentation: Segmentation }> {
  const stored = await new SceneRepository(database).insert(newScene(scene));
  return { scene: stored, segmentation: await startSegmentation(database, stored.id) };
}

/** Stores a question about a scene as RUNNING, so that no worker takes it; its job in the queue is that of an empty batch. */
export async function startSegmentation(
  database: Database,
  sceneId: string,
  changes: Partial<NewSegmentation> = {},
): Promise<Segmentation> {
  const worker = await workerOf(database);
  const id = await database.transaction(async (queries) => {
    const [created] = await createSegmentations(queries, [newSegmentation(sceneId, changes)], ANEW);
    await queries.execute(Prisma.sql`
      UPDATE segmentation SET state = 'RUNNING', worker = ${worker}::int, attempts = 1, started_at = now(), phase = 'reading'
      WHERE id = ${created!.id}::uuid`);
    return created!.id;
  });
  return (await new SegmentationRepository(database).byId(id))!;
}

/**
 * Compares every stored answer with the earlier ones of its scene, as workers do while nothing else is due.
 * @param adjacency pairs of two answers that meet in their masks
 */
export async function compareStored(
  database: Database,
  {
    adjacency = [],
    nearM = 50,
  }: { readonly adjacency?: readonly StoredAdjacencyInput[]; readonly nearM?: number } = {},
): Promise<void> {
  const store = new SegmentationRepository(database);
  for (;;) {
    const next = await store.nextUncompared(0, new Set());
    if (next === null) return;
    const compared = new Set([next.id, ...next.earlier.map(({ id }) => id)]);
    const pairs = adjacency.filter(
      ({ segmentationA: a, segmentationB: b }) =>
        (a === next.id || b === next.id) && compared.has(a) && compared.has(b),
    );
    if (!(await store.storeComparison(next, pairs, nearM))) throw new Error(`${next.id} was not compared`);
  }
}

/** Stores questions without looking for the same work. */
export const ANEW: CreateOptions = { force: true, key: null };

const workers = new WeakMap<object, Promise<number>>();

/** Number of a worker that lives as long as the connection of the database. */
export function workerOf(database: Database): Promise<number> {
  const known = workers.get(database.session) ?? new SegmentationRepository(database).takeWorkerNumber();
  workers.set(database.session, known);
  return known;
}

/** Claims the next batch for {@link workerOf}. @returns its segmentations; none when nothing waits */
export async function claimNext(database: Database): Promise<readonly Segmentation[]> {
  const [store, worker] = [new SegmentationRepository(database), await workerOf(database)];
  for (;;) {
    const claim = await store.claim(worker, () => 0);
    if (claim === null) return [];
    if (claim.segmentations.length > 0) return claim.segmentations;
  }
}
