import type { MultiLineString, MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { PixelMeasures } from '../feature/measures.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import type { EmptyReason, NewSegmentation, Segmentation, SegmentationState, StoredMask } from './segmentation.ts';

/** Conditions on segmentations, combined with AND. */
export interface SegmentationFilter {
  readonly ids?: readonly string[];
  readonly sceneId?: string;
  readonly state?: SegmentationState;
  /** Web search syntax, or a part of the prompt; see `answersSearchSql`. */
  readonly promptContains?: string;
  /** `name/version`. */
  readonly modelId?: string;
  /** False matches finished segmentations that found nothing; unfinished ones match neither. */
  readonly targetFound?: boolean;
  /** Both ends included. */
  readonly created?: { readonly from?: Date; readonly to?: Date };
}

/** One vectorised polygon of a mask, with the measures that the mask gives. */
export interface StoredFeatureInput extends PixelMeasures {
  /** Number of the component in its mask, from 1; unique within the segmentation. */
  readonly label: number;
  /** WGS 84, or scene frame pixels (y down) where the scene has no georeference. */
  readonly geometry: Polygon | MultiPolygon;
}

/** Two features of one scene whose pixel edges or corners meet, or that overlap; each pair is listed once. */
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

/** The result of one segmentation. */
export interface SegmentationResult {
  readonly mask: Omit<StoredMask, 'areaM2'>;
  /** Whether `features` are WGS 84 rather than pixels. */
  readonly georeferenced: boolean;
  readonly features: readonly StoredFeatureInput[];
  /** Pairs within this segmentation. */
  readonly adjacency: readonly StoredAdjacencyInput[];
  /** Largest geodesic gap that makes two features of the scene NEAR, metres. */
  readonly nearM: number;
  /** Null when there are features. */
  readonly emptyReason: EmptyReason | null;
  /** Windows of the run, all finished; absent: as its progress states. */
  readonly windows?: number;
}

/** What a workspace may have of runs and of what they find; null: unlimited. */
export type SegmentationQuotas = Readonly<Record<'WAITING_WINDOWS' | 'FEATURES', number | null>>;

/** How questions are stored. */
export interface CreateOptions {
  /** Stores questions even when the same work is stored or in progress. */
  readonly force: boolean;
  /** Idempotency key: identifies repetitions of the request. */
  readonly key: { readonly value: string; readonly argumentsSha256: string } | null;
  /** That each question needs. */
  readonly windows?: number;
  /** What the workspace may have; unlimited unless given. */
  readonly quotas?: SegmentationQuotas;
}

/** A segmentation was created, changed or deleted. */
export interface SegmentationChange {
  readonly id: string;
  readonly state: SegmentationState | 'DELETED';
}

export interface ChangeListener {
  readonly onChange: (change: SegmentationChange) => void;
  /** Called after a connection loss, when changes may have been missed. */
  readonly onGap: () => void;
}

/** Port to the stored segmentations; the database implements it. */
export interface SegmentationStore {
  /**
   * Stores the questions of a request as QUEUED under one `batchId` and queues the batch. Work already stored or in
   * progress for the scene is not stored again; neither is a repeated question.
   * @returns in question order; with a known idempotency key, the result of its first call
   * @throws {IdempotencyKeyReusedError | QuotaExceededError}
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
  /** Removes it with its mask and features. @returns whether there was one */
  remove(id: string): Promise<boolean>;
  /** Puts those that are FAILED back in the queue. @returns their identifiers */
  retry(ids: readonly string[]): Promise<string[]>;
  /** @returns null until the segmentation is SUCCEEDED */
  mask(id: string): Promise<StoredMask | null>;
  /** Masks by segmentation; segmentations without one are left out. */
  masks(ids: readonly string[]): Promise<Map<string, StoredMask>>;
  /** Reports every change of any process. @returns stops it */
  listen(listener: ChangeListener): Promise<() => void>;
}

/** An idempotency key was reused with other arguments. */
export class IdempotencyKeyReusedError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  constructor(key: string) {
    super(`idempotencyKey ${JSON.stringify(key)} was used for another request in the last 24 hours; use a new key.`);
  }
}

/** A result arrived for a segmentation that no longer runs under this attempt. */
export class SegmentationNotRunningError extends AppError {
  readonly code = 'SEGMENTATION_NOT_RUNNING';
  constructor(
    readonly segmentationId: string,
    readonly state: SegmentationState | null,
  ) {
    const found = state === 'RUNNING' ? 'running under another attempt' : (state ?? 'deleted');
    super(`Segmentation ${segmentationId} is ${found}; only its RUNNING attempt stores results.`);
  }
}

/** Adjacency names features that are not stored. */
export class UnknownFeatureLabelError extends AppError {
  readonly code = 'UNKNOWN_FEATURE_LABEL';
  constructor(
    readonly segmentationId: string,
    readonly missing: number,
  ) {
    super(`${missing} adjacent pairs of segmentation ${segmentationId} name unknown features.`);
  }
}
