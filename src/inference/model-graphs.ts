import { createHash } from 'node:crypto';
import path from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ExecutionProvider } from '../execution-provider-names.ts';
import { type OpenedSession, openSession, proveInUse } from './execution-provider.ts';
import { type EncodedWindow, ImageCache, type ImageCacheStats, type Tensors } from './image-cache.ts';
import type { Manifest } from './manifest.ts';
import { padRows, type TokenizedQuestion } from './prompt-rows.ts';
import type { ModelPhase, SegmentationTask } from './segmentation-model.ts';

/** Settings of graph execution. */
export interface GraphSettings {
  readonly provider: ExecutionProvider;
  /** Threads per inference; 0 leaves the choice to ONNX Runtime: one per core. */
  readonly threads: number;
  /** Memory limit of the image cache. */
  readonly imageCacheBytes: number;
}

/** Requests about one window, answered together. */
export interface WindowBatch {
  /** {@link windowKey} of the image. */
  readonly key: string;
  /** HWC uint8 RGB `[windowPx, windowPx, 3]`. */
  readonly image: Uint8Array;
  readonly requests: readonly (readonly TokenizedQuestion[])[];
  /** Whether a request was cancelled; checked before each graph. */
  isCancelled(request: number): boolean;
  /** Called before image encoding and before the questions. */
  onPhase?(phase: ModelPhase): void;
}

/** Most questions per run of the language and mask graphs, whose memory grows with the number. */
export const MOST_QUESTIONS = 32;

export const DEFAULT_GRAPHS: GraphSettings = { provider: 'cpu', threads: 0, imageCacheBytes: 512 * 1024 ** 2 };

/** Content hash of a window. */
export const windowKey = (image: Uint8Array): string => createHash('sha256').update(image).digest('base64');

/** A question and the index of its answer. */
interface Asked {
  readonly request: number;
  readonly index: number;
  readonly question: TokenizedQuestion;
}

/**
 * The three graphs of a model: vision (once per window), language (once per window and task for the fixed part of the
 * prompt, then once for all questions of the task), mask (once per batch). Graph inputs are fed by name from the
 * outputs of earlier graphs.
 */
export class ModelGraphs {
  private readonly cache: ImageCache;
  private readonly vision: InferenceSession;
  private readonly language: InferenceSession;
  private readonly mask: InferenceSession;
  private graphsMs = 0;

  private constructor(
    private readonly manifest: Manifest,
    opened: Record<'vision' | 'language' | 'mask', OpenedSession>,
    imageCacheBytes: number,
  ) {
    this.vision = opened.vision.session;
    this.language = opened.language.session;
    this.mask = opened.mask.session;
    this.cache = new ImageCache(imageCacheBytes);
  }

  /** @throws {ExecutionProviderError} when the provider cannot start or executes no node of a graph */
  static async load(folder: string, manifest: Manifest, settings = DEFAULT_GRAPHS): Promise<ModelGraphs> {
    const { provider, threads, imageCacheBytes } = settings;
    const open = (file: { path: string }) => openSession(path.join(folder, file.path), provider, threads);
    const { vision, language, mask } = manifest.files;
    const opened = { vision: await open(vision), language: await open(language), mask: await open(mask) };
    const graphs = new ModelGraphs(manifest, opened, imageCacheBytes);
    if (provider === 'cpu') return graphs;
    await graphs.infer(new Uint8Array(manifest.windowPx ** 2 * 3), [{ task: 'REFERRING', ids: [manifest.segTokenId] }]);
    for (const session of Object.values(opened)) await proveInUse(session, provider);
    return graphs;
  }

  /** Total execution time of the graphs, milliseconds. */
  get onnxMs(): number {
    return this.graphsMs;
  }

  get cacheStats(): ImageCacheStats {
    return this.cache.stats;
  }

  /**
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`
   * @returns per question the logits `[logitsPx, logitsPx]`, row-major
   */
  async infer(image: Uint8Array, questions: readonly TokenizedQuestion[]): Promise<Float32Array[]> {
    const [logits] = await this.answer({
      key: windowKey(image),
      image,
      requests: [questions],
      isCancelled: () => false,
    });
    return logits!;
  }

  /**
   * Answers a batch; every graph runs once for all requests that are not cancelled by then.
   * @returns per request and question the logits `[logitsPx, logitsPx]`; nothing for a cancelled request
   */
  async answer(batch: WindowBatch): Promise<Float32Array[][]> {
    const answers: Float32Array[][] = batch.requests.map(() => []);
    if (answers.every((_, request) => batch.isCancelled(request))) return answers;
    const window = await this.encode(batch.image, batch.key, () => batch.onPhase?.('encoding'));
    const asked = batch.requests.flatMap((questions, request) =>
      questions.map((question, index) => ({ request, index, question })),
    );
    for (const task of new Set(asked.map(({ question }) => question.task))) {
      const ofTask = asked.filter(({ question }) => question.task === task);
      for (let from = 0; from < ofTask.length; from += MOST_QUESTIONS) {
        const part = ofTask.slice(from, from + MOST_QUESTIONS);
        await this.answerPart(batch, window, task, part, answers);
      }
    }
    return answers.map((logits, request) => (batch.isCancelled(request) ? [] : logits));
  }

  private async answerPart(
    batch: WindowBatch,
    window: EncodedWindow,
    task: SegmentationTask,
    part: readonly Asked[],
    answers: Float32Array[][],
  ): Promise<void> {
    const wanted = part.filter(({ request }) => !batch.isCancelled(request));
    if (wanted.length === 0) return;
    if (!window.prefixes.has(task)) batch.onPhase?.('encoding');
    const past = await this.prefix(window, task, batch.key);
    if (wanted.every(({ request }) => batch.isCancelled(request))) return;
    batch.onPhase?.('reasoning');
    const description = await this.describeAfter(
      window,
      past,
      wanted.map(({ question }) => question.ids),
    );
    if (wanted.every(({ request }) => batch.isCancelled(request))) return;
    const { logits } = await this.run(this.mask, pick(this.mask, { ...window.features, description }));
    const values = logits!.data as Float32Array;
    const size = this.manifest.logitsPx ** 2;
    wanted.forEach(({ request, index }, row) => {
      answers[request]![index] = values.slice(row * size, (row + 1) * size);
    });
  }

  /**
   * Encodes the image of a window, or takes it from the cache.
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`
   * @param onMiss called before it is encoded
   */
  async encode(image: Uint8Array, key = windowKey(image), onMiss?: () => void): Promise<EncodedWindow> {
    const known = this.cache.get(key);
    if (known) return known;
    onMiss?.();
    const side = this.manifest.windowPx;
    const features = await this.run(this.vision, { image: new Tensor('uint8', image, [1, side, side, 3]) });
    const window = { features, prefixes: new Map<SegmentationTask, Tensors>() };
    this.cache.set(key, window);
    return window;
  }

  /**
   * Computes the description embeddings of one task's questions about a window.
   * @param batch token ids of each question
   * @returns float32 `[questions, width of the language model]`
   */
  async describe(
    window: EncodedWindow,
    task: SegmentationTask,
    batch: readonly (readonly number[])[],
  ): Promise<Tensor> {
    return this.describeAfter(window, await this.prefix(window, task, null), batch);
  }

  private async describeAfter(
    window: EncodedWindow,
    past: Tensors,
    batch: readonly (readonly number[])[],
  ): Promise<Tensor> {
    const feeds = { ...this.tokens(batch), ...pick(this.language, window.features), ...past };
    const { description } = await this.run(this.language, feeds, ['description']);
    return description!;
  }

  /** Key-value cache of a task's fixed prompt, computed once per window and shared by all its questions. */
  private async prefix(window: EncodedWindow, task: SegmentationTask, key: string | null): Promise<Tensors> {
    const known = window.prefixes.get(task);
    if (known) return known;
    const shape = (name: string): number[] => {
      const input = this.manifest.files.language.inputs.find((tensor) => tensor.name === name)!;
      return input.shape.map((size) => (typeof size === 'number' ? size : 0));
    };
    const empty = (name: string): Tensor => new Tensor('float32', new Float32Array(0), shape(name));
    const feeds = {
      ...this.tokens([this.manifest.prompt[task]]),
      ...pick(this.language, window.features),
      past_keys: empty('past_keys'),
      past_values: empty('past_values'),
    };
    const { present_keys: keys, present_values: values } = await this.run(this.language, feeds, [
      'present_keys',
      'present_values',
    ]);
    // [layers, 1, heads, P, headDim] is reshaped to the past's [layers, heads, P, headDim].
    const past = (present: Tensor): Tensor => present.reshape([present.dims[0]!, ...present.dims.slice(2)]);
    const prefix = { past_keys: past(keys!), past_values: past(values!) };
    window.prefixes.set(task, prefix);
    if (key !== null) this.cache.set(key, window);
    return prefix;
  }

  /** @param wanted outputs to return; each is copied */
  private async run(
    graph: InferenceSession,
    feeds: Tensors,
    wanted: readonly string[] = graph.outputNames,
  ): Promise<Tensors> {
    const started = performance.now();
    const outputs = await graph.run(feeds, wanted);
    this.graphsMs += performance.now() - started;
    return outputs;
  }

  private tokens(batch: readonly (readonly number[])[]): Tensors {
    const { inputIds, attentionMask, dims } = padRows(
      batch.map((ids) => ({ ids, unread: 0 })),
      this.manifest.padTokenId,
    );
    return { input_ids: new Tensor('int64', inputIds, dims), attention_mask: new Tensor('int64', attentionMask, dims) };
  }
}

/** Tensors that are inputs of the graph. */
function pick(graph: InferenceSession, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => graph.inputNames.includes(name)));
}
