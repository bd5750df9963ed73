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

/** What computes one batch after the other, in the order in which they are given. */
export interface WindowRunner {
  /**
   * @param onPhase once a batch `reasons`, the next one may be given, so that the runner has it at hand when it is done
   * @returns per request and question the logits; whatever for a request that was cancelled meanwhile
   */
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

/** A runner and what it holds. */
interface Lane {
  readonly runner: WindowRunner;
  /** Batches without an answer: the one that is worked on and, from its questions on, the next. */
  batches: number;
  takesNext: boolean;
}

/** Windows whose runner is remembered: more than any image cache keeps. */
const REMEMBERED = 10_000;
const FIRST_GUESS_MS = 1000;

/**
 * Requests in the order of their arrival, except that all requests about one window are answered together. A window goes
 * to the runner that had it before, and waits for that one: while its image half is computed, no second runner begins
 * with it. A runner gets its next window a moment before it has answered the present one, not earlier, so that requests
 * about a window have as long as can be to come together.
 */
export class WindowQueue {
  private readonly waiting: Waiting[] = [];
  private readonly lanes: readonly Lane[];
  private readonly homes = new LRUCache<string, Lane>({ max: REMEMBERED });
  private batchMs = FIRST_GUESS_MS;

  /**
   * @param busy the error of a request that is refused, given the seconds after which a place should be free
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

  /** Requests that wait, those that a runner has not counted. */
  get length(): number {
    return this.waiting.length;
  }

  /** Batches that runners have and have not answered. */
  get running(): number {
    return this.lanes.reduce((sum, { batches }) => sum + batches, 0);
  }

  /** Seconds after which what waits now should be done, at least 1. */
  get retryAfterS(): number {
    const windows = new Set(this.waiting.map(({ key }) => key)).size + this.running;
    return Math.max(1, Math.ceil((windows * this.batchMs) / this.lanes.length / 1000));
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
      const { lane, key } = next;
      this.homes.set(key, lane);
      this.handOver(lane, this.take(key));
    }
  }

  /** The first window that waits and whose runner takes one; a new window goes to a runner that has nothing to do. */
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
