import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { modelInfo, type VerifiedModel } from './manifest.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './model-worker.ts';
import { QuestionTokenizer } from './question-tokenizer.ts';
import { ModelFailureError, type ModelInfo, type Question, type SegmentationModel } from './segmentation-model.ts';

interface Waiting {
  resolve(logits: Float32Array[]): void;
  reject(reason: unknown): void;
}

/** Number under which the worker says that the graphs are loaded; requests count from the next. */
const START = 0;

/** A model that runs in a worker thread of this process, so that inference never blocks the event loop. */
export class LocalModel implements SegmentationModel {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = START + 1;
  private failure: ModelFailureError | null = null;

  private constructor(
    readonly info: ModelInfo,
    private readonly tokenizer: QuestionTokenizer,
    private readonly worker: Worker,
  ) {
    worker.on('message', (reply: WorkerReply) => this.settle(reply));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => this.fail(new Error(`its worker thread ended with code ${code}`)));
  }

  /**
   * Starts the worker and loads the graphs.
   * @param threads of one inference; 0: one per core
   * @throws {ModelFailureError} when ONNX Runtime refuses a graph
   */
  static async load(verified: VerifiedModel, threads: number): Promise<LocalModel> {
    const tokenizer = await QuestionTokenizer.load(verified);
    const { folder, manifest } = verified;
    const model = new LocalModel(
      modelInfo(verified),
      tokenizer,
      startWorker({ start: START, folder, manifest, threads }),
    );
    await model.reply(START);
    return model;
  }

  ready(): boolean {
    return this.failure === null;
  }

  check({ text }: Question): void {
    this.tokenizer.encode(text);
  }

  async infer(image: Uint8Array, questions: readonly Question[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const bytes = this.info.windowPx ** 2 * 3;
    if (image.length !== bytes) throw new RangeError(`an image of ${image.length} bytes; the window takes ${bytes}`);
    const tokenized = questions.map(({ task, text }) => ({ task, ids: this.tokenizer.encode(text) }));
    if (this.failure) throw this.failure;
    const request: WorkerRequest = { id: this.nextId++, image, questions: tokenized };
    const logits = this.reply(request.id, signal);
    this.worker.postMessage(request);
    return logits;
  }

  /** Refuses what is waiting; returns when the window that is being worked on is done and the thread has ended. */
  async close(): Promise<void> {
    const ended = this.failure === null ? once(this.worker, 'exit') : null;
    this.fail(new Error('it was closed'));
    // Ending the thread from outside would take the process with it while ONNX Runtime is at work.
    const stop: WorkerRequest = 'stop';
    this.worker.postMessage(stop);
    this.worker.ref();
    await ended;
  }

  /** The worker's answer of that id. The process stays alive for it, and for nothing else of the worker. */
  private reply(id: number, signal?: AbortSignal): Promise<Float32Array[]> {
    return new Promise((resolve, reject) => {
      const abort = (): void => this.take(id)?.reject(signal?.reason);
      const done = (): void => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort, { once: true });
      this.waiting.set(id, {
        resolve: (logits) => (done(), resolve(logits)),
        reject: (reason) => (done(), reject(reason)),
      });
      this.worker.ref();
    });
  }

  /** Whoever waits for that answer, once; nobody when the request was aborted. */
  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (this.waiting.delete(id) && this.waiting.size === 0) this.worker.unref();
    return waiting;
  }

  private settle(reply: WorkerReply): void {
    if (reply.kind === 'logits') this.take(reply.id)?.resolve(reply.logits);
    else this.take(reply.id)?.reject(new ModelFailureError(this.info.id, reply.message));
  }

  private fail(cause: Error): void {
    this.failure ??= new ModelFailureError(this.info.id, cause);
    for (const id of this.waiting.keys()) this.take(id)?.reject(this.failure);
  }
}

/** The worker thread: the built file, or the one that reads TypeScript when this module runs from its source. */
function startWorker(workerData: WorkerSetup): Worker {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(built ? './model-worker.js' : './source-worker.mjs', import.meta.url);
  return new Worker(file, { workerData, ...(built ? {} : { execArgv: [] }) });
}
