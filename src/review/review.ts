import type { ReviewStatus } from '../feature/feature.filter.ts';

/** What a person said of a feature. */
export interface Review {
  readonly status: ReviewStatus;
  /** What it is, in the person's words. */
  readonly label: string | null;
  readonly note: string | null;
  /** Subject of the viewer. */
  readonly by: string;
  readonly at: Date;
}

/** A verdict on several features at once. */
export interface Verdict {
  readonly status: ReviewStatus;
  readonly label: string | null;
  readonly note: string | null;
  readonly by: string;
}

/** Where reviews are kept; the port that the database implements. */
export interface ReviewStore {
  /** The newest review by feature; features without one are left out. */
  current(featureIds: readonly string[]): Promise<Map<string, Review>>;
  /** All reviews by feature, newest first. */
  history(featureIds: readonly string[]): Promise<Map<string, readonly Review[]>>;
  /**
   * Stores a verdict on each feature, all or nothing.
   * @param unchangedSince refuses features that were reviewed after it; null never does
   * @throws {FeatureNotFoundError} {@link ReviewChangedError}
   */
  put(featureIds: readonly string[], verdict: Verdict, unchangedSince: Date | null): Promise<void>;
}
