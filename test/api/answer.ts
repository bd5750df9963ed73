import type { FeatureCollection, Point, Polygon } from 'geojson';

/** Members of a list, as many as the test knows to be there. */
export type Answered<T> = readonly [T, T, ...T[]];

/** A list of an answer. */
export interface AnsweredList<Node> {
  readonly totalCount: number;
  readonly nodes: Answered<Node>;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export interface AnsweredScene {
  readonly id: string;
  readonly tilesUrl: string;
  readonly name: string;
  readonly crs: string | null;
  readonly footprint: { readonly type: string; readonly coordinates: Answered<Answered<Answered<number>>> };
  readonly segmentations: AnsweredList<AnsweredSegmentation>;
}

export interface AnsweredSegmentation {
  readonly compared: boolean;
  readonly id: string;
  readonly prompt: string;
  readonly state: string;
  readonly emptyReason: string | null;
  readonly featureCount: number;
  readonly areaM2: number;
  readonly progress: { readonly windowsTotal: number };
  readonly mask: {
    readonly pixelCount: number;
    readonly counts: readonly number[];
    readonly pngUrl: string;
    readonly tilesUrl: string;
  };
  readonly tilesUrl: string;
  readonly scene: AnsweredScene;
  readonly features: AnsweredList<AnsweredFeature>;
}

export interface AnsweredFeature {
  readonly id: string;
  readonly meanProbability: number;
  readonly areaM2: number;
  readonly perimeterM: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly review: AnsweredReview;
  readonly reviews: readonly AnsweredReview[];
  readonly distanceM: number;
  readonly pixelCount: number;
  readonly bbox: readonly number[];
  readonly geometry: Polygon;
  readonly centroid: Point;
  readonly scene: AnsweredScene;
  readonly segmentation: AnsweredSegmentation;
  readonly neighbours: { readonly totalCount: number; readonly edges: Answered<AnsweredNeighbour> };
}

export interface AnsweredReview {
  readonly status: string;
  readonly label: string | null;
  readonly note: string | null;
  readonly by: string;
  readonly at: string;
}

export interface AnsweredView {
  readonly id: string;
  readonly slug: string;
  readonly filter: object;
  readonly features: AnsweredList<AnsweredFeature>;
}

export interface AnsweredNeighbour {
  readonly relation: string;
  readonly sharedBorderM: number;
  readonly gapM: number;
  readonly node: AnsweredFeature;
}

export interface AnsweredChange {
  readonly appeared: Answered<AnsweredFeature>;
  readonly vanished: Answered<AnsweredFeature>;
  readonly pairs: Answered<{
    readonly from: AnsweredFeature;
    readonly to: AnsweredFeature;
    readonly iou: number;
    readonly areaChangeM2: number;
  }>;
  readonly appearedAreaM2: number;
  readonly vanishedAreaM2: number;
  readonly persistedAreaM2: number;
}

export interface AnsweredGraph {
  readonly nodeCount: number;
  readonly nodes: readonly AnsweredFeature[];
  readonly edges: readonly { readonly from: AnsweredFeature; readonly to: AnsweredFeature }[];
}

export interface AnsweredJob {
  readonly id: string;
  readonly scenes: number;
  readonly segmentations: AnsweredList<AnsweredSegmentation>;
}

export interface AnsweredEstimate {
  readonly scenes: number;
  readonly windows: number;
  readonly areaKm2: number | null;
}

/**
 * The data of an answer, as far as tests read it. A test reads the fields that its operation selects; the others are
 * not there.
 */
export interface AnswerData {
  readonly registerScene: AnsweredScene;
  readonly createUpload: { readonly id: string; readonly url: string };
  readonly segment: Answered<AnsweredSegmentation>;
  readonly segmentScenes: AnsweredJob;
  readonly registerScenes: AnsweredJob;
  readonly job: AnsweredJob;
  readonly jobs: { readonly totalCount: number };
  readonly jobEstimate: AnsweredEstimate;
  readonly segmentations: AnsweredList<AnsweredSegmentation>;
  readonly cancelSegmentation: AnsweredSegmentation;
  readonly deleteScene: boolean;
  readonly reviewFeatures: Answered<AnsweredFeature>;
  readonly createView: AnsweredView;
  readonly updateView: AnsweredView;
  readonly deleteView: string;
  readonly view: AnsweredView;
  readonly feature: AnsweredFeature;
  readonly scene: AnsweredScene;
  readonly scenes: AnsweredList<AnsweredScene>;
  readonly segmentation: AnsweredSegmentation;
  readonly features: AnsweredList<AnsweredFeature>;
  readonly featureCollection: FeatureCollection;
  readonly change: AnsweredChange;
  readonly adjacency: AnsweredGraph;
  readonly createApiKey: { readonly secret: string; readonly key: { readonly id: string; readonly prefix: string } };
  readonly apiKeys: readonly { readonly id: string; readonly lastUsedAt: string | null }[];
  readonly webhooks: readonly { readonly url: string; readonly events: readonly string[] }[];
  readonly node: { readonly id: string };
  readonly models: readonly { readonly id: string; readonly ready: boolean }[];
}
