/**
 * What a prompt costs past the model, on a scene that was asked about before: `npm run bench -- prompts [prompts] [blobs]`.
 *
 * Every prompt finds blobs in the same places, a little different each time, so that each of its features overlaps one of every
 * earlier prompt. Prints the time to trace and store an answer for each tenth prompt, with what its neighbours take before
 * they are compared; then the time to compare all answers, and what neighbours take after it. Fails where the last tenth of
 * the prompts takes more than 1.5 times what the first tenth took, by medians. Uses DATABASE_URL, or else the embedded engine.
 */
import pino from 'pino';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { AnswerComparison } from '../../src/run/answer-comparison.ts';
import { z } from 'zod';
import { Prisma } from '../../src/database/database.ts';
import { tracedAnswer } from '../../src/run/run-answer.ts';
import { contactsWithin, groundOf } from '../../src/run/vectorise-mask.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { newScene, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';

const [PROMPTS = 100, BLOBS = 100] = process.argv.slice(2).map(Number);
const SIDE_PX = 1000;
const NEAR_M = Number(process.env['TERRAQL_NEAR_M'] ?? 50);
const random = seededRandom(5);

/** Ragged discs on a grid of places. */
function blobs(): MaskRuns {
  const columns = Math.ceil(Math.sqrt(BLOBS));
  const step = SIDE_PX / columns;
  const probability = new Float32Array(SIDE_PX * SIDE_PX);
  for (let blob = 0; blob < BLOBS; blob++) {
    const [x, y] = [
      ((blob % columns) + 0.4 + random() / 5) * step,
      (Math.floor(blob / columns) + 0.4 + random() / 5) * step,
    ];
    const radius = step * (0.3 + random() / 10);
    for (let row = Math.ceil(y - radius); row < Math.min(SIDE_PX, y + radius); row++) {
      const half = Math.sqrt(Math.max(0, radius ** 2 - (row - y) ** 2)) * (0.85 + random() * 0.15);
      const from = row * SIDE_PX;
      probability.fill(0.9, from + Math.max(0, Math.ceil(x - half)), from + Math.min(SIDE_PX, Math.ceil(x + half)));
    }
  }
  const mask = new MaskRuns(SIDE_PX, SIDE_PX);
  for (let y = 0; y < SIDE_PX; y++) {
    mask.pushRow(rowFromProbability(y, probability.subarray(y * SIDE_PX, (y + 1) * SIDE_PX), 0.5));
  }
  return mask;
}

const database = await openTestDatabase();
const affine = [500_000, 0.5, 0, 5_600_000, 0, -0.5] as const;
const scene = await new SceneRepository(database).insert(
  newScene({ widthPx: SIDE_PX, heightPx: SIDE_PX, crs: 'EPSG:32632', affine, gsdM: 0.5 }),
);
const store = new SegmentationRepository(database);
const ground = await groundOf(scene);
const features = new FeatureRepository(database);
const comparison = new AnswerComparison(
  {
    store,
    scenesOf: () => ({ get: () => Promise.resolve(scene), open: () => Promise.reject(new Error('not needed')) }),
    logger: pino(),
  },
  { nearM: NEAR_M },
);

/** Milliseconds to find the neighbours of one of the features, and how many there are. */
async function neighboursOf(id: string): Promise<string> {
  const begun = performance.now();
  const counts = await features.neighbourCounts([id], { reachM: NEAR_M });
  return `${counts.get(id)} neighbours of a feature in ${(performance.now() - begun).toFixed(0)} ms`;
}

const IdRow = z.object({ id: z.string() });
const times: number[] = [];
let one = '';
for (let prompt = 0; prompt < PROMPTS; prompt++) {
  const segmentation = await startSegmentation(database, scene.id, { prompt: `prompt ${prompt}` });
  const found = { masks: [blobs()], validPixels: SIDE_PX ** 2 };
  const begun = performance.now();
  const { labelled, result } = await tracedAnswer(scene, ground, found, 0, { minAreaM2: 0, windows: 1 });
  const traced = performance.now();
  const adjacency = contactsWithin(segmentation.id, labelled, ground);
  await store.storeResult(segmentation, { ...result, nearM: NEAR_M, adjacency });
  const stored = performance.now();
  times.push(stored - begun);
  if (prompt % Math.ceil(PROMPTS / 10) === 0 || prompt === PROMPTS - 1) {
    const [first] = await database.query(
      IdRow,
      Prisma.sql`SELECT id FROM feature WHERE segmentation_id = ${segmentation.id}::uuid ORDER BY label LIMIT 1 OFFSET ${Math.floor(BLOBS / 2)}::int`,
    );
    one = first!.id;
    console.log(
      `prompt ${prompt + 1}: ${result.features.length} features traced in ${(traced - begun).toFixed(0)} ms, stored in ${(stored - traced).toFixed(0)} ms; uncompared: ${await neighboursOf(one)}`,
    );
  }
}
const share = Math.max(1, Math.floor(PROMPTS / 10));
const median = (some: readonly number[]): number => some.toSorted((a, b) => a - b)[Math.floor(some.length / 2)]!;
const [first, last] = [median(times.slice(1, 1 + share)), median(times.slice(-share))];
console.log(`${first.toFixed(0)} ms a prompt at first, ${last.toFixed(0)} ms at last`);
if (last > 1.5 * first) process.exitCode = 1;

const begun = performance.now();
let [steps, longestMs] = [0, 0];
for (let stepped = begun; await comparison.step(0, new AbortController().signal); stepped = performance.now()) {
  steps++;
  longestMs = Math.max(longestMs, performance.now() - stepped);
}
const pairs = await database.prisma.featureAdjacency.count();
const comparedMs = performance.now() - begun;
console.log(
  `${pairs} pairs compared in ${steps} steps, ${(comparedMs / pairs).toFixed(2)} ms a pair, the longest step ${longestMs.toFixed(0)} ms; compared: ${await neighboursOf(one)}`,
);
await database.close();
