import type { EmptyReason, Failure, Segmentation, SegmentationProgress, StoredMask } from './segmentation.ts';
import type { SegmentationResult, SegmentationStore } from './segmentation.store.ts';

/** One attempt at a segmentation. Only the last attempt may write: a worker that was given up on writes nothing. */
export type Attempt = Pick<Segmentation, 'id' | 'attempts'>;

/** A batch taken out of the queue. */
export interface Claim {
  readonly batchId: string;
  /** In the order in which they were asked; without those that ended while they waited. */
  readonly segmentations: readonly Segmentation[];
}

/** How a run goes back to the queue. */
export interface Release {
  /** Why; null when nothing was wrong. */
  readonly failure: Failure | null;
  /** Seconds until it may be taken again. */
  readonly delayS: number;
  /** Whether the attempt counts as one that came no further; too many of those in a row and it is FAILED. */
  readonly stalled: boolean;
}

/** The stored answer to the same question about the same picture, on another scene of it. */
export interface SameAnswer {
  readonly mask: StoredMask;
  readonly emptyReason: EmptyReason | null;
  /** Windows of its run. */
  readonly windows: number;
  /** Of its features, by label. */
  readonly probabilities: ReadonlyMap<number, number>;
}

/** What became of attempts that ended early, by segmentation. */
export interface Released {
  readonly queued: readonly string[];
  readonly failed: readonly string[];
}

/** What carries out runs needs of the database. */
export interface RunStore extends Pick<SegmentationStore, 'list' | 'mask' | 'listen'> {
  /**
   * A number for this process, for as long as it lives: others can see in the database that it does.
   * @see recover
   */
  takeWorkerNumber(): Promise<number>;
  /** Whether the others can see it now; runs begun while they cannot would be taken away. */
  isVisible(): boolean;
  /**
   * Takes the next batch that is due, which becomes RUNNING. No two callers get the same. A batch whose question another,
   * older one works on waits for that.
   * @param worker number of this process
   * @param delayOf seconds that the batches of a model must wait still; they go back to the queue
   * @returns null when nothing is due
   */
  claim(worker: number, delayOf: (modelId: string) => number): Promise<Claim | null>;
  /** Answers that can be copied, by the segmentation that they answer; one that was forced is answered anew. */
  sameAnswers(ids: readonly string[]): Promise<Map<string, SameAnswer>>;
  /** Writes progress. @returns identifiers of the attempts that still run; the others ended or were taken away */
  progress(attempts: readonly Attempt[], progress: SegmentationProgress): Promise<Set<string>>;
  /** Makes attempts FAILED. */
  fail(attempts: readonly Attempt[], failure: Failure): Promise<void>;
  /** Puts attempts back in the queue. */
  release(attempts: readonly Attempt[], release: Release): Promise<Released>;
  /** Puts back the runs of processes that ended without doing so. */
  recover(): Promise<Released>;
  /** Writes why they wait to the segmentations that wait for a model. */
  explainWait(modelId: string, failure: Failure): Promise<void>;
  /** Of several batches those that wait or run. */
  unfinished(batchIds: readonly string[]): Promise<Set<string>>;
  /**
   * Stores mask, features and adjacency and makes the segmentation SUCCEEDED, all or nothing.
   * @param comparedWith segmentations of the scene that `adjacency` was sought in; null when the caller knows of no other
   * @throws {UncomparedAnswersError} when the scene has an answer that is not among `comparedWith`
   * @throws {SegmentationNotRunningError} when it was cancelled, deleted or taken away meanwhile
   * @throws {UnknownFeatureLabelError} when `adjacency` names a feature that is not stored
   */
  storeResult(attempt: Attempt, result: SegmentationResult, comparedWith?: ReadonlySet<string> | null): Promise<void>;
}
