import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ExecutionProviderError } from './execution-provider.ts';
import type { ImageCacheStats } from './image-cache.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './model-worker.ts';
import {
  ModelCrashedError,
  ModelFailureError,
  type ModelPhase,
  ModelRejectedError,
  ModelUnavailableError,
} from './segmentation-model.ts';
import type { SharedBatch, WindowRunner } from './window-queue.ts';

interface Waiting {
  resolve(logits: Float32Array[][]): void;
  reject(reason: unknown): void;
  onPhase(phase: ModelPhase): void;
}

const NOTHING_KEPT: ImageCacheStats = { hits: 0, misses: 0, evictions: 0, bytes: 0, windows: 0 };

/** A worker thread with the graphs of a model. Only pending answers keep the process alive. */
export class GraphThread implements WindowRunner {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private ended: ModelUnavailableError | null = null;
  private stats = NOTHING_KEPT;
  private graphsMs = 0;

  private constructor(
    private readonly modelId: string,
    private readonly worker: Worker,
    private readonly onEnd: (reason: ModelUnavailableError) => void,
  ) {
    worker.on('message', (reply: WorkerReply) => this.settle(reply));
    worker.on('error', (error) => this.end(error.message));
    worker.on('exit', (code) => this.end(`its worker thread ended with code ${code}`));
    worker.unref();
  }

  /**
   * Starts the thread and loads the graphs.
   * @param onEnd called once, when the thread has ended
   * @throws {ExecutionProviderError} {@link ModelFailureError} when ONNX Runtime refuses a graph
   */
  static async start(
    modelId: string,
    setup: WorkerSetup,
    onEnd: (reason: ModelUnavailableError) => void,
  ): Promise<GraphThread> {
    const worker = startWorker(setup);
    const [started] = (await once(worker, 'message').catch((cause: unknown) => {
      throw new ModelFailureError(modelId, cause);
    })) as [WorkerReply];
    if (started.kind !== 'refused') return new GraphThread(modelId, worker, onEnd);
    const { provider } = setup.settings;
    if (started.providerReason !== null) throw new ExecutionProviderError(provider, started.providerReason);
    throw new ModelFailureError(modelId, started.message);
  }

  /** Cache statistics as of the thread's last answer. */
  get cacheStats(): ImageCacheStats {
    return this.stats;
  }

  /** Total time inside ONNX Runtime as of the thread's last answer, milliseconds. */
  get onnxMs(): number {
    return this.graphsMs;
  }

  get alive(): boolean {
    return this.ended === null;
  }

  /**
   * Runs batches one after another.
   * @throws {ModelRejectedError} for errors of ONNX Runtime; {@link ModelCrashedError} when the thread ends during the batch;
   *   {@link ModelUnavailableError} when it ended before the batch started
   */
  run(batch: SharedBatch, onPhase: (phase: ModelPhase) => void): Promise<Float32Array[][]> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject, onPhase });
      this.worker.ref();
      // Posting a view would clone its whole buffer.
      const { image } = batch;
      const own = image.byteLength === image.buffer.byteLength ? image : image.slice();
      const request: WorkerRequest = { id, batch: { ...batch, image: own } };
      this.worker.postMessage(request);
    });
  }

  /** Refuses queued batches; returns when the current batch is done and the thread has ended. */
  async stop(): Promise<void> {
    if (this.ended) return;
    const [, ...behind] = this.waiting.keys();
    for (const id of behind) this.take(id)?.reject(new ModelUnavailableError(this.modelId, 'it was closed'));
    const exit = once(this.worker, 'exit');
    // Terminating the thread while ONNX Runtime runs would crash the process.
    const stop: WorkerRequest = 'stop';
    this.worker.postMessage(stop);
    this.worker.ref();
    await exit;
  }

  private settle(reply: WorkerReply): void {
    if (reply.kind === 'logits') {
      this.stats = reply.cache;
      this.graphsMs = reply.onnxMs;
      this.take(reply.id)?.resolve(reply.logits);
    } else if (reply.kind === 'phase') {
      this.waiting.get(reply.id)?.onPhase(reply.phase);
    } else if (reply.kind === 'failed') {
      this.take(reply.id)?.reject(new ModelRejectedError(this.modelId, reply.message));
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (this.waiting.delete(id) && this.waiting.size === 0) this.worker.unref();
    return waiting;
  }

  private end(reason: string): void {
    if (this.ended) return;
    this.ended = new ModelUnavailableError(this.modelId, reason);
    const [atWork, ...behind] = this.waiting.keys();
    if (atWork !== undefined) this.take(atWork)!.reject(new ModelCrashedError(this.modelId, reason));
    for (const id of behind) this.take(id)!.reject(this.ended);
    this.onEnd(this.ended);
  }
}

/** Starts the worker thread from the build, or through a TypeScript loader when this module runs from its source. */
function startWorker(workerData: WorkerSetup): Worker {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(built ? './model-worker.js' : './source-worker.mjs', import.meta.url);
  return new Worker(file, { workerData, ...(built ? {} : { execArgv: [] }) });
}
