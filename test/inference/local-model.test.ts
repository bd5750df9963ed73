import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_LOCAL, LocalModel } from '../../src/inference/local-model.ts';
import type { VerifiedModel } from '../../src/inference/manifest.ts';
import { ModelGraphs } from '../../src/inference/model-graphs.ts';
import { QuestionTokenizer } from '../../src/inference/question-tokenizer.ts';
import {
  ModelCrashedError,
  ModelUnavailableError,
  QuestionTooLongError,
  type Question,
} from '../../src/inference/segmentation-model.ts';
import { seededRandom } from '../seeded.ts';
import { endThread } from './end-thread.ts';
import { smallManifest, temporaryFolder, testModel, writeModel } from './model-folder.ts';

const QUESTION: Question = { task: 'REASONING', text: 'Where could a boat moor?' };

describe('LocalModel', () => {
  let verified: VerifiedModel;
  let model: LocalModel;
  let seed = 0;
  beforeAll(async () => {
    verified = await testModel();
    model = await LocalModel.load(verified);
  });
  afterAll(() => model.close());

  /** A window that was not asked about before. */
  function noise(): Uint8Array {
    const random = seededRandom(++seed);
    return Uint8Array.from({ length: verified.manifest.windowPx ** 2 * 3 }, () => random() * 256);
  }

  it('answers from its thread what the graphs answer here', async () => {
    const image = noise();
    const [found] = await model.infer(image, [QUESTION]);
    const tokenizer = await QuestionTokenizer.load(verified);
    const graphs = await ModelGraphs.load(verified.folder, verified.manifest);
    const [expected] = await graphs.infer(image, [{ task: QUESTION.task, ids: tokenizer.encode(QUESTION.text) }]);
    expect(found!.length).toBe(verified.manifest.logitsPx ** 2);
    expect(Math.max(...found!.map((logit, i) => Math.abs(logit - expected![i]!)))).toBeLessThan(1e-3);
  });

  it('answers requests in their order and each with its own', async () => {
    const images = [noise(), noise(), noise()];
    const order: number[] = [];
    const asked = images.map(async (image, index) => {
      const logits = await model.infer(image, [QUESTION]);
      order.push(index);
      return logits[0]!;
    });
    const together = await Promise.all(asked);
    expect(order).toEqual([0, 1, 2]);
    for (const [index, image] of images.entries())
      expect((await model.infer(image, [QUESTION]))[0]).toEqual(together[index]);
  });

  it('leaves the event loop free while it infers', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await model.infer(noise(), [QUESTION]);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('tells whether it encodes the image or reasons about it', async () => {
    const image = noise();
    const phasesOf = async (...questions: Question[]): Promise<string[]> => {
      const phases: string[] = [];
      await model.infer(image, questions, undefined, (phase) => phases.push(phase));
      return phases;
    };
    expect((await phasesOf(QUESTION)).slice(0, 1)).toEqual(['encoding']);
    expect((await phasesOf(QUESTION)).at(-1)).toBe('reasoning');
    expect(await phasesOf(QUESTION)).toEqual(['reasoning']);
    // The part of the prompt before the question differs from task to task.
    expect(await phasesOf({ task: 'REFERRING', text: 'water' })).toEqual(['encoding', 'reasoning']);
  });

  it('tells a window that its thread ended at from those that only waited', async () => {
    const crashing = await LocalModel.load(verified);
    endThread(crashing);
    const atWork = crashing.infer(noise(), [QUESTION]);
    const waiting = crashing.infer(noise(), [QUESTION]);
    await Promise.all([
      expect(atWork).rejects.toThrow(ModelCrashedError),
      expect(waiting).rejects.toThrow(ModelUnavailableError),
    ]);
    expect(crashing.ready()).toBe(false);
    await expect(crashing.infer(noise(), [QUESTION])).rejects.toThrow(ModelUnavailableError);
  });

  it('holds nothing against a window that its thread had only at hand when it ended', async () => {
    const crashing = await LocalModel.load(verified);
    const worker = crashing['threads'][0]!['worker'];
    let reasoning = (): void => undefined;
    const begun = new Promise<void>((resolve) => (reasoning = resolve));
    const asked = Promise.allSettled([
      crashing.infer(noise(), [QUESTION], undefined, (phase) => phase === 'reasoning' && reasoning()),
      crashing.infer(noise(), [QUESTION]),
      crashing.infer(noise(), [QUESTION]),
    ]);
    await begun;
    expect(crashing.stats).toMatchObject({ running: 2, waiting: 1 });
    // As it comes from a thread that ran out of memory.
    worker.emit('error', new Error('out of memory'));
    const codes = (await asked).map(
      (answer) => answer.status === 'rejected' && (answer.reason as { code: string }).code,
    );
    expect(codes).toEqual(['MODEL_CRASHED', 'MODEL_UNAVAILABLE', 'MODEL_UNAVAILABLE']);
    worker.postMessage('stop');
  });

  it('refuses at the door what the graphs cannot take', async () => {
    await expect(model.infer(new Uint8Array(7), [QUESTION])).rejects.toThrow(
      `The image has 7 bytes; the window takes ${model.info.windowPx ** 2 * 3}.`,
    );
    const long = { ...QUESTION, text: 'water and '.repeat(500) };
    await expect(model.infer(noise(), [long])).rejects.toThrow(QuestionTooLongError);
    expect(() => model.check(long)).toThrow(QuestionTooLongError);
    model.check(QUESTION);
  });

  it('rejects with the reason of the signal, before and during its work, and continues', async () => {
    const reason = new Error('nobody waits any more');
    await expect(model.infer(noise(), [QUESTION], AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const asked = model.infer(noise(), [QUESTION], controller.signal);
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    expect((await model.infer(noise(), [QUESTION])).length).toBe(1);
  });

  it('answers questions that wait for one window together, and as each alone', async () => {
    const image = noise();
    const texts = ['Where could a boat moor?', 'water', 'Where do people park?'];
    const questions: Question[] = texts.map((text) => ({ task: 'REASONING', text }));
    const batches: number[] = [];
    const counting = await LocalModel.load(verified, {
      ...DEFAULT_LOCAL,
      onBatch: (_id, batch) => batches.push(batch.questions),
    });
    const together = await Promise.all([
      counting.infer(noise(), [QUESTION]),
      ...questions.map((question) => counting.infer(image, [question])),
    ]);
    expect(batches).toEqual([1, 3]);
    for (const [index, question] of questions.entries()) {
      const [alone] = await counting.infer(image, [question]);
      const [found] = together[index + 1]!;
      expect(Math.max(...found!.map((logit, i) => Math.abs(logit - alone![i]!)))).toBeLessThan(1e-3);
    }
    expect(counting.stats).toMatchObject({ waiting: 0, running: 0, cache: { hits: 3, misses: 2, windows: 2 } });
    await counting.close();
  });

  it('refuses what waits when it is closed, and ends its thread after the window that it works on', async () => {
    const closing = await LocalModel.load(verified);
    let reasoning = (): void => undefined;
    const begun = new Promise<void>((resolve) => (reasoning = resolve));
    const atWork = closing.infer(noise(), [QUESTION], undefined, (phase) => phase === 'reasoning' && reasoning());
    const refused = [noise(), noise()].map((image) =>
      expect(closing.infer(image, [QUESTION])).rejects.toThrow(
        'Model segearth-r1-compact/1 is unavailable: it was closed',
      ),
    );
    await begun;
    expect(closing.stats).toMatchObject({ running: 2, waiting: 1 });
    await closing.close();
    await Promise.all(refused);
    expect((await atWork).length).toBe(1);
    expect(closing.ready()).toBe(false);
    await expect(closing.infer(noise(), [QUESTION])).rejects.toThrow(ModelUnavailableError);
  });

  it('says what is wrong with a graph or a tokenizer that was verified and cannot be loaded', async () => {
    const folder = await temporaryFolder();
    const manifest = smallManifest('broken');
    await writeModel(folder, manifest);
    const load = () => LocalModel.load({ folder, manifest, sha256: '' });
    await expect(load()).rejects.toThrow(`Model folder ${folder}: tokenizer.json is not a tokenizer: `);
    await copyFile(
      path.join(verified.folder, verified.manifest.files.tokenizer.path),
      path.join(folder, 'tokenizer.json'),
    );
    await expect(load()).rejects.toThrow(/^Model broken\/1 failed: .*vision\.onnx/);
  });
});
