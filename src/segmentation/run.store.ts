import type { PixelMeasures } from '../feature/measures.ts';
import type { EmptyReason, Failure, Segmentation, SegmentationProgress, StoredMask } from './segmentation.ts';
import type { SegmentationResult, SegmentationStore, StoredAdjacencyInput } from './segmentation.store.ts';

/** One attempt at a segmentation. Only the last attempt may write, so a worker presumed dead writes nothing. */
export type Attempt = Pick<Segmentation, 'id' | 'attempts'>;

/** Progress of an attempt. */
export interface ProgressUpdate extends SegmentationProgress {
  /** Whether this attempt finished a window that no earlier attempt had; absent: no. */
  readonly advanced?: boolean;
}

/** A batch taken out of the queue. */
export interface Claim {
  readonly batchId: string;
  /** Owner of the scene and of all that is found on it. */
  readonly workspace: string;
  /** In request order, without those that ended while queued. */
  readonly segmentations: readonly Segmentation[];
  /** W3C `traceparent` of the request that asked; null where it was not traced. */
  readonly traceparent: string | null;
}

/** How a run returns to the queue. */
export interface Release {
  /** Reason; null when nothing went wrong. */
  readonly failure: Failure | null;
  /** Seconds until it is due again. */
  readonly delayS: number;
  /** Whether the attempt counts as stalled; too many stalled attempts in a row make it FAILED. */
  readonly stalled: boolean;
}

/** A stored answer to the same question about the same image, registered as another scene. */
export interface SameAnswer {
  readonly mask: StoredMask;
  readonly emptyReason: EmptyReason | null;
  /** Windows of its run. */
  readonly windows: number;
  /** Measures of its features that come from the mask, by label, as stored. */
  readonly measures: ReadonlyMap<number, PixelMeasures>;
}

/** An answer, and earlier answers of its scene that it is to be compared with. */
export interface Uncompared {
  readonly id: string;
  readonly sceneId: string;
  readonly workspace: string;
  /** Pairs with answers of the scene that have a smaller number are not stored. */
  readonly below: number;
  /** The latest of them, as many as are compared at a time. */
  readonly earlier: readonly { readonly id: string; readonly number: number }[];
}

/** Outcome of attempts that ended early, by segmentation. */
export interface Released {
  readonly queued: readonly string[];
  readonly failed: readonly string[];
}

/** The store of the workers. */
export interface RunStore extends Pick<SegmentationStore, 'list' | 'mask' | 'listen'> {
  /**
   * A number for this process, held by an advisory lock that shows other processes that it lives.
   * @see recover
   */
  takeWorkerNumber(): Promise<number>;
  /** Whether the lock is held now; runs started without it would be taken over by others. */
  isVisible(): boolean;
  /**
   * Takes the next due batch, exclusively, and makes it RUNNING. A batch waits while an older batch works on the same
   * question.
   * @param worker number of this process
   * @param delayOf seconds that batches of a model must still wait; they go back to the queue
   * @returns null when nothing is due
   */
  claim(worker: number, delayOf: (modelId: string) => number): Promise<Claim | null>;
  /** Answers that can be copied, by the segmentation that they answer; a forced segmentation is always inferred. */
  sameAnswers(ids: readonly string[]): Promise<Map<string, SameAnswer>>;
  /** Writes progress. @returns identifiers of attempts still running; the others ended or were taken over */
  progress(attempts: readonly Attempt[], progress: ProgressUpdate): Promise<Set<string>>;
  /** Makes attempts FAILED. */
  fail(attempts: readonly Attempt[], failure: Failure): Promise<void>;
  /** Puts attempts back in the queue. */
  release(attempts: readonly Attempt[], release: Release): Promise<Released>;
  /** Requeues the runs of processes that died; runs that ended their process twice become FAILED. */
  recover(): Promise<Released>;
  /** Stores the reason of the wait with every segmentation queued for a model. */
  explainWait(modelId: string, failure: Failure): Promise<void>;
  /** Those of the batches that are queued or running. */
  unfinished(batchIds: readonly string[]): Promise<Set<string>>;
  /**
   * Stores mask, features and the pairs among them and makes the segmentation SUCCEEDED, all or nothing.
   * @param signal aborted to stop, also in the middle of a statement; nothing is stored then, and its reason is thrown
   * @throws {SegmentationNotRunningError} when it was cancelled, deleted or taken over meanwhile
   * @throws {UnknownFeatureLabelError} when `adjacency` names a feature that is not stored
   */
  storeResult(attempt: Attempt, result: SegmentationResult, signal?: AbortSignal): Promise<void>;
  /**
   * An answer whose pairs with some earlier answers of its scene are not stored, the latest first.
   * @param worker number of this process; different ones prefer different scenes
   * @param without answers to leave out
   * @returns null when all are compared
   */
  nextUncompared(worker: number, without: ReadonlySet<string>): Promise<Uncompared | null>;
  /**
   * Stores the pairs of an answer with the `earlier` answers, all or nothing.
   * @param adjacency pairs that meet in the masks
   * @param nearM largest geodesic gap that makes two features NEAR, metres
   * @returns false when another process stored them, or the scene is deleted
   * @throws {UnknownFeatureLabelError} when `adjacency` names a feature that is not stored
   */
  storeComparison(
    uncompared: Uncompared,
    adjacency: readonly StoredAdjacencyInput[],
    nearM: number,
    signal?: AbortSignal,
  ): Promise<boolean>;
}
