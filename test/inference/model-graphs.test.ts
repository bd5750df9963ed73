import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifiedModel } from '../../src/inference/manifest.ts';
import { bytesOf } from '../../src/inference/image-cache.ts';
import { DEFAULT_GRAPHS, ModelGraphs, windowKey } from '../../src/inference/model-graphs.ts';
import type { TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { QuestionTokenizer } from '../../src/inference/question-tokenizer.ts';
import { seededRandom } from '../seeded.ts';
import { testModel } from './model-folder.ts';

/** Largest difference, relative to the largest value. */
function difference(found: Float32Array, expected: Float32Array): number {
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0) / size;
}

describe('ModelGraphs', () => {
  let model: VerifiedModel;
  let graphs: ModelGraphs;
  let questions: TokenizedQuestion[];
  let image: Uint8Array;

  beforeAll(async () => {
    model = await testModel();
    graphs = await ModelGraphs.load(model.folder, model.manifest);
    const tokenizer = await QuestionTokenizer.load(model);
    questions = [
      { task: 'REASONING', ids: tokenizer.encode('Where could a helicopter land near the river?') },
      { task: 'REFERRING', ids: tokenizer.encode('water') },
      { task: 'REASONING', ids: tokenizer.encode('cars') },
    ];
    image = noise(7);
  });

  function noise(seed: number): Uint8Array {
    const random = seededRandom(seed);
    return Uint8Array.from({ length: model.manifest.windowPx ** 2 * 3 }, () => random() * 256);
  }

  it('answers questions together as it answers each alone, in their order', async () => {
    const together = await graphs.infer(image, questions);
    for (const [index, question] of questions.entries()) {
      const [alone] = await graphs.infer(image, [question]);
      expect(alone!.length).toBe(model.manifest.logitsPx ** 2);
      expect(difference(together[index]!, alone!)).toBeLessThan(1e-4);
    }
    expect(difference(together[0]!, together[2]!)).toBeGreaterThan(1e-3);
  });

  it('answers about a window it knows as a session that sees it first', async () => {
    const known = await graphs.infer(image, questions);
    const fresh = await (
      await ModelGraphs.load(model.folder, model.manifest, { ...DEFAULT_GRAPHS, threads: 1 })
    ).infer(image, questions);
    known.forEach((logits, index) => expect(difference(logits, fresh[index]!)).toBeLessThan(1e-4));
  });

  it('does not mistake one window for another', async () => {
    const [here] = await graphs.infer(image, questions);
    const other = Uint8Array.from(image, (value, i) => (i === 100 ? 255 - value : value));
    const [there] = await graphs.infer(other, questions);
    expect(difference(here!, there!)).toBeGreaterThan(0);
  });

  it('reads prompt and question in two steps as in one', async () => {
    const { manifest, folder } = model;
    const window = await graphs.encode(image);
    const language = await InferenceSession.create(path.join(folder, manifest.files.language.path));
    for (const { task, ids } of questions) {
      const prompt = manifest.prompt[task];
      const row = [...prompt, ...ids];
      const [layers, heads, , headDim] = manifest.files.language.inputs.find(({ name }) => name === 'past_keys')!
        .shape as number[];
      const none = new Tensor('float32', new Float32Array(0), [layers!, heads!, 0, headDim!]);
      const { description } = await language.run({
        input_ids: new Tensor('int64', BigInt64Array.from(row, BigInt), [1, row.length]),
        attention_mask: new Tensor(
          'int64',
          BigInt64Array.from(row, (_, i) => (i < prompt.length ? 0n : 1n)),
          [1, row.length],
        ),
        image_tokens: window.features['image_tokens']!,
        past_keys: none,
        past_values: none,
      });
      const found = await graphs.describe(window, task, [ids]);
      expect(difference(found.data as Float32Array, description!.data as Float32Array)).toBeLessThan(1e-4);
    }
  });

  it('keeps no more of windows than it may, and encodes again what it dropped', async () => {
    const one = bytesOf(await graphs.encode(image));
    const small = await ModelGraphs.load(model.folder, model.manifest, {
      ...DEFAULT_GRAPHS,
      imageCacheBytes: Math.ceil(one * 1.5),
    });
    await small.encode(image);
    await small.encode(noise(8));
    expect(small.cacheStats).toMatchObject({ hits: 0, misses: 2, evictions: 1, windows: 1 });
    await small.encode(noise(8));
    await small.encode(image);
    expect(small.cacheStats).toMatchObject({ hits: 1, misses: 3, evictions: 2, windows: 1 });
    expect(small.cacheStats.bytes).toBeLessThanOrEqual(one * 1.5);
  });

  it('runs no further graph for abandoned requests', async () => {
    const seen = noise(9);
    let asked = 0;
    const { misses } = graphs.cacheStats;
    const batch = { key: windowKey(seen), image: seen, requests: [questions] };
    // Cancelled while it waited, then while the vision graph ran: when it is asked the second time.
    expect(await graphs.answer({ ...batch, isCancelled: () => true })).toEqual([[]]);
    expect(graphs.cacheStats.misses).toBe(misses);
    expect(await graphs.answer({ ...batch, isCancelled: () => ++asked > 1 })).toEqual([[]]);
    expect(graphs.cacheStats.misses).toBe(misses + 1);
    expect((await graphs.encode(seen)).prefixes.size).toBe(0);
  });

  it('answers those of a batch that are still waited for', async () => {
    const [first, second] = [questions[0]!, questions[2]!];
    const requests = [[first], [second]];
    const batch = { key: windowKey(image), image, requests, isCancelled: (request: number) => request === 0 };
    const [none, found] = await graphs.answer(batch);
    const [alone] = await graphs.infer(image, [second]);
    expect(none).toEqual([]);
    expect(found![0]).toEqual(alone);
  });
});
