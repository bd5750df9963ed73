import type { Page, PageRequest } from '../page.ts';
import type { ClaimedItem, Job, JobQuestions, NewJobItem } from './job.ts';

/** Port to the stored jobs; the database implements it. What a job has come to is counted when it is asked for. */
export interface JobStore {
  /** @param questions null for a job that only registers */
  create(id: string, questions: JobQuestions | null): Promise<void>;
  /** Says that a process still lists the scenes of a new job. */
  extendListing(id: string): Promise<void>;
  /** Says that a job has all its scenes. */
  endListing(id: string): Promise<void>;
  /** A job whose scenes could not be listed to the end goes away again. */
  remove(id: string): Promise<void>;
  /** Scenes that the job has already are left out. */
  addItems(jobId: string, items: readonly NewJobItem[]): Promise<void>;
  byId(id: string): Promise<Job | null>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<Job>>;
  count(): Promise<number>;
  /** Identifiers of the runs of a job, in order. */
  runs(id: string, page: PageRequest): Promise<Page<string>>;
  pause(id: string, paused: boolean): Promise<void>;
  /** Begins no further scene, and cancels the runs that the job began itself. */
  cancel(id: string): Promise<void>;
  /** Takes up the scenes that failed. @returns the runs that failed */
  retry(id: string): Promise<string[]>;
  /** Number of the work keys that are answered or in progress. */
  stored(workKeys: readonly string[]): Promise<number>;
  /** Seconds that a window of one prompt took in the last hundred runs of a model; null before its first. */
  secondsPerWindow(modelId: string): Promise<number | null>;
  /** Takes scenes that are due, exclusively, of jobs that have room. */
  claim(limit: number): Promise<ClaimedItem[]>;
  /** Says that a process still works on a scene. */
  extend(item: ClaimedItem): Promise<void>;
  /** Says that a scene is registered and asked about. */
  begun(item: ClaimedItem, windows: number, runs: readonly { id: string; reused: boolean }[]): Promise<void>;
  failed(item: ClaimedItem, failure: { code: string; message: string }): Promise<void>;
}
