import type { MultiLineString, MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import type { EmptyReason, NewSegmentation, Segmentation, SegmentationState, StoredMask } from './segmentation.ts';

/** Conditions on segmentations; every one given must hold. */
export interface SegmentationFilter {
  readonly sceneId?: string;
  readonly state?: SegmentationState;
  /** Words of the prompt by the syntax of web searches, or a part of it; see `answersSearchSql`. */
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
  /** Windows of the run, all of them done; absent: as its progress says. */
  readonly windows?: number;
}

/** How questions are stored. */
export interface CreateOptions {
  /** Stores questions anew although the same work is stored or under way. */
  readonly force: boolean;
  /** Names the request, so that a repetition is told from a new one. */
  readonly key: { readonly value: string; readonly argumentsSha256: string } | null;
}

/** A segmentation was made, went on, or is gone. */
export interface SegmentationChange {
  readonly id: string;
  readonly state: SegmentationState | 'DELETED';
}

export interface ChangeListener {
  readonly changed: (change: SegmentationChange) => void;
  /** Changes may have been missed. */
  readonly missed: () => void;
}

/** Where segmentations are kept; the port that the database implements. */
export interface SegmentationStore {
  /**
   * Stores questions of one request as QUEUED, under one `batchId`, and puts the batch in the queue. A question whose
   * work is stored or under way on its scene is not stored again, and neither is one that the request asks twice.
   * @returns in the order of the questions; with a key that is known, what its first call returned
   * @throws {IdempotencyKeyReusedError}
   */
  create(questions: readonly NewSegmentation[], options: CreateOptions): Promise<Segmentation[]>;
  byId(id: string): Promise<Segmentation | null>;
  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Segmentation[]>;
  /** Newest first. */
  list(filter: SegmentationFilter, page: PageRequest): Promise<CountedPage<Segmentation>>;
  /** The same page of each of several scenes, by scene; newest first. */
  listOf(sceneIds: readonly string[], page: PageRequest): Promise<Map<string, Page<Segmentation>>>;
  /** Number of segmentations by scene. */
  countsOf(sceneIds: readonly string[]): Promise<Map<string, number>>;
  /** @returns false when it is neither QUEUED nor RUNNING, and nothing is written */
  cancel(id: string): Promise<boolean>;
  /** Puts those that are FAILED back in the queue. @returns their identifiers */
  retry(ids: readonly string[]): Promise<string[]>;
  /** @returns null until the segmentation is SUCCEEDED */
  mask(id: string): Promise<StoredMask | null>;
  /** Masks by segmentation; segmentations without one are left out. */
  masks(ids: readonly string[]): Promise<Map<string, StoredMask>>;
  /** Tells of every change, whichever process makes it. @returns stops it */
  listen(listener: ChangeListener): Promise<() => void>;
}

/** An idempotency key came again with other arguments. */
export class IdempotencyKeyReusedError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  constructor(key: string) {
    super(`idempotencyKey ${JSON.stringify(key)} was used for another request in the last 24 hours; take a new key`);
  }
}

/** A result came for a segmentation that no longer waits for one. */
export class SegmentationNotRunningError extends AppError {
  readonly code = 'SEGMENTATION_NOT_RUNNING';
  constructor(
    readonly segmentationId: string,
    readonly state: SegmentationState | null,
  ) {
    const found = state === 'RUNNING' ? 'run by another attempt' : (state ?? 'gone');
    super(`segmentation ${segmentationId} is ${found}; results are stored only by the attempt that is RUNNING`);
  }
}

/** Answers about the scene were stored that a result was not compared with. */
export class UncomparedAnswersError extends AppError {
  readonly code = 'UNCOMPARED_ANSWERS';
  constructor(segmentationId: string, others: number) {
    super(`segmentation ${segmentationId} was not compared with ${others} others that are stored on its scene by now`);
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
