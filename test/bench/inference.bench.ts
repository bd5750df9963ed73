import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { bench, describe } from 'vitest';
import { LocalModel } from '../../src/inference/local-model.ts';
import type { Question } from '../../src/inference/segmentation-model.ts';
import { seededRandom } from '../seeded.ts';
import { testModel } from '../inference/model-folder.ts';

const QUESTIONS: readonly Question[] = ['water', 'roads', 'Where could a boat moor?', 'Where do people park?'].map(
  (text) => ({
    task: 'REASONING',
    text,
  }),
);

const verified = await testModel();
const model = await LocalModel.load(verified, 0);
const vision = await InferenceSession.create(path.join(verified.folder, verified.manifest.files.vision.path), {
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
const { windowPx } = verified.manifest;
const random = seededRandom(1);
const image = Uint8Array.from({ length: windowPx ** 2 * 3 }, () => random() * 256);
let seen = 0;

/** A window that differs from all before. */
function newWindow(): Uint8Array {
  new DataView(image.buffer).setUint32(0, ++seen);
  return image;
}

describe(`one window of ${windowPx} px`, () => {
  const options = { time: 3000, warmupIterations: 2 };
  const known = image.slice();
  bench(
    'a new window, one question',
    () => model.infer(newWindow(), QUESTIONS.slice(0, 1)).then(() => undefined),
    options,
  );
  bench('a new window, four questions', () => model.infer(newWindow(), QUESTIONS).then(() => undefined), options);
  bench(
    'a window known before, one question',
    () => model.infer(known, QUESTIONS.slice(0, 1)).then(() => undefined),
    options,
  );
  bench(
    'floor of a new window: the vision graph alone',
    async () => {
      await vision.run({ image: new Tensor('uint8', newWindow(), [1, windowPx, windowPx, 3]) });
    },
    options,
  );
});
