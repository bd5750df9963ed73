import { LRUCache } from 'lru-cache';
import type { TokenizedQuestion } from './prompt-rows.ts';
import type { ModelPhase } from './segmentation-model.ts';

/** Questions about one window, waiting for an answer. */
export interface WindowRequest {
  /** Content hash of the window. */
  readonly key: string;
  /** HWC uint8 RGB `[windowPx, windowPx, 3]`. */
  readonly image: Uint8Array;
  readonly questions: readonly TokenizedQuestion[];
  readonly signal: AbortSignal | undefined;
  /** Called with the phases of the request's batch. */
  readonly onPhase?: ((phase: ModelPhase) => void) | undefined;
}

/** Requests about one window as passed to a runner. */
export interface SharedBatch {
  readonly key: string;
  readonly image: Uint8Array;
  readonly requests: readonly (readonly TokenizedQuestion[])[];
  /** 1 for each cancelled request; shared between threads. */
  readonly cancelled: Int32Array<SharedArrayBuffer>;
}

/** Runs batches one after another, in order. */
export interface WindowRunner {
  /**
   * @param onPhase once a batch is `reasoning`, the next one may be passed, so that the runner never waits for it
   * @returns per request and question the logits; undefined content for cancelled requests
   */
  run(batch: SharedBatch, onPhase: (phase: ModelPhase) => void): Promise<Float32Array[][]>;
}

export interface QueueLimits {
  /** Longest queue; further requests are refused. */
  readonly maxWaiting: number;
  /** Most questions of one batch; a single larger request runs alone. */
  readonly maxQuestions: number;
}

/** Size and duration of a finished batch. */
export interface BatchReport {
  readonly requests: number;
  readonly questions: number;
  readonly durationMs: number;
}

interface Waiting extends WindowRequest {
  resolve: (logits: Float32Array[]) => void;
  reject: (reason: unknown) => void;
}

/** A runner and its load. */
interface Lane {
  readonly runner: WindowRunner;
  /** Unanswered batches: the current one and, once that is reasoning, the next. */
  batches: number;
  takesNext: boolean;
}

/** Windows whose runner is remembered: more than any image cache holds. */
const REMEMBERED = 10_000;
const FIRST_GUESS_MS = 1000;

/**
 * FIFO queue that answers all requests about one window together. A window returns to the runner that had it before and
 * waits for it, so that no second runner encodes the same image. A runner gets its next window shortly before it finishes
 * the current one, not earlier, so that requests about a window have as long as possible to be batched.
 */
export class WindowQueue {
  private readonly waiting: Waiting[] = [];
  private readonly lanes: readonly Lane[];
  private readonly homes = new LRUCache<string, Lane>({ max: REMEMBERED });
  private batchMs = FIRST_GUESS_MS;

  /**
   * @param busy makes the error of a refused request from the seconds after which to retry
   * @param report called after each batch
   */
  constructor(
    runners: readonly WindowRunner[],
    private readonly limits: QueueLimits,
    private readonly busy: (retryAfterS: number) => Error,
    private readonly report: (batch: BatchReport) => void = () => undefined,
  ) {
    this.lanes = runners.map((runner) => ({ runner, batches: 0, takesNext: true }));
  }

  /** Waiting requests, without those that a runner has. */
  get length(): number {
    return this.waiting.length;
  }

  /** Unanswered batches of all runners. */
  get running(): number {
    return this.lanes.reduce((sum, { batches }) => sum + batches, 0);
  }

  /** Seconds after which the current queue should be done, at least 1. */
  get retryAfterS(): number {
    const windows = new Set(this.waiting.map(({ key }) => key)).size + this.running;
    return Math.max(1, Math.ceil((windows * this.batchMs) / this.lanes.length / 1000));
  }

  /**
   * @returns per question the logits
   * @throws the busy error when the queue is full; the signal's reason as soon as it is aborted; errors of the runner
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

  /** Refuses all waiting requests. */
  refuseAll(reason: Error): void {
    for (const waiting of this.waiting.splice(0)) waiting.reject(reason);
  }

  /** Removes an aborted request from the queue; a running one is marked by its batch. */
  private rejectOnAbort(waiting: Waiting, signal: AbortSignal): void {
    const { resolve, reject } = waiting;
    const abort = (): void => {
      const index = this.waiting.indexOf(waiting);
      if (index >= 0) this.waiting.splice(index, 1);
      reject(signal.reason);
    };
    const done = (): void => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    waiting.resolve = (logits) => (done(), resolve(logits));
    waiting.reject = (reason) => (done(), reject(reason));
  }

  private startNext(): void {
    for (let next = this.next(); next; next = this.next()) {
      const { lane, key } = next;
      this.homes.set(key, lane);
      this.handOver(lane, this.take(key));
    }
  }

  /** The first waiting window whose runner accepts one; a new window goes to the idlest runner. */
  private next(): { lane: Lane; key: string } | null {
    const [idlest] = this.lanes.filter(({ takesNext }) => takesNext).toSorted((a, b) => a.batches - b.batches);
    if (!idlest) return null;
    for (const { key } of this.waiting) {
      const lane = this.homes.get(key) ?? idlest;
      if (lane.takesNext) return { lane, key };
    }
    return null;
  }

  private handOver(lane: Lane, taken: readonly Waiting[]): void {
    lane.takesNext = false;
    lane.batches += 1;
    let mayFollow = (): void => {
      mayFollow = () => undefined;
      lane.takesNext = true;
      this.startNext();
    };
    const onPhase = (phase: ModelPhase): void => {
      for (const waiting of taken) waiting.onPhase?.(phase);
      if (phase === 'reasoning') mayFollow();
    };
    void this.run(lane.runner, taken, onPhase).finally(() => {
      lane.batches -= 1;
      mayFollow();
    });
  }

  /** Removes the requests about a window from the queue, as many as fit into a batch. */
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

  private async run(
    runner: WindowRunner,
    taken: readonly Waiting[],
    onPhase: (phase: ModelPhase) => void,
  ): Promise<void> {
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
      const answers = await runner.run({ key, image, requests, cancelled }, onPhase);
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
