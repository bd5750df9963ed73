/**
 * What a prompt costs past the model, on a scene that was asked about before: `npm run bench -- prompts [prompts] [blobs]`.
 *
 * Every prompt finds blobs in the same places, a little different each time, so that each of its features overlaps one of every
 * earlier prompt. Prints the time to compare and to store for each tenth prompt, and the time for each pair of neighbours; fails
 * where a pair of the last tenth of the prompts takes more than 1.5 times what a pair of the first tenth took. Uses DATABASE_URL, or else the embedded engine.
 */
import { EarlierAnswers } from '../../src/run/earlier-answers.ts';
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
const times: { compareMs: number; storeMs: number; stored: number }[] = [];
let known = 0;
for (let prompt = 0; prompt < PROMPTS; prompt++) {
  const segmentation = await startSegmentation(database, scene.id, { prompt: `prompt ${prompt}` });
  const found = { masks: [blobs()], validPixels: SIDE_PX ** 2 };
  const { labelled, result } = await tracedAnswer(scene, ground, found, 0, { minAreaM2: 0, windows: 1 });
  const begun = performance.now();
  const answers = new EarlierAnswers(store, scene.id);
  await answers.refresh();
  const { id } = segmentation;
  const adjacency = [...contactsWithin(id, labelled, ground), ...answers.contactsWith({ id, labelled }, ground)];
  const compared = performance.now();
  await store.storeResult(segmentation, { ...result, nearM: NEAR_M, adjacency }, answers.ids);
  const storeMs = performance.now() - compared;
  const pairs = await database.prisma.featureAdjacency.count();
  times.push({ compareMs: compared - begun, storeMs, stored: pairs - known });
  known = pairs;
  if (prompt % Math.ceil(PROMPTS / 10) === 0 || prompt === PROMPTS - 1) {
    const { compareMs, stored } = times.at(-1)!;
    console.log(
      `prompt ${prompt + 1}: ${result.features.length} features, ${stored} pairs, compared in ${compareMs.toFixed(0)} ms, stored in ${storeMs.toFixed(0)} ms`,
    );
  }
}
const share = Math.max(1, Math.floor(PROMPTS / 10));
const perPair = (some: typeof times): number =>
  some.reduce((sum, { compareMs, storeMs }) => sum + compareMs + storeMs, 0) /
  some.reduce((sum, { stored }) => sum + stored, 0);
const [first, last] = [perPair(times.slice(1, 1 + share)), perPair(times.slice(-share))];
console.log(`${first.toFixed(2)} ms a pair at first, ${last.toFixed(2)} ms at last`);
if (last > 1.5 * first) process.exitCode = 1;
await database.close();
