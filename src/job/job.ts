import type { RemoteReference } from '../remote/remote-files.ts';
import type { Failure, SegmentationState } from '../segmentation/segmentation.ts';
import type { SegmentRequest } from '../segmentation/segmentation.service.ts';

/** What is asked of every scene of a job. */
export type JobQuestions = Omit<SegmentRequest, 'sceneId' | 'waitS' | 'idempotencyKey'>;

/** An image that a job registers. */
export interface JobReference {
  readonly url: string;
  readonly item?: RemoteReference['item'];
  readonly name?: string | undefined;
  /** ISO 8601. */
  readonly acquiredAt?: string | undefined;
  readonly bands?: readonly number[] | undefined;
}

/** A scene of a job, before it is stored. */
export interface NewJobItem {
  /** Also of a scene that is still to be registered. */
  readonly sceneId: string;
  readonly reference: JobReference | null;
  /** Windows of one prompt; 0 until they are planned. */
  readonly windows: number;
  readonly failure: Failure | null;
}

/** A scene that a process works on. */
export interface ClaimedItem {
  readonly jobId: string;
  readonly workspace: string;
  readonly sceneId: string;
  readonly reference: JobReference | null;
  readonly questions: JobQuestions | null;
  /** When the job was made; runs that are older were there before. */
  readonly askedAt: Date;
}

/** Runs of a job by state. */
export interface JobCounts {
  readonly queued: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Stored or in progress before the job asked. */
  readonly reused: number;
}

/** Many runs under one roof, as they are now. */
export interface Job {
  readonly id: string;
  /** PAUSED is a job that begins nothing new. */
  readonly state: SegmentationState;
  readonly paused: boolean;
  /** Whether the process that listed the scenes ended before the last; no further scene is begun then. */
  readonly incomplete: boolean;
  readonly scenes: number;
  /** Scenes that are not begun. */
  readonly pending: number;
  /** Scenes that could not be registered or asked about. */
  readonly failedScenes: number;
  readonly runs: JobCounts;
  /** Over all prompts of all scenes that are planned. */
  readonly windowsTotal: number;
  readonly windowsDone: number;
  /** Estimated seconds remaining; null when unknown. */
  readonly etaS: number | null;
  readonly createdAt: Date;
}

/** What a job would cost. */
export interface JobEstimate {
  readonly scenes: number;
  /** Images that are registered by the job and opened then: not in the numbers that follow. */
  readonly unplanned: number;
  /** Windows to look at, of all prompts; without those that are stored. */
  readonly windows: number;
  /** Ground of the scenes, square kilometres; null when none has a georeference. */
  readonly areaKm2: number | null;
  /** By the speed of the last runs of the model; null before its first, and when scenes are unplanned. */
  readonly seconds: number | null;
  /** Questions whose answers are stored or in progress. */
  readonly stored: number;
  /** Scenes that cannot be asked. */
  readonly impossible: number;
}

export const isOver = ({ state }: Pick<Job, 'state'>): boolean => state !== 'QUEUED' && state !== 'RUNNING';
