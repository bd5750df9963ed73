import { LRUCache } from 'lru-cache';
import type { TokenizedQuestion } from './prompt-rows.ts';
import type { ModelPhase } from './segmentation-model.ts';

/** Questions about one window that wait for an answer. */
export interface WindowRequest {
  /** Content hash of the window. */
  readonly key: string;
  /** HWC uint8 RGB `[windowPx, windowPx, 3]`. */
  readonly image: Uint8Array;
  readonly questions: readonly TokenizedQuestion[];
  readonly signal: AbortSignal | undefined;
  /** Told what is done with the batch that the request is part of. */
  readonly onPhase?: ((phase: ModelPhase) => void) | undefined;
}

/** Requests about one window as they are handed to a runner. */
export interface SharedBatch {
  readonly key: string;
  readonly image: Uint8Array;
  readonly requests: readonly (readonly TokenizedQuestion[])[];
  /** Per request 1 once nobody waits for it any more; shared between threads. */
  readonly cancelled: Int32Array<SharedArrayBuffer>;
}

/** What computes one batch at a time. */
export interface WindowRunner {
  /** @returns per request and question the logits; whatever for a request that was cancelled meanwhile */
  run(batch: SharedBatch, onPhase: (phase: ModelPhase) => void): Promise<Float32Array[][]>;
}

export interface QueueLimits {
  /** Most requests that wait; the next one is refused. */
  readonly maxWaiting: number;
  /** Most questions of one batch; a single request with more is run alone. */
  readonly maxQuestions: number;
}

/** What became of a batch. */
export interface BatchReport {
  readonly requests: number;
  readonly questions: number;
  readonly durationMs: number;
}

interface Waiting extends WindowRequest {
  resolve: (logits: Float32Array[]) => void;
  reject: (reason: unknown) => void;
}

/** Windows whose runner is remembered: more than any image cache keeps. */
const REMEMBERED = 10_000;
const FIRST_GUESS_MS = 1000;

/**
 * Requests in the order of their arrival, except that all requests about one window are answered together, and that a
 * window which is being worked on is not given to a second runner: its new questions wait until the image half is known.
 * A window goes to the runner that had it before.
 */
export class WindowQueue {
  private readonly waiting: Waiting[] = [];
  private readonly free: WindowRunner[];
  private readonly underWay = new Set<string>();
  private readonly homes = new LRUCache<string, WindowRunner>({ max: REMEMBERED });
  private batchMs = FIRST_GUESS_MS;

  /**
   * @param busy the error of a request that is refused, given the seconds after which a place should be free
   * @param report called after each batch
   */
  constructor(
    private readonly runners: readonly WindowRunner[],
    private readonly limits: QueueLimits,
    private readonly busy: (retryAfterS: number) => Error,
    private readonly report: (batch: BatchReport) => void = () => undefined,
  ) {
    this.free = [...runners];
  }

  /** Requests that wait, those under way not counted. */
  get length(): number {
    return this.waiting.length;
  }

  /** Batches under way. */
  get running(): number {
    return this.underWay.size;
  }

  /** Seconds after which what waits now should be done, at least 1. */
  get retryAfterS(): number {
    const windows = new Set(this.waiting.map(({ key }) => key)).size + this.underWay.size;
    return Math.max(1, Math.ceil((windows * this.batchMs) / this.runners.length / 1000));
  }

  /**
   * @returns per question the logits
   * @throws the busy error when too many wait; the signal's reason as soon as it is aborted; what the runner throws
   */
  async add(request: WindowRequest): Promise<Float32Array[]> {
    request.signal?.throwIfAborted();
    if (this.waiting.length >= this.limits.maxWaiting) throw this.busy(this.retryAfterS);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { ...request, resolve, reject };
      if (request.signal) this.rejectOnAbort(waiting, request.signal);
      this.waiting.push(waiting);
      this.startNext();
    });
  }

  /** Refuses everything that waits. */
  refuseAll(reason: Error): void {
    for (const waiting of this.waiting.splice(0)) waiting.reject(reason);
  }

  /** Takes an aborted request out of the queue; one that is under way is marked by its batch. */
  private rejectOnAbort(waiting: Waiting, signal: AbortSignal): void {
    const { resolve, reject } = waiting;
    const abort = (): void => {
      const place = this.waiting.indexOf(waiting);
      if (place >= 0) this.waiting.splice(place, 1);
      reject(signal.reason);
    };
    const done = (): void => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    waiting.resolve = (logits) => (done(), resolve(logits));
    waiting.reject = (reason) => (done(), reject(reason));
  }

  private startNext(): void {
    for (let next = this.next(); next; next = this.next()) {
      const { runner, key } = next;
      this.free.splice(this.free.indexOf(runner), 1);
      this.underWay.add(key);
      this.homes.set(key, runner);
      void this.run(runner, this.take(key)).finally(() => {
        this.underWay.delete(key);
        this.free.push(runner);
        this.startNext();
      });
    }
  }

  /** The first window that waits, is not under way, and whose runner is free. */
  private next(): { runner: WindowRunner; key: string } | null {
    if (this.free.length === 0) return null;
    for (const { key } of this.waiting) {
      if (this.underWay.has(key)) continue;
      const runner = this.homes.get(key) ?? this.free[0]!;
      if (this.free.includes(runner)) return { runner, key };
    }
    return null;
  }

  /** Takes the requests about a window out of the queue, as many as fit into a batch. */
  private take(key: string): Waiting[] {
    const taken: Waiting[] = [];
    let questions = 0;
    for (const waiting of this.waiting) {
      if (waiting.key !== key) continue;
      if (taken.length > 0 && questions + waiting.questions.length > this.limits.maxQuestions) break;
      taken.push(waiting);
      questions += waiting.questions.length;
    }
    for (const waiting of taken) this.waiting.splice(this.waiting.indexOf(waiting), 1);
    return taken;
  }

  private async run(runner: WindowRunner, taken: readonly Waiting[]): Promise<void> {
    const { key, image } = taken[0]!;
    const cancelled = new Int32Array(new SharedArrayBuffer(taken.length * Int32Array.BYTES_PER_ELEMENT));
    const marks = taken.map(({ signal }, index) => {
      const mark = (): void => void Atomics.store(cancelled, index, 1);
      signal?.addEventListener('abort', mark, { once: true });
      return () => signal?.removeEventListener('abort', mark);
    });
    const started = performance.now();
    try {
      const requests = taken.map(({ questions }) => questions);
      const answers = await runner.run({ key, image, requests, cancelled }, (phase) => {
        for (const { onPhase } of taken) onPhase?.(phase);
      });
      const durationMs = performance.now() - started;
      this.batchMs += (durationMs - this.batchMs) / 8;
      this.report({ requests: taken.length, questions: requests.flat().length, durationMs });
      taken.forEach((waiting, index) => waiting.resolve(answers[index]!));
    } catch (error) {
      for (const waiting of taken) waiting.reject(error);
    } finally {
      for (const unmark of marks) unmark();
    }
  }
}
