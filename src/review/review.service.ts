import { AppError } from '../errors.ts';
import type { Review, ReviewStore, Verdict } from './review.ts';

/** A review cannot be stored as asked. */
export class InvalidReviewError extends AppError {
  readonly code = 'REVIEW_INVALID';
}

/** Someone else reviewed a feature in the meantime. */
export class ReviewChangedError extends AppError {
  readonly code = 'REVIEW_CHANGED';
  constructor(featureId: string, { by, status, at }: Review) {
    const verdict = { ACCEPTED: 'accepted', REJECTED: 'rejected', UNREVIEWED: 'cleared' }[status];
    super(`${by} ${verdict} feature ${featureId} in the meantime, at ${at.toISOString()}.`);
  }
}

/** A feature that is to be reviewed does not exist. */
export class ReviewedFeatureNotFoundError extends AppError {
  readonly code = 'FEATURE_NOT_FOUND';
  constructor(id: string) {
    super(`Feature ${id} does not exist.`);
  }
}

const MAX_FEATURES = 1000;
const MAX_LABEL = 200;
const MAX_NOTE = 2000;

/** What people say of features. */
export class ReviewService {
  constructor(
    private readonly store: ReviewStore,
    /** Who reviews. */
    private readonly reviewer: string,
  ) {}

  current(featureIds: readonly string[]): Promise<Map<string, Review>> {
    return this.store.current(featureIds);
  }

  history(featureIds: readonly string[]): Promise<Map<string, readonly Review[]>> {
    return this.store.history(featureIds);
  }

  /**
   * Stores one verdict on each of several features, all or nothing.
   * @param unchangedSince refuses features that were reviewed after it; null never does
   * @throws {InvalidReviewError} {@link ReviewedFeatureNotFoundError} {@link ReviewChangedError}
   */
  async put(featureIds: readonly string[], verdict: Omit<Verdict, 'by'>, unchangedSince: Date | null): Promise<void> {
    const ids = [...new Set(featureIds)];
    if (ids.length === 0 || ids.length > MAX_FEATURES) {
      throw new InvalidReviewError(`ids has ${ids.length} features; it must have 1 to ${MAX_FEATURES}.`);
    }
    const label = checkedText('label', verdict.label, MAX_LABEL);
    const note = checkedText('note', verdict.note, MAX_NOTE);
    await this.store.put(ids, { status: verdict.status, label, note, by: this.reviewer }, unchangedSince);
  }
}

function checkedText(name: string, text: string | null, most: number): string | null {
  const trimmed = text?.trim() ?? '';
  if (trimmed.length > most)
    throw new InvalidReviewError(`${name} has ${trimmed.length} characters; the limit is ${most}.`, {
      details: { argument: name, value: trimmed.length, limit: most },
    });
  return trimmed === '' ? null : trimmed;
}
