import { both } from '../filter.ts';
import type { FeatureFilter, FeatureOrder } from '../generated/graphql.ts';

/** Features that nobody has reviewed, least certain first. */
export const toReview = (filter: FeatureFilter): FeatureFilter => both(filter, { review: ['UNREVIEWED'] });
export const LEAST_CERTAIN: FeatureOrder = { by: 'PROBABILITY', direction: 'ASC' };

/**
 * The one to look at next.
 * @param ids in the order of the queue
 * @returns null at the end
 */
export function neighbourInQueue(ids: readonly string[], current: string | null, step: 1 | -1): string | null {
  const index = current === null ? -1 : ids.indexOf(current);
  if (index < 0) return ids[step === 1 ? 0 : ids.length - 1] ?? null;
  return ids[index + step] ?? null;
}
