import type { MultiPolygon, Polygon } from 'geojson';
import type { SegmentationTask } from '../inference/segmentation-model.ts';

export const SEGMENTATION_SCALES = ['AUTO', 'WHOLE', 'WINDOWS'] as const;
export const SEGMENTATION_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export const EMPTY_REASONS = [
  'NO_PIXEL_ABOVE_THRESHOLD',
  'ALL_BELOW_MIN_AREA',
  'OUTSIDE_AREA_OF_INTEREST',
  'NO_VALID_PIXELS',
] as const;

/** Phases of a run; `queued` before and `done` after it. */
export const RUN_PHASES = ['queued', 'reading', 'encoding', 'reasoning', 'tracing', 'storing', 'done'] as const;

export type SegmentationScale = (typeof SEGMENTATION_SCALES)[number];
/** QUEUED and RUNNING are unfinished; the other three are final. */
export type SegmentationState = (typeof SEGMENTATION_STATES)[number];
export type RunPhase = (typeof RUN_PHASES)[number];
/** Why a finished segmentation has no feature. */
export type EmptyReason = (typeof EMPTY_REASONS)[number];

/** The model at the time of the question; it may have been removed since. */
export interface AskedModel {
  /** `name/version`. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Of the manifest, lower-case hexadecimal. */
  readonly sha256: string;
  /** Side of the square window, pixels. */
  readonly windowPx: number;
  readonly licence: string;
}

/** A question about a scene, before it is stored. */
export interface NewSegmentation {
  readonly sceneId: string;
  readonly prompt: string;
  readonly task: SegmentationTask;
  readonly model: AskedModel;
  readonly scale: SegmentationScale;
  /** Ground size of a pixel to show the model, metres; null for the scene's own. */
  readonly gsdM: number | null;
  /** Probability from which a pixel belongs to the mask, 0 to 1. */
  readonly threshold: number;
  /** Smaller features are dropped, square metres. */
  readonly minAreaM2: number;
  /** WGS 84; pixels outside are not part of the answer; null: the whole scene. */
  readonly areaOfInterest: Polygon | MultiPolygon | null;
  /** Hash of everything that determines the answer: questions of a scene with the same work key are the same work. */
  readonly workKey: string;
}

/** Why a run, or its last attempt, ended without an answer. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface SegmentationProgress {
  readonly phase: RunPhase;
  readonly windowsDone: number;
  /** 0 until the windows are planned. */
  readonly windowsTotal: number;
  /** Estimated seconds remaining; null when unknown. */
  readonly etaS: number | null;
}

/** One question about one scene and its state. */
export interface Segmentation extends Omit<NewSegmentation, 'workKey'> {
  readonly id: string;
  /** Shared by the questions of one request, which run together. */
  readonly batchId: string;
  readonly state: SegmentationState;
  readonly progress: SegmentationProgress;
  /** Whether anything was found; null until SUCCEEDED. */
  readonly targetFound: boolean | null;
  readonly emptyReason: EmptyReason | null;
  /** Number of started attempts; identifier and number name one attempt, and only the last may write. */
  readonly attempts: number;
  /** Why it FAILED; for a QUEUED segmentation, why its last attempt ended. */
  readonly failure: Failure | null;
  readonly featureCount: number;
  /** Geodesic area of all features; null until SUCCEEDED and for scenes without georeference. */
  readonly areaM2: number | null;
  /** Whether its neighbours in all earlier answers of the scene are stored; false until SUCCEEDED. */
  readonly compared: boolean;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** The answer as pixels in the scene frame. */
export interface StoredMask {
  readonly widthPx: number;
  readonly heightPx: number;
  /** COCO run lengths: column-major, alternating, beginning with the background. */
  readonly counts: readonly number[];
  readonly pixelCount: number;
  /** Sum of the geodesic areas of the features; null without georeference. */
  readonly areaM2: number | null;
  /** Over the pixels of the mask; 0 for an empty mask. */
  readonly meanProbability: number;
}
