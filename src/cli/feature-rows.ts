import { z } from 'zod';
import type { Service } from './ask.ts';

const PAGE = 500;

const FEATURES = `query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $first: Int!, $after: String, $precision: Int!) {
  features(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes {
      id geometry(precision: $precision) centroid bbox areaM2 perimeterM pixelCount meanProbability compactness bearingDeg distanceM
      segmentation { id prompt } scene { id name } neighbours(first: 1) { totalCount }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

const Position = z.array(z.number()).min(2);
const Geometry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Polygon'), coordinates: z.array(z.array(Position)) }),
  z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(z.array(Position))) }),
]);

/** A stored feature as the commands print it; positions and measures as the API gives them. */
export const FeatureRow = z.object({
  id: z.string(),
  geometry: Geometry,
  centroid: z.object({ type: z.literal('Point'), coordinates: Position }),
  bbox: z.array(z.number()),
  areaM2: z.number().nullable(),
  perimeterM: z.number().nullable(),
  pixelCount: z.number(),
  meanProbability: z.number(),
  compactness: z.number().nullable(),
  bearingDeg: z.number().nullable(),
  distanceM: z.number().nullable(),
  segmentation: z.object({ id: z.string(), prompt: z.string() }),
  scene: z.object({ id: z.string(), name: z.string() }),
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
  /** Most features to read; undefined: all. */
  readonly limit: number | undefined;
  /** Decimal places of coordinates. */
  readonly precision: number;
}

/** The features that match, page by page as they are asked for. */
export async function* featureRows(
  service: Service,
  { filter, orderBy, limit = Number.POSITIVE_INFINITY, precision }: FeatureQuery,
): AsyncGenerator<FeatureRow> {
  let after: string | null = null;
  for (let left = limit; left > 0; left -= PAGE) {
    const variables: Record<string, unknown> = { filter, orderBy, first: Math.min(PAGE, left), after, precision };
    const { features } = await service.ask(Page, FEATURES, variables);
    yield* features.nodes;
    if (!features.pageInfo.hasNextPage) return;
    after = features.pageInfo.endCursor;
  }
}
