import { z } from 'zod';
import { MEASURES } from '../feature/measures.ts';
import { MEASURE_SHAPE } from '../feature/measures.schema.ts';
import type { Service } from './application/ask.ts';

const PAGE = 500;

const MEASURE_NAMES = MEASURES.map(({ name }) => name).join(' ');
const FEATURES = `query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $first: Int!, $after: String) {
  features(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id centroid ${MEASURE_NAMES} segmentation { prompt } neighbours(first: 1) { totalCount } }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A stored feature as a line of a table has it; positions and measures as the API gives them. */
export const FeatureRow = z.object({
  id: z.string(),
  centroid: z.object({ type: z.literal('Point'), coordinates: z.array(z.number()).min(2) }),
  ...MEASURE_SHAPE,
  segmentation: z.object({ prompt: z.string() }),
  neighbours: z.object({ totalCount: z.number() }),
});
export type FeatureRow = z.infer<typeof FeatureRow>;

const Page = z.object({
  features: z.object({
    nodes: z.array(FeatureRow),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});

/** Which features to read, in which order. */
export interface FeatureQuery {
  /** `FeatureFilter` of the API. */
  readonly filter: Readonly<Record<string, unknown>>;
  readonly orderBy: { readonly by: string; readonly direction: string };
}

/**
 * The features that match, page by page as they are asked for.
 * @param limit most features to read
 */
export async function* featureRows(
  service: Service,
  { filter, orderBy }: FeatureQuery,
  limit: number,
): AsyncGenerator<FeatureRow> {
  let after: string | null = null;
  for (let left = limit; left > 0; left -= PAGE) {
    const variables: Record<string, unknown> = { filter, orderBy, first: Math.min(PAGE, left), after };
    const { features } = await service.ask(Page, FEATURES, variables);
    yield* features.nodes;
    if (!features.pageInfo.hasNextPage) return;
    after = features.pageInfo.endCursor;
  }
}
