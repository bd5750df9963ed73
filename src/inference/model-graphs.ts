import { createHash } from 'node:crypto';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Manifest } from './manifest.ts';
import type { SegmentationTask } from './segmentation-model.ts';

type Tensors = Record<string, Tensor>;

/** A question as the graphs take it: its task and its token ids with the final `[SEG]`. */
export interface TokenizedQuestion {
  readonly task: SegmentationTask;
  readonly ids: readonly number[];
}

/** The image half of a window: everything that does not depend on the question. */
export interface EncodedWindow {
  /** Outputs of the vision graph, by name. */
  readonly features: Tensors;
  /** Per task: keys and values of the tokens before the question. */
  readonly prefixes: Map<SegmentationTask, Tensors>;
}

/**
 * Most memory for the image halves of windows, which are kept so that a later question on a window pays for its own
 * tokens and the mask alone: a twentieth of the work. The longest unused go first.
 */
const KEPT_BYTES = 512 * 1024 ** 2;

/**
 * The three graphs of a model: vision (once per window), language (once per window and task for the fixed part of the
 * prompt, then once for all questions of the task), mask (once per batch). Graph inputs are fed by name from the
 * outputs of earlier graphs.
 */
export class ModelGraphs {
  private readonly kept = new Map<string, EncodedWindow>();
  private keptBytes = 0;

  private constructor(
    private readonly manifest: Manifest,
    private readonly vision: InferenceSession,
    private readonly language: InferenceSession,
    private readonly mask: InferenceSession,
  ) {}

  /** @param threads of one inference; 0 leaves the choice to ONNX Runtime: one per core */
  static async load(folder: string, manifest: Manifest, threads: number): Promise<ModelGraphs> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      // Threads that wait by spinning double the processor time of a window, and starve whatever else runs.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    };
    const open = (file: { path: string }) => InferenceSession.create(path.join(folder, file.path), options);
    const { vision, language, mask } = manifest.files;
    return new ModelGraphs(manifest, await open(vision), await open(language), await open(mask));
  }

  /**
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`
   * @returns per question the logits `[logitsPx, logitsPx]`, row-major
   */
  async infer(image: Uint8Array, questions: readonly TokenizedQuestion[]): Promise<Float32Array[]> {
    const window = await this.encode(image);
    const answers = new Array<Float32Array>(questions.length);
    for (const task of new Set(questions.map((question) => question.task))) {
      const places = questions.flatMap((question, index) => (question.task === task ? [index] : []));
      const logits = await this.answer(
        window,
        task,
        places.map((place) => questions[place]!.ids),
      );
      places.forEach((place, row) => (answers[place] = logits[row]!));
    }
    return answers;
  }

  /**
   * The image half of a window, from memory if it was encoded before.
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`
   */
  async encode(image: Uint8Array): Promise<EncodedWindow> {
    const key = createHash('sha256').update(image).digest('base64');
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    const side = this.manifest.windowPx;
    const features = await this.vision.run({ image: new Tensor('uint8', image, [1, side, side, 3]) });
    const window = { features, prefixes: new Map<SegmentationTask, Tensors>() };
    this.kept.set(key, window);
    this.keptBytes += bytesOf(features);
    this.forgetOldest();
    return window;
  }

  /** Drops windows until the kept ones fit; the newest stays however large it is. */
  private forgetOldest(): void {
    for (const [key, { features, prefixes }] of this.kept) {
      if (this.keptBytes <= KEPT_BYTES || this.kept.size === 1) return;
      this.kept.delete(key);
      this.keptBytes -= [features, ...prefixes.values()].reduce((sum, tensors) => sum + bytesOf(tensors), 0);
    }
  }

  /**
   * What the model makes of questions of one task about a window.
   * @param batch token ids of each question
   * @returns float32 `[questions, width of the language model]`
   */
  async describe(
    window: EncodedWindow,
    task: SegmentationTask,
    batch: readonly (readonly number[])[],
  ): Promise<Tensor> {
    const past = window.prefixes.get(task) ?? (await this.readPrefix(window, task));
    const outputs = await this.language.run({
      ...this.tokens(batch),
      ...pick(this.language, window.features),
      ...past,
    });
    return outputs['description']!;
  }

  private async answer(
    window: EncodedWindow,
    task: SegmentationTask,
    batch: readonly (readonly number[])[],
  ): Promise<Float32Array[]> {
    const description = await this.describe(window, task, batch);
    const { logits } = await this.mask.run(pick(this.mask, { ...window.features, description }));
    const values = logits!.data as Float32Array;
    const size = this.manifest.logitsPx ** 2;
    return batch.map((_, row) => values.slice(row * size, (row + 1) * size));
  }

  /** Runs the fixed part of the prompt once; its keys and values are the past of every question of the task. */
  private async readPrefix(window: EncodedWindow, task: SegmentationTask): Promise<Tensors> {
    const shape = (name: string): number[] => {
      const input = this.manifest.files.language.inputs.find((tensor) => tensor.name === name)!;
      return input.shape.map((size) => (typeof size === 'number' ? size : 0));
    };
    const empty = (name: string): Tensor => new Tensor('float32', new Float32Array(0), shape(name));
    const outputs = await this.language.run({
      ...this.tokens([this.manifest.prompt[task]]),
      ...pick(this.language, window.features),
      past_keys: empty('past_keys'),
      past_values: empty('past_values'),
    });
    // [layers, 1, heads, P, headDim] becomes the past's [layers, heads, P, headDim]: the same numbers.
    const past = (present: Tensor): Tensor => present.reshape([present.dims[0]!, ...present.dims.slice(2)]);
    const prefix = { past_keys: past(outputs['present_keys']!), past_values: past(outputs['present_values']!) };
    window.prefixes.set(task, prefix);
    this.keptBytes += bytesOf(prefix);
    return prefix;
  }

  /** Token ids of a batch, padded on the right to its longest row, with their mask. */
  private tokens(batch: readonly (readonly number[])[]): Tensors {
    const length = Math.max(...batch.map((ids) => ids.length));
    const inputIds = new BigInt64Array(batch.length * length).fill(BigInt(this.manifest.padTokenId));
    const attentionMask = new BigInt64Array(batch.length * length);
    batch.forEach((ids, row) => {
      ids.forEach((id, column) => {
        inputIds[row * length + column] = BigInt(id);
        attentionMask[row * length + column] = 1n;
      });
    });
    const dims = [batch.length, length];
    return { input_ids: new Tensor('int64', inputIds, dims), attention_mask: new Tensor('int64', attentionMask, dims) };
  }
}

function bytesOf(tensors: Tensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
}

/** Those of the tensors that the graph takes. */
function pick(graph: InferenceSession, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => graph.inputNames.includes(name)));
}
