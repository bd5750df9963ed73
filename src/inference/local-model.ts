import type { ExecutionProvider } from '../execution-provider-names.ts';
import { GraphThread } from './graph-thread.ts';
import type { ImageCacheStats } from './image-cache.ts';
import { modelInfo, type Manifest, type VerifiedModel, verifyModel } from './manifest.ts';
import { DEFAULT_GRAPHS, type GraphSettings, MOST_QUESTIONS, windowKey } from './model-graphs.ts';
import type { ModelLoader } from './model-registry.ts';
import type { TokenizedQuestion } from './prompt-rows.ts';
import { QuestionTokenizer } from './question-tokenizer.ts';
import {
  type ModelInfo,
  type ModelPhase,
  ModelUnavailableError,
  type Question,
  type SegmentationModel,
} from './segmentation-model.ts';
import { type BatchReport, WindowQueue } from './window-queue.ts';

/** Settings of a model that runs in this process. */
export interface LocalSettings extends GraphSettings {
  /** Worker threads; each has its own graphs and image cache. */
  readonly workers: number;
  /** Longest queue of waiting requests. */
  readonly maxWaiting: number;
  /** Called after each batch. */
  readonly onBatch?: (modelId: string, batch: BatchReport) => void;
}

export const DEFAULT_LOCAL: LocalSettings = { ...DEFAULT_GRAPHS, workers: 1, maxWaiting: 64 };

/** Current load and cache contents of a model. */
export interface LocalModelStats {
  readonly waiting: number;
  readonly running: number;
  /** Total time inside ONNX Runtime over all workers, milliseconds. */
  readonly onnxMs: number;
  /** Summed over the workers. */
  readonly cache: ImageCacheStats;
}

/** A model that runs in worker threads of this process, so that inference never blocks the event loop. */
export class LocalModel implements SegmentationModel {
  readonly info: ModelInfo;
  readonly manifest: Manifest;
  private readonly queue: WindowQueue;
  private failure: ModelUnavailableError | null = null;

  private constructor(
    verified: VerifiedModel,
    readonly executionProvider: ExecutionProvider,
    private readonly tokenizer: QuestionTokenizer,
    private readonly threads: readonly GraphThread[],
    { maxWaiting, onBatch }: LocalSettings,
  ) {
    this.info = modelInfo(verified);
    this.manifest = verified.manifest;
    this.queue = new WindowQueue(
      threads,
      { maxWaiting, maxQuestions: MOST_QUESTIONS },
      (retryAfterS) =>
        new ModelUnavailableError(this.info.id, `${maxWaiting} requests are already waiting`, retryAfterS),
      (batch) => onBatch?.(this.info.id, batch),
    );
  }

  /**
   * Starts the workers, each with its own graphs.
   * @throws {ExecutionProviderError} {@link ModelFailureError} when ONNX Runtime refuses a graph
   */
  static async load(verified: VerifiedModel, settings = DEFAULT_LOCAL): Promise<LocalModel> {
    const tokenizer = await QuestionTokenizer.load(verified);
    const { folder, manifest } = verified;
    const { provider, threads, imageCacheBytes, workers } = settings;
    const setup = {
      folder,
      manifest,
      settings: { provider, threads, imageCacheBytes: Math.max(1, Math.floor(imageCacheBytes / workers)) },
    };
    const started: GraphThread[] = [];
    let model: LocalModel | null = null;
    try {
      for (let worker = 0; worker < workers; worker++)
        started.push(await GraphThread.start(modelInfo(verified).id, setup, (reason) => model?.fail(reason)));
    } catch (error) {
      for (const thread of started) await thread.stop();
      throw error;
    }
    model = new LocalModel(verified, provider, tokenizer, started, settings);
    return model;
  }

  ready(): boolean {
    return this.failure === null && this.threads.every(({ alive }) => alive);
  }

  check({ text }: Question): void {
    this.tokenizer.encode(text);
  }

  /** Seconds after which the current queue should be done. */
  get retryAfterS(): number {
    return this.queue.retryAfterS;
  }

  get stats(): LocalModelStats {
    const caches = this.threads.map(({ cacheStats }) => cacheStats);
    const sum = (of: keyof ImageCacheStats): number => caches.reduce((total, cache) => total + cache[of], 0);
    const cache = {
      hits: sum('hits'),
      misses: sum('misses'),
      evictions: sum('evictions'),
      bytes: sum('bytes'),
      windows: sum('windows'),
    };
    const onnxMs = this.threads.reduce((total, thread) => total + thread.onnxMs, 0);
    return { waiting: this.queue.length, running: this.queue.running, onnxMs, cache };
  }

  async infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
    onPhase?: (phase: ModelPhase) => void,
  ): Promise<Float32Array[]> {
    const tokenized = questions.map(({ task, text }) => ({ task, ids: this.tokenizer.encode(text) }));
    return this.inferTokens(image, tokenized, signal, onPhase);
  }

  /** As {@link infer}, for questions that are tokens already. */
  async inferTokens(
    image: Uint8Array,
    questions: readonly TokenizedQuestion[],
    signal?: AbortSignal,
    onPhase?: (phase: ModelPhase) => void,
  ): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const bytes = this.info.windowPx ** 2 * 3;
    if (image.length !== bytes) throw new RangeError(`The image has ${image.length} bytes; the window takes ${bytes}.`);
    if (this.failure) throw this.failure;
    return this.queue.add({ key: windowKey(image), image, questions, signal, onPhase });
  }

  /** Refuses waiting requests; returns when current windows are done and the threads have ended. */
  async close(): Promise<void> {
    this.fail(new ModelUnavailableError(this.info.id, 'it was closed'));
    await Promise.all(this.threads.map((thread) => thread.stop()));
  }

  private fail(reason: ModelUnavailableError): void {
    this.failure ??= reason;
    this.queue.refuseAll(this.failure);
  }
}

/** Runs the models of a folder in this process; they share the image cache memory evenly. */
export function localModels(settings = DEFAULT_LOCAL): ModelLoader<LocalModel> {
  return {
    verify: verifyModel,
    load: (verified, models) =>
      LocalModel.load(verified, { ...settings, imageCacheBytes: Math.floor(settings.imageCacheBytes / models) }),
    mayAnswer: (model) => model.ready(),
  };
}
