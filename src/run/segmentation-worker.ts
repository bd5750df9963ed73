import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, OutageError } from '../errors.ts';
import { AnswerComparison } from './answer-comparison.ts';
import { dropKeptWindows, dropLeftoverWindows } from './kept-windows.ts';
import { isOutage } from './model-circuits.ts';
import type { Claim, Release } from '../segmentation/run.store.ts';
import { RunAbandoned, type RunLimits, type RunPorts, SegmentationRun } from './segmentation-run.ts';
import { inSpan } from '../telemetry/tracing.ts';
import type { Failure, Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationChange } from '../segmentation/segmentation.store.ts';

export interface WorkerLimits extends RunLimits {
  /** Number of batches run at a time. */
  readonly runs: number;
}

/** Interval at which delayed batches and lost notifications are found. */
const POLL_MS = 1000;
/** Interval at which runs of ended processes are looked for. */
const RECOVER_EVERY_MS = 2000;
/** Answers are compared while nothing is due, and between runs when that was this long ago. */
const COMPARE_EVERY_MS = 5000;
/** Longest that a close waits for its runs, milliseconds. */
const CLOSE_MS = 7000;
/** Delay before a run is tried again after a fault that is not the request's. */
const RETRY_AFTER_S = 2;

const UNKNOWN_FAILURE: Failure = {
  code: 'INTERNAL_SERVER_ERROR',
  message: 'The run failed; the service log has the reason.',
};

/** Errors that may have another cause than the request and are retried a few times. */
const RETRIED: ReadonlySet<string> = new Set(['MODEL_FAILED', 'MODEL_CRASHED', 'MODEL_TIMEOUT', 'SOURCE_UNAVAILABLE']);

const isFinal = (error: unknown): error is AppError => error instanceof AppError && !RETRIED.has(error.code);

/**
 * Runs batches as they become due, beside any number of other worker processes. Its unfinished runs go back to the queue
 * when the process ends: by itself on close, by another worker after a crash.
 */
export class SegmentationWorker {
  private readonly active = new Set<SegmentationRun>();
  private readonly wakeUps = new Set<() => void>();
  private readonly closing = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private stopListening: () => void = () => undefined;
  private readonly comparison: AnswerComparison;
  private comparing = false;
  private comparedAt = 0;
  private number = 0;
  private closed: Promise<void> | null = null;

  constructor(
    private readonly ports: RunPorts,
    private readonly limits: WorkerLimits,
  ) {
    this.comparison = new AnswerComparison(ports, limits);
  }

  /** Starts taking batches. */
  async start(): Promise<void> {
    const { store } = this.ports;
    this.number = await store.takeWorkerNumber();
    this.stopListening = await store.listen({ onChange: (change) => this.onChange(change), onGap: () => this.wake() });
    await this.recover();
    await dropLeftoverWindows(this.ports.blobs, store);
    this.loops.push(this.repeat(RECOVER_EVERY_MS, () => this.recover()));
    for (let lane = 0; lane < this.limits.runs; lane++) this.loops.push(this.workLoop());
  }

  /** Stops its runs at once, puts them back in the queue and takes no more. */
  close(): Promise<void> {
    return (this.closed ??= this.stop());
  }

  private async stop(): Promise<void> {
    this.stopListening();
    this.closing.abort();
    this.wake();
    for (const run of this.active) run.stop(new RunAbandoned());
    const inTime = new AbortController();
    const late = sleep(CLOSE_MS, true, { signal: inTime.signal }).catch(() => false);
    const isLate = await Promise.race([Promise.all(this.loops).then(() => false), late]);
    inTime.abort();
    // Others put the runs back, as after a crash.
    if (isLate) this.ports.logger.warn({ runs: this.active.size }, 'Worker:Unfinished');
  }

  private onChange({ id, state }: SegmentationChange): void {
    if (state === 'QUEUED') this.wake();
    if (state === 'CANCELLED' || state === 'DELETED') for (const run of this.active) run.drop(id);
  }

  private wake(): void {
    for (const wakeUp of this.wakeUps) wakeUp();
  }

  private async workLoop(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const claim = await this.claim();
      if (claim) await this.run(claim);
      const isTurn = claim === null || performance.now() - this.comparedAt > COMPARE_EVERY_MS;
      const compared = isTurn && (await this.compare());
      if (claim === null && !compared) await this.waitForWork();
    }
  }

  /** Compares stored answers where no other lane does. @returns whether there was something to compare */
  private async compare(): Promise<boolean> {
    const { signal } = this.closing;
    if (this.comparing || signal.aborted) return false;
    this.comparing = true;
    try {
      return await this.comparison.step(this.number, signal);
    } catch (error) {
      if (!signal.aborted) this.ports.logger.error({ err: error }, 'Queue:Failed');
      return false;
    } finally {
      this.comparing = false;
      this.comparedAt = performance.now();
    }
  }

  /** Resolves when work was queued, or after the poll interval. */
  private async waitForWork(): Promise<void> {
    let wakeUp = (): void => undefined;
    const called = new Promise<void>((resolve) => (wakeUp = resolve));
    const timer = setTimeout(() => wakeUp(), POLL_MS);
    this.wakeUps.add(wakeUp);
    await called;
    clearTimeout(timer);
    this.wakeUps.delete(wakeUp);
  }

  private async claim(): Promise<Claim | null> {
    const { store, circuits, models, logger } = this.ports;
    const known = models.list();
    const nothingAnswers = known.length > 0 && known.every(({ id }) => circuits.delayS(id) > 0);
    if (nothingAnswers || !store.isVisible()) return null;
    try {
      return await store.claim(this.number, (modelId) => circuits.delayS(modelId));
    } catch (error) {
      logger.error({ err: error }, 'Queue:Failed');
      return null;
    }
  }

  private async run(claim: Claim): Promise<void> {
    const { logger, metrics } = this.ports;
    const run = new SegmentationRun(claim, this.ports, this.limits);
    const started = performance.now();
    const done = (): object => ({ batchId: run.batchId, durationMs: Math.round(performance.now() - started) });
    this.active.add(run);
    if (this.closing.signal.aborted) run.stop(new RunAbandoned());
    const ended = (outcome: string): void => metrics?.runEnded(outcome, performance.now() - started);
    try {
      await traced(run, claim, () => run.execute());
      ended('done');
      logger.info({ ...done(), segmentations: claim.segmentations.length }, 'Run:Done');
    } catch (error) {
      ended(
        error instanceof AppError ? error.code : error instanceof RunAbandoned ? 'put_back' : 'INTERNAL_SERVER_ERROR',
      );
      const settled = await this.persist(() => this.ended(run.unanswered, error));
      // A failure that the database refuses to store is replaced by one that it accepts.
      if (!settled) await this.persist(() => this.ports.store.fail(run.unanswered, UNKNOWN_FAILURE));
    } finally {
      this.active.delete(run);
    }
    await this.persist(() => this.dropKeptOf(run.batchId));
  }

  /** Decides the next state of segmentations whose attempt threw. */
  private async ended(unanswered: readonly Segmentation[], error: unknown): Promise<void> {
    const { store, circuits, logger } = this.ports;
    const [first] = unanswered;
    if (!first) return;
    const ids = unanswered.map(({ id }) => id);
    if (error instanceof RunAbandoned) {
      await store.release(unanswered, { failure: null, delayS: 0, stalled: false });
      logger.info({ segmentations: ids }, 'Run:PutBack');
    } else if (isOutage(error)) {
      const failure = { code: error.code, message: error.message };
      logger.warn({ segmentations: ids, model: first.model.id, failure }, 'Model:Unavailable');
      await store.release(unanswered, { failure, delayS: circuits.delayS(first.model.id), stalled: false });
      await store.explainWait(first.model.id, failure);
    } else if (error instanceof OutageError) {
      const failure = { code: error.code, message: error.message };
      logger.warn({ err: error, segmentations: ids }, 'Run:PutBack');
      await store.release(unanswered, { failure, delayS: error.retryAfterS, stalled: false });
    } else if (isFinal(error)) {
      logger.warn({ err: error, segmentations: ids }, 'Run:Failed');
      await store.fail(unanswered, { code: error.code, message: error.message });
    } else {
      await this.tryAgain(unanswered, error);
    }
  }

  private async tryAgain(unanswered: readonly Segmentation[], error: unknown): Promise<void> {
    const { store, logger } = this.ports;
    const failure = error instanceof AppError ? { code: error.code, message: error.message } : UNKNOWN_FAILURE;
    const release: Release = { failure, delayS: RETRY_AFTER_S, stalled: true };
    const { queued, failed } = await store.release(unanswered, release);
    logger.error({ err: error, queued, failed }, 'Run:Failed');
  }

  /**
   * Repeats work that must be done while the database is unavailable; after a close another worker does it.
   * @returns false when it failed for another reason: a statement that is refused for its data would be refused for ever
   */
  private async persist(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await work();
        return true;
      } catch (error) {
        this.ports.logger.error({ err: error }, 'Queue:Failed');
        if (this.closing.signal.aborted) return true;
        if (!(error instanceof OutageError)) return false;
        await sleep(RETRY_AFTER_S * 1000, undefined, { signal: this.closing.signal }).catch(() => undefined);
      }
    }
  }

  private async recover(): Promise<void> {
    const { queued, failed } = await this.ports.store.recover();
    if (queued.length + failed.length > 0) this.ports.logger.warn({ queued, failed }, 'Run:Recovered');
  }

  private async repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await work().catch((err: unknown) => this.ports.logger.error({ err }, 'Queue:Failed'));
    }
  }

  private async dropKeptOf(batchId: string): Promise<void> {
    const { store, blobs } = this.ports;
    if ((await store.unfinished([batchId])).size === 0) await dropKeptWindows(blobs, batchId);
  }
}

/** Carries a run out within the trace of the request that asked for it. */
function traced(run: SegmentationRun, { segmentations }: Claim, work: () => Promise<void>): Promise<void> {
  const attributes = {
    'terraql.batch_id': run.batchId,
    'terraql.segmentations': segmentations.length,
    'terraql.scene_id': segmentations[0]?.sceneId ?? '',
    'terraql.model': segmentations[0]?.model.id ?? '',
  };
  return inSpan('run', { kind: 'consumer', parent: run.traceparent, attributes }, work);
}
