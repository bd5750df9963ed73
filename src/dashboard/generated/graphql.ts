/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How two features are related. */
export type AdjacencyRelation =
  /** Separated by a gap up to the limit that the service stores. */
  | 'NEAR'
  /** Pixel edges or corners meet. */
  | 'TOUCHES';

/** A range of instants, both ends included. */
export type DateTimeRange = {
  /** Earliest instant; unbounded unless given. */
  from?: string | null | undefined;
  /** Latest instant; unbounded unless given. */
  to?: string | null | undefined;
};

/** Why a finished segmentation found nothing. */
export type EmptyReason =
  /** Every feature was smaller than `minAreaM2`. */
  | 'ALL_BELOW_MIN_AREA'
  /** No pixel reached the threshold. */
  | 'NO_PIXEL_ABOVE_THRESHOLD'
  /** The scene has no valid pixels there. */
  | 'NO_VALID_PIXELS'
  /** Pixels reached the threshold only outside the area of interest. */
  | 'OUTSIDE_AREA_OF_INTEREST';

/** Conditions on features; all of them must hold. Geometry: RFC 7946, WGS 84. */
export type FeatureFilter = {
  /** When the scene was taken; scenes without a date never match. */
  acquired?: DateTimeRange | null | undefined;
  /** Conditions on a neighbour, in any scene, that the feature must have. */
  adjacentTo?: FeatureFilter | null | undefined;
  /** Largest geodesic gap to the neighbour of `adjacentTo`, metres; the limit up to which the service stores neighbours unless given. */
  adjacentWithinM?: number | null | undefined;
  /** Conditions that must all hold. */
  and?: Array<FeatureFilter> | null | undefined;
  /** Area on the WGS 84 ellipsoid, square metres. */
  areaM2?: FloatRange | null | undefined;
  /** [west, south, east, north] that the feature intersects; west > east crosses the antimeridian. */
  bbox?: Array<number> | null | undefined;
  /** 4π · area / perimeter²: 1 for a disc, less for any other outline. */
  compactness?: FloatRange | null | undefined;
  /** Geometry that the feature contains. */
  contains?: import('geojson').Geometry | null | undefined;
  /** When the feature was stored. */
  created?: DateTimeRange | null | undefined;
  /** Geometry that the feature crosses. */
  crosses?: import('geojson').Geometry | null | undefined;
  /** Geometry that the feature has nothing in common with. */
  disjoint?: import('geojson').Geometry | null | undefined;
  /** 1 − short side / long side of the minimum rotated rectangle: 0 for a square, near 1 for a long strip. */
  elongation?: FloatRange | null | undefined;
  /** Any of these features, at most 1,000. */
  ids?: Array<string | number> | null | undefined;
  /** Geometry that the feature intersects. */
  intersects?: import('geojson').Geometry | null | undefined;
  /** Label of the newest review, to the letter. */
  label?: string | null | undefined;
  /** Largest probability of a pixel, 0 to 1; null for features stored before it was measured. */
  maxProbability?: FloatRange | null | undefined;
  /** Mean probability of the pixels, 0 to 1. */
  meanProbability?: FloatRange | null | undefined;
  /** Model as `name/version`. */
  modelId?: string | number | null | undefined;
  /** Geometry within a distance of the feature. */
  near?: NearInput | null | undefined;
  /** Number of stored neighbours, which lie in the same scene; `neighbours` also has those in other scenes. */
  neighbourCount?: FloatRange | null | undefined;
  /** Conditions that must not all hold. */
  not?: FeatureFilter | null | undefined;
  /** Conditions of which one must hold. */
  or?: Array<FeatureFilter> | null | undefined;
  /** Geometry that the feature overlaps, neither containing the other. */
  overlaps?: import('geojson').Geometry | null | undefined;
  /** Geodesic length of the exterior and of the holes along pixel edges, metres. */
  perimeterM?: FloatRange | null | undefined;
  /** The whole prompt, to the letter. */
  prompt?: string | null | undefined;
  /** Words of the prompt in any inflection and order, parts of words and close misspellings; or web search syntax: "a phrase", -without, one or other. */
  promptContains?: string | null | undefined;
  /** Status of the newest review; features that nobody reviewed are UNREVIEWED. */
  review?: Array<ReviewStatus> | null | undefined;
  /** Scene in which the feature was found. */
  sceneId?: string | number | null | undefined;
  /** Any of these scenes, at most 1,000. */
  sceneIds?: Array<string | number> | null | undefined;
  /** Segmentation that found the feature. */
  segmentationId?: string | number | null | undefined;
  /** Geometry whose boundary the feature touches without common interior. */
  touches?: import('geojson').Geometry | null | undefined;
  /** Geometry that the feature lies within. */
  within?: import('geojson').Geometry | null | undefined;
};

/** Order of a list of features. */
export type FeatureOrder = {
  /** What to order by. */
  by: FeatureSortKey;
  /** Direction of the order. */
  direction?: SortDirection;
};

/** What features are ordered by; features without the value come last in either direction. */
export type FeatureSortKey =
  /** Area on the WGS 84 ellipsoid, square metres. */
  | 'AREA'
  /** 4π · area / perimeter²: 1 for a disc, less for any other outline. */
  | 'COMPACTNESS'
  /** When the feature was stored. */
  | 'CREATED'
  /** Distance to the geometry of the `near` filter. */
  | 'DISTANCE'
  /** 1 − short side / long side of the minimum rotated rectangle: 0 for a square, near 1 for a long strip. */
  | 'ELONGATION'
  /** Largest probability of a pixel, 0 to 1; null for features stored before it was measured. */
  | 'MAX_PROBABILITY'
  /** Number of stored neighbours, which lie in the same scene. */
  | 'NEIGHBOURS'
  /** Geodesic length of the exterior and of the holes along pixel edges, metres. */
  | 'PERIMETER'
  /** Mean probability of the pixels, 0 to 1. */
  | 'PROBABILITY';

/** A range of numbers, both ends included. */
export type FloatRange = {
  /** Greatest value; unbounded unless given. */
  max?: number | null | undefined;
  /** Least value; unbounded unless given. */
  min?: number | null | undefined;
};

/** A geometry and a distance from it. */
export type NearInput = {
  /** RFC 7946 geometry, WGS 84. */
  geometry: import('geojson').Geometry;
  /** Largest geodesic distance, metres. */
  withinM: number;
};

/** An image to register: exactly one of `path`, `url` and `uploadId`. */
export type RegisterSceneInput = {
  /** When the image was taken; read from the file unless given. */
  acquiredAt?: string | null | undefined;
  /** Band numbers, from 1, to show the model as red, green and blue. */
  bands?: Array<number> | null | undefined;
  /** Corners of an image without georeference: [west, south, east, north], WGS 84 degrees. */
  bounds?: Array<number> | null | undefined;
  /** Name of the scene; the file name unless given. */
  name?: string | null | undefined;
  /** Path of a file on the server, inside one of its scene roots. */
  path?: string | null | undefined;
  /** Identifier of a finished upload. */
  uploadId?: string | number | null | undefined;
  /** Address of a file: `https://…` or `s3://bucket/key`. */
  url?: string | null | undefined;
};

/** Verdict of a person on a feature. */
export type ReviewStatus =
  /** The feature is what was asked for. */
  | 'ACCEPTED'
  /** The feature is not what was asked for. */
  | 'REJECTED'
  /** Nobody said anything, or a verdict was taken back. */
  | 'UNREVIEWED';

/** Questions about one scene, one segmentation per prompt. */
export type SegmentInput = {
  /** Polygon or MultiPolygon; pixels outside it are not part of the question. */
  areaOfInterest?: import('geojson').Geometry | null | undefined;
  /** Asks again even if the same work is stored or in progress, which is returned otherwise. */
  force?: boolean | null | undefined;
  /** Ground sample distance to show the model, metres. */
  gsdM?: number | null | undefined;
  /** For 24 hours, a second call with the same key and arguments returns what the first returned; with other arguments it is refused. */
  idempotencyKey?: string | null | undefined;
  /** Smaller features are dropped, square metres. */
  minAreaM2?: number | null | undefined;
  /** Model as `name` or `name/version`; the default model unless given. */
  modelId?: string | number | null | undefined;
  /** Questions in plain words. */
  prompts: Array<string>;
  /** Scale at which the model sees the scene. */
  scale?: SegmentationScale | null | undefined;
  /** Scene to ask about. */
  sceneId: string | number;
  /** How the prompts are to be understood. */
  task?: SegmentationTask | null | undefined;
  /** Probability from which a pixel belongs to the mask, 0 to 1. */
  threshold?: number | null | undefined;
  /** Seconds to wait for the answer before returning, at most 600. */
  waitS?: number | null | undefined;
};

/** At which scale the model sees the scene. */
export type SegmentationScale =
  /** WHOLE where the model knows the resulting resolution, otherwise WINDOWS. */
  | 'AUTO'
  /** The whole scene, letterboxed into one window, as in the paper. */
  | 'WHOLE'
  /** Overlapping windows at `gsdM`, or at the native resolution unless given. */
  | 'WINDOWS';

/** State of a segmentation. */
export type SegmentationState =
  /** Cancelled by a client. */
  | 'CANCELLED'
  /** Gave up after the last attempt; `failure` has the reason. */
  | 'FAILED'
  /** Waits for a worker. */
  | 'QUEUED'
  /** A worker is working on it. */
  | 'RUNNING'
  /** Finished; mask and features are stored, also when nothing was found. */
  | 'SUCCEEDED';

/** How a prompt is to be understood. */
export type SegmentationTask =
  /** What to find has to be inferred from the prompt. */
  | 'REASONING'
  /** The prompt names what to find. */
  | 'REFERRING';

/** Direction of an order. */
export type SortDirection =
  /** Smallest first. */
  | 'ASC'
  /** Largest first. */
  | 'DESC';

/** A view as a person saves it. */
export type ViewInput = {
  /** Which features it shows. */
  filter: FeatureFilter;
  /** Name, at most 200 characters. */
  name: string;
  /** Their order; largest first unless given. */
  orderBy?: FeatureOrder | null | undefined;
  /** Name in addresses: lower-case letters, digits and hyphens; made of the name unless given. */
  slug?: string | null | undefined;
  /** How clients draw it, at most 64 KiB of JSON. */
  style?: unknown;
};

export type ScenesQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ScenesQuery = { scenes: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, name: string, widthPx: number, heightPx: number, crs: string | null, gsdM: number | null, areaM2: number | null, acquiredAt: string | null, footprint: import('geojson').Geometry | null }> } };

export type RunFieldsFragment = { id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null };

export type RunsQueryVariables = Exact<{ [key: string]: never; }>;


export type RunsQuery = { segmentations: { totalCount: number, nodes: Array<{ id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null }> } };

export type RunQueryVariables = Exact<{
  id: string | number;
}>;


export type RunQuery = { segmentation: { id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null } | null };

export type RunProgressSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type RunProgressSubscription = { segmentationProgress: { id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null } };

export type AskMutationVariables = Exact<{
  input: SegmentInput;
}>;


export type AskMutation = { segment: Array<{ id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null }> };

export type CancelMutationVariables = Exact<{
  id: string | number;
}>;


export type CancelMutation = { cancelSegmentation: { id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null } };

export type RetryMutationVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type RetryMutation = { retrySegmentations: Array<{ id: string, prompt: string, state: SegmentationState, targetFound: boolean | null, emptyReason: EmptyReason | null, featureCount: number, areaM2: number | null, threshold: number, createdAt: string, progress: { phase: string, windowsDone: number, windowsTotal: number, fraction: number, etaS: number | null }, failure: { code: string, message: string } | null, scene: { id: string, name: string }, mask: { overlayUrl: string } | null }> };

export type CreateUploadMutationVariables = Exact<{
  filename: string;
  sizeBytes: number;
}>;


export type CreateUploadMutation = { createUpload: { id: string, url: string, maxBytes: number } };

export type RegisterUploadMutationVariables = Exact<{
  input: RegisterSceneInput;
}>;


export type RegisterUploadMutation = { registerScene: { id: string, name: string, footprint: import('geojson').Geometry | null } };

export type FeatureRowFragment = { id: string, bbox: Array<number>, areaM2: number | null, perimeterM: number | null, compactness: number | null, elongation: number | null, meanProbability: number, maxProbability: number | null, segmentation: { id: string, prompt: string }, scene: { id: string, name: string, acquiredAt: string | null }, review: { status: ReviewStatus, label: string | null, note: string | null, by: string, at: string } | null };

export type FeaturesQueryVariables = Exact<{
  filter?: FeatureFilter | null | undefined;
  orderBy?: FeatureOrder | null | undefined;
  after?: string | null | undefined;
}>;


export type FeaturesQuery = { features: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, bbox: Array<number>, areaM2: number | null, perimeterM: number | null, compactness: number | null, elongation: number | null, meanProbability: number, maxProbability: number | null, segmentation: { id: string, prompt: string }, scene: { id: string, name: string, acquiredAt: string | null }, review: { status: ReviewStatus, label: string | null, note: string | null, by: string, at: string } | null }> } };

export type FeatureQueryVariables = Exact<{
  id: string | number;
}>;


export type FeatureQuery = { feature: { pixelCount: number, bearingDeg: number | null, centroid: import('geojson').Geometry, geometry: import('geojson').Geometry, id: string, bbox: Array<number>, areaM2: number | null, perimeterM: number | null, compactness: number | null, elongation: number | null, meanProbability: number, maxProbability: number | null, reviews: Array<{ status: ReviewStatus, label: string | null, note: string | null, by: string, at: string }>, neighbours: { totalCount: number, edges: Array<{ relation: AdjacencyRelation, sharedBorderM: number | null, gapM: number | null, bearingDeg: number | null, node: { id: string, areaM2: number | null, centroid: import('geojson').Geometry, geometry: import('geojson').Geometry, segmentation: { prompt: string } } }> }, segmentation: { id: string, prompt: string }, scene: { id: string, name: string, acquiredAt: string | null }, review: { status: ReviewStatus, label: string | null, note: string | null, by: string, at: string } | null } | null };

export type SummaryQueryVariables = Exact<{
  filter?: FeatureFilter | null | undefined;
}>;


export type SummaryQuery = { all: Array<{ featureCount: number, areaM2: number | null, unionAreaM2: number | null, extent: import('geojson').Geometry | null }> };

export type PromptsQueryVariables = Exact<{
  filter?: FeatureFilter | null | undefined;
}>;


export type PromptsQuery = { byPrompt: Array<{ key: Array<string>, featureCount: number, areaM2: number | null, meanProbability: number | null }> };

export type ChartsQueryVariables = Exact<{
  filter?: FeatureFilter | null | undefined;
  d0?: FeatureFilter | null | undefined;
  d1?: FeatureFilter | null | undefined;
  d2?: FeatureFilter | null | undefined;
  d3?: FeatureFilter | null | undefined;
  d4?: FeatureFilter | null | undefined;
  d5?: FeatureFilter | null | undefined;
  d6?: FeatureFilter | null | undefined;
}>;


export type ChartsQuery = { byDay: Array<{ key: Array<string>, featureCount: number, areaM2: number | null }>, d0: Array<{ featureCount: number }>, d1: Array<{ featureCount: number }>, d2: Array<{ featureCount: number }>, d3: Array<{ featureCount: number }>, d4: Array<{ featureCount: number }>, d5: Array<{ featureCount: number }>, d6: Array<{ featureCount: number }> };

export type ChangeQueryVariables = Exact<{
  from: string | number;
  to: string | number;
}>;


export type ChangeQuery = { change: { appearedAreaM2: number, vanishedAreaM2: number, persistedAreaM2: number, appeared: Array<{ id: string, geometry: import('geojson').Geometry }>, vanished: Array<{ id: string, geometry: import('geojson').Geometry }>, pairs: Array<{ to: { id: string, geometry: import('geojson').Geometry } }> } };

export type ReviewMutationVariables = Exact<{
  ids: Array<string | number> | string | number;
  status: ReviewStatus;
  label?: string | null | undefined;
  note?: string | null | undefined;
  unchangedSince?: string | null | undefined;
}>;


export type ReviewMutation = { reviewFeatures: Array<{ id: string, bbox: Array<number>, areaM2: number | null, perimeterM: number | null, compactness: number | null, elongation: number | null, meanProbability: number, maxProbability: number | null, segmentation: { id: string, prompt: string }, scene: { id: string, name: string, acquiredAt: string | null }, review: { status: ReviewStatus, label: string | null, note: string | null, by: string, at: string } | null }> };

export type ViewsQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewsQuery = { views: Array<{ id: string, slug: string, name: string, filter: unknown, style: unknown, tilesUrl: string, orderBy: { by: FeatureSortKey, direction: SortDirection } | null }> | null };

export type CreateViewMutationVariables = Exact<{
  input: ViewInput;
}>;


export type CreateViewMutation = { createView: { id: string, slug: string, name: string, tilesUrl: string, geojson: string } | null };

export type DeleteViewMutationVariables = Exact<{
  id: string | number;
}>;


export type DeleteViewMutation = { deleteView: string | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const RunFieldsFragmentDoc = new TypedDocumentString(`
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}
    `, {"fragmentName":"RunFields"}) as unknown as TypedDocumentString<RunFieldsFragment, unknown>;
export const FeatureRowFragmentDoc = new TypedDocumentString(`
    fragment FeatureRow on Feature {
  id
  bbox
  areaM2
  perimeterM
  compactness
  elongation
  meanProbability
  maxProbability
  segmentation {
    id
    prompt
  }
  scene {
    id
    name
    acquiredAt
  }
  review {
    status
    label
    note
    by
    at
  }
}
    `, {"fragmentName":"FeatureRow"}) as unknown as TypedDocumentString<FeatureRowFragment, unknown>;
export const ScenesDocument = new TypedDocumentString(`
    query Scenes($after: String) {
  scenes(first: 200, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      name
      widthPx
      heightPx
      crs
      gsdM
      areaM2
      acquiredAt
      footprint
    }
  }
}
    `) as unknown as TypedDocumentString<ScenesQuery, ScenesQueryVariables>;
export const RunsDocument = new TypedDocumentString(`
    query Runs {
  segmentations(first: 30) {
    totalCount
    nodes {
      ...RunFields
    }
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<RunsQuery, RunsQueryVariables>;
export const RunDocument = new TypedDocumentString(`
    query Run($id: ID!) {
  segmentation(id: $id) {
    ...RunFields
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<RunQuery, RunQueryVariables>;
export const RunProgressDocument = new TypedDocumentString(`
    subscription RunProgress($id: ID!) {
  segmentationProgress(id: $id) {
    ...RunFields
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<RunProgressSubscription, RunProgressSubscriptionVariables>;
export const AskDocument = new TypedDocumentString(`
    mutation Ask($input: SegmentInput!) {
  segment(input: $input) {
    ...RunFields
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<AskMutation, AskMutationVariables>;
export const CancelDocument = new TypedDocumentString(`
    mutation Cancel($id: ID!) {
  cancelSegmentation(id: $id) {
    ...RunFields
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<CancelMutation, CancelMutationVariables>;
export const RetryDocument = new TypedDocumentString(`
    mutation Retry($ids: [ID!]!) {
  retrySegmentations(ids: $ids) {
    ...RunFields
  }
}
    fragment RunFields on Segmentation {
  id
  prompt
  state
  targetFound
  emptyReason
  featureCount
  areaM2
  threshold
  createdAt
  progress {
    phase
    windowsDone
    windowsTotal
    fraction
    etaS
  }
  failure {
    code
    message
  }
  scene {
    id
    name
  }
  mask {
    overlayUrl
  }
}`) as unknown as TypedDocumentString<RetryMutation, RetryMutationVariables>;
export const CreateUploadDocument = new TypedDocumentString(`
    mutation CreateUpload($filename: String!, $sizeBytes: Float!) {
  createUpload(filename: $filename, sizeBytes: $sizeBytes) {
    id
    url
    maxBytes
  }
}
    `) as unknown as TypedDocumentString<CreateUploadMutation, CreateUploadMutationVariables>;
export const RegisterUploadDocument = new TypedDocumentString(`
    mutation RegisterUpload($input: RegisterSceneInput!) {
  registerScene(input: $input) {
    id
    name
    footprint
  }
}
    `) as unknown as TypedDocumentString<RegisterUploadMutation, RegisterUploadMutationVariables>;
export const FeaturesDocument = new TypedDocumentString(`
    query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $after: String) {
  features(filter: $filter, orderBy: $orderBy, first: 100, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      ...FeatureRow
    }
  }
}
    fragment FeatureRow on Feature {
  id
  bbox
  areaM2
  perimeterM
  compactness
  elongation
  meanProbability
  maxProbability
  segmentation {
    id
    prompt
  }
  scene {
    id
    name
    acquiredAt
  }
  review {
    status
    label
    note
    by
    at
  }
}`) as unknown as TypedDocumentString<FeaturesQuery, FeaturesQueryVariables>;
export const FeatureDocument = new TypedDocumentString(`
    query Feature($id: ID!) {
  feature(id: $id) {
    ...FeatureRow
    pixelCount
    bearingDeg
    centroid
    geometry(precision: 7)
    reviews {
      status
      label
      note
      by
      at
    }
    neighbours(first: 20) {
      totalCount
      edges {
        relation
        sharedBorderM
        gapM
        bearingDeg
        node {
          id
          areaM2
          centroid
          geometry(precision: 7)
          segmentation {
            prompt
          }
        }
      }
    }
  }
}
    fragment FeatureRow on Feature {
  id
  bbox
  areaM2
  perimeterM
  compactness
  elongation
  meanProbability
  maxProbability
  segmentation {
    id
    prompt
  }
  scene {
    id
    name
    acquiredAt
  }
  review {
    status
    label
    note
    by
    at
  }
}`) as unknown as TypedDocumentString<FeatureQuery, FeatureQueryVariables>;
export const SummaryDocument = new TypedDocumentString(`
    query Summary($filter: FeatureFilter) {
  all: featureStatistics(filter: $filter) {
    featureCount
    areaM2
    unionAreaM2
    extent
  }
}
    `) as unknown as TypedDocumentString<SummaryQuery, SummaryQueryVariables>;
export const PromptsDocument = new TypedDocumentString(`
    query Prompts($filter: FeatureFilter) {
  byPrompt: featureStatistics(filter: $filter, groupBy: [PROMPT]) {
    key
    featureCount
    areaM2
    meanProbability
  }
}
    `) as unknown as TypedDocumentString<PromptsQuery, PromptsQueryVariables>;
export const ChartsDocument = new TypedDocumentString(`
    query Charts($filter: FeatureFilter, $d0: FeatureFilter, $d1: FeatureFilter, $d2: FeatureFilter, $d3: FeatureFilter, $d4: FeatureFilter, $d5: FeatureFilter, $d6: FeatureFilter) {
  byDay: featureStatistics(filter: $filter, groupBy: [ACQUIRED_DAY]) {
    key
    featureCount
    areaM2
  }
  d0: featureStatistics(filter: $d0) {
    featureCount
  }
  d1: featureStatistics(filter: $d1) {
    featureCount
  }
  d2: featureStatistics(filter: $d2) {
    featureCount
  }
  d3: featureStatistics(filter: $d3) {
    featureCount
  }
  d4: featureStatistics(filter: $d4) {
    featureCount
  }
  d5: featureStatistics(filter: $d5) {
    featureCount
  }
  d6: featureStatistics(filter: $d6) {
    featureCount
  }
}
    `) as unknown as TypedDocumentString<ChartsQuery, ChartsQueryVariables>;
export const ChangeDocument = new TypedDocumentString(`
    query Change($from: ID!, $to: ID!) {
  change(fromSegmentationId: $from, toSegmentationId: $to) {
    appearedAreaM2
    vanishedAreaM2
    persistedAreaM2
    appeared {
      id
      geometry
    }
    vanished {
      id
      geometry
    }
    pairs {
      to {
        id
        geometry
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ChangeQuery, ChangeQueryVariables>;
export const ReviewDocument = new TypedDocumentString(`
    mutation Review($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $unchangedSince: DateTime) {
  reviewFeatures(
    ids: $ids
    status: $status
    label: $label
    note: $note
    unchangedSince: $unchangedSince
  ) {
    ...FeatureRow
  }
}
    fragment FeatureRow on Feature {
  id
  bbox
  areaM2
  perimeterM
  compactness
  elongation
  meanProbability
  maxProbability
  segmentation {
    id
    prompt
  }
  scene {
    id
    name
    acquiredAt
  }
  review {
    status
    label
    note
    by
    at
  }
}`) as unknown as TypedDocumentString<ReviewMutation, ReviewMutationVariables>;
export const ViewsDocument = new TypedDocumentString(`
    query Views {
  views {
    id
    slug
    name
    filter
    orderBy {
      by
      direction
    }
    style
    tilesUrl
  }
}
    `) as unknown as TypedDocumentString<ViewsQuery, ViewsQueryVariables>;
export const CreateViewDocument = new TypedDocumentString(`
    mutation CreateView($input: ViewInput!) {
  createView(input: $input) {
    id
    slug
    name
    tilesUrl
    geojson: exportUrl(format: GEOJSON)
  }
}
    `) as unknown as TypedDocumentString<CreateViewMutation, CreateViewMutationVariables>;
export const DeleteViewDocument = new TypedDocumentString(`
    mutation DeleteView($id: ID!) {
  deleteView(id: $id)
}
    `) as unknown as TypedDocumentString<DeleteViewMutation, DeleteViewMutationVariables>;