import type { Colouring } from '../address.ts';
import type { FeatureFilter } from '../generated/graphql.ts';

/** What the map shows, from which its style follows. */
export interface MapState {
  readonly filter: FeatureFilter;
  /** Rises whenever what is stored may have changed, so that tiles are asked for again. */
  readonly revision: number;
  readonly prompts: readonly string[];
  readonly hidden: readonly string[];
  readonly colouring: Colouring;
  readonly opacity: number;
  readonly dark: boolean;
  /** Whether two answers are compared, so that what changed is drawn instead of the features. */
  readonly isComparing: boolean;
  /** Whether the images lie below the map, one for each side of a divider. */
  readonly isSwiping: boolean;
}

export const FEATURES = 'features';
export const IMAGERY = 'imagery';
export const FOOTPRINTS = 'footprints';
/** Layers that answer a click. */
export const CLICKABLE = ['feature-fill'] as const;
