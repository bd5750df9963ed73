import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { bench, describe } from 'vitest';
import { LocalModel } from '../../src/inference/local-model.ts';
import type { Question } from '../../src/inference/segmentation-model.ts';
import { seededRandom } from '../seeded.ts';
import { testModel } from '../inference/model-folder.ts';

const QUESTIONS: readonly Question[] = [
  'water',
  'roads',
  'Where could a boat moor?',
  'Where do people park?',
  'the longest building',
  'Where would children play?',
  'trees beside the river',
  'Which field was mown last?',
].map((text) => ({ task: 'REASONING', text }));

const verified = await testModel();
const model = await LocalModel.load(verified);
const vision = await InferenceSession.create(path.join(verified.folder, verified.manifest.files.vision.path), {
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
const { windowPx } = verified.manifest;
const random = seededRandom(1);
const image = Uint8Array.from({ length: windowPx ** 2 * 3 }, () => random() * 256);
const known = image.slice();
let seen = 0;
let turn = 0;

/** A window that differs from all before. */
function newWindow(): Uint8Array {
  new DataView(image.buffer).setUint32(0, ++seen);
  return image;
}

/** The questions one after the other, so that no answer is one that was just given. */
const nextQuestion = (): Question[] => [QUESTIONS[turn++ % QUESTIONS.length]!];
const options = { time: 3000, warmupIterations: 2 };

// The goal of the second is a tenth of the first.
describe(`one prompt on a window of ${windowPx} px`, () => {
  bench(
    'the first prompt on a new window',
    () => model.infer(newWindow(), nextQuestion()).then(() => undefined),
    options,
  );
  bench(
    'each further prompt on a known window',
    () => model.infer(known, nextQuestion()).then(() => undefined),
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

describe('8 prompts on a known window', () => {
  bench('in one batch', () => model.infer(known, QUESTIONS).then(() => undefined), options);
  bench(
    'asked by 8 callers at once, who wait for one window together',
    () => Promise.all(QUESTIONS.map((question) => model.infer(known, [question]))).then(() => undefined),
    options,
  );
  bench(
    'one after the other',
    async () => {
      for (const question of QUESTIONS) await model.infer(known, [question]);
    },
    options,
  );
});

describe('8 prompts on a new window', () => {
  bench('in one batch', () => model.infer(newWindow(), QUESTIONS).then(() => undefined), options);
});
