import type { MultiLineString, MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import type {
  EmptyReason,
  NewSegmentation,
  Segmentation,
  SegmentationProgress,
  SegmentationState,
  StoredMask,
} from './segmentation.ts';

/** Conditions on segmentations; every one given must hold. */
export interface SegmentationFilter {
  readonly sceneId?: string;
  readonly state?: SegmentationState;
  /** Part of the prompt, letter case ignored. */
  readonly promptContains?: string;
  /** `name/version`. */
  readonly modelId?: string;
  /** False matches finished segmentations that found nothing; unfinished ones match neither. */
  readonly targetFound?: boolean;
  /** Both ends included. */
  readonly created?: { readonly from?: Date; readonly to?: Date };
}

/** One polygon of a mask as traced. */
export interface StoredFeatureInput {
  /** Number of the component in its mask, from 1; unique within the segmentation. */
  readonly label: number;
  /** WGS 84, or scene frame pixels (y down) where the scene has no georeference. */
  readonly geometry: Polygon | MultiPolygon;
  readonly pixelCount: number;
  readonly meanProbability: number;
}

/** Two features whose pixel edges or corners meet, or that overlap; each pair is given once. */
export interface StoredAdjacencyInput {
  readonly segmentationA: string;
  readonly labelA: number;
  readonly segmentationB: string;
  readonly labelB: number;
  /** Common outline, WGS 84; null when only corners meet, or without georeference. */
  readonly border: MultiLineString | null;
  /** Points where only corners meet. */
  readonly corners: number;
}

/** Everything that one segmentation found. */
export interface SegmentationResult {
  readonly mask: Omit<StoredMask, 'areaM2'>;
  /** Whether `features` are WGS 84 rather than pixels. */
  readonly georeferenced: boolean;
  readonly features: readonly StoredFeatureInput[];
  /** Pairs within this segmentation and with segmentations of the scene that are stored already. */
  readonly adjacency: readonly StoredAdjacencyInput[];
  /** Largest geodesic gap that makes two features of the scene NEAR, metres. */
  readonly nearM: number;
  /** Null when there are features. */
  readonly emptyReason: EmptyReason | null;
}

/** Where segmentations are kept; the port that the database implements. */
export interface SegmentationStore {
  /**
   * Stores questions of one request as QUEUED, under one `batchId`.
   * @param idempotencyKey a second call with the same key within 24 hours stores nothing and returns what the first stored
   * @returns in the order of the questions
   */
  create(questions: readonly NewSegmentation[], idempotencyKey: string | null): Promise<Segmentation[]>;
  byId(id: string): Promise<Segmentation | null>;
  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Segmentation[]>;
  /** Newest first. */
  list(filter: SegmentationFilter, page: PageRequest): Promise<CountedPage<Segmentation>>;
  /**
   * Takes the oldest batch that waits: its QUEUED rows become RUNNING. No two callers get the same row.
   * @returns its questions in order; empty when nothing waits
   */
  claim(): Promise<Segmentation[]>;
  /** Puts RUNNING rows back to QUEUED, after a stop that left them behind. @returns how many */
  requeueRunning(): Promise<number>;
  /** @returns false when the segmentation is no longer RUNNING (cancelled, deleted), and nothing is written */
  progress(id: string, progress: SegmentationProgress): Promise<boolean>;
  /** @returns false when it is neither QUEUED nor RUNNING, and nothing is written */
  fail(id: string, failure: { readonly code: string; readonly message: string }): Promise<boolean>;
  /** @returns false when it is neither QUEUED nor RUNNING, and nothing is written */
  cancel(id: string): Promise<boolean>;
  /**
   * Stores mask, features and adjacency and makes the segmentation SUCCEEDED, all or nothing.
   * @throws {SegmentationNotRunningError} when it was cancelled or deleted meanwhile
   * @throws {UnknownFeatureLabelError} when `adjacency` names a feature that is not stored
   */
  storeResult(id: string, result: SegmentationResult): Promise<void>;
  /** @returns null until the segmentation is SUCCEEDED */
  mask(id: string): Promise<StoredMask | null>;
}

/** A result came for a segmentation that no longer waits for one. */
export class SegmentationNotRunningError extends AppError {
  readonly code = 'SEGMENTATION_NOT_RUNNING';
  constructor(
    readonly segmentationId: string,
    readonly state: SegmentationState | null,
  ) {
    super(`segmentation ${segmentationId} is ${state ?? 'gone'}; results are stored only while it is RUNNING`);
  }
}

/** Adjacency names features that are not stored. */
export class UnknownFeatureLabelError extends AppError {
  readonly code = 'UNKNOWN_FEATURE_LABEL';
  constructor(
    readonly segmentationId: string,
    readonly missing: number,
  ) {
    super(`${missing} adjacent pairs of segmentation ${segmentationId} name a feature that is not stored`);
  }
}
