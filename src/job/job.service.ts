import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import type { Page, PageRequest } from '../page.ts';
import type { GuardedHttp } from '../remote/guarded-http.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import { isOver, type Job, type JobEstimate, type JobQuestions, type NewJobItem } from './job.ts';
import { type Candidate, checkOne, InvalidJobError, JobSceneList, type JobScenes } from './job-scenes.ts';
import type { JobStore } from './job.store.ts';

export class JobNotFoundError extends AppError {
  readonly code = 'JOB_NOT_FOUND';
  constructor(id: string) {
    super(`Job ${id} does not exist.`);
  }
}

/** How often a watched job is looked at. */
const WATCH_MS = 1000;
const MAX_RETRIED = 1000;
/** How often a process says that it still lists the scenes of a job. */
const EXTEND_MS = 5000;

/** Questions about many scenes, and their registration: stored at once, carried out a few at a time by the workers. */
export class JobService {
  private readonly sceneList: JobSceneList;

  constructor(
    private readonly store: JobStore,
    private readonly parts: {
      readonly scenes: SceneService;
      readonly segmentations: SegmentationService;
      readonly http: GuardedHttp;
    },
  ) {
    this.sceneList = new JobSceneList(parts.scenes, parts.http);
  }

  /**
   * Stores a job that asks every scene the same questions. Memory does not grow with the number of scenes.
   * @throws {InvalidJobError} without scenes; errors of the catalogue
   */
  segment(which: JobScenes, questions: JobQuestions): Promise<Job> {
    return this.create(which, questions);
  }

  /** Stores a job that registers images. */
  register(which: Pick<JobScenes, 'stac' | 'urls'>): Promise<Job> {
    return this.create(which, null);
  }

  /**
   * What {@link segment} would cost; nothing is stored. Images that are to be registered first are counted as `unplanned`:
   * their windows are known when they are opened.
   */
  async estimate(which: JobScenes, questions: JobQuestions): Promise<JobEstimate> {
    checkOne(which);
    const { model } = await this.parts.segmentations.check({ ...questions, waitS: 0 });
    const sum = { scenes: 0, unplanned: 0, windows: 0, areaM2: 0, stored: 0, impossible: 0 };
    let isMeasured = false;
    for await (const chunk of this.sceneList.chunks(which)) {
      for (const candidate of chunk) {
        sum.scenes += 1;
        if (!candidate.scene) {
          sum.unplanned += 1;
          continue;
        }
        const planned = await this.planned(candidate.scene, questions);
        if ('failure' in planned) sum.impossible += 1;
        else {
          const stored = questions.force ? 0 : await this.store.stored(planned.questions.map(({ workKey }) => workKey));
          sum.stored += stored;
          sum.windows += planned.windows * (planned.questions.length - stored);
        }
        isMeasured ||= candidate.scene.areaM2 !== null;
        sum.areaM2 += candidate.scene.areaM2 ?? 0;
      }
    }
    const perWindow = await this.store.secondsPerWindow(model.info.id);
    const { areaM2, ...rest } = sum;
    const seconds = perWindow === null || sum.unplanned > 0 ? null : perWindow * sum.windows;
    return { ...rest, areaKm2: isMeasured ? areaM2 / 1e6 : null, seconds };
  }

  byId(id: string): Promise<Job | null> {
    return this.store.byId(id);
  }

  /** Newest first. */
  list(page: PageRequest): Promise<Page<Job>> {
    return this.store.list(page);
  }

  count(): Promise<number> {
    return this.store.count();
  }

  /** The runs of a job, in the order of their identifiers. */
  async runs(id: string, page: PageRequest): Promise<Page<Segmentation>> {
    const found = await this.store.runs(id, page);
    const ids = found.edges.map(({ node }) => node);
    const runs = new Map((await this.parts.segmentations.byIds(ids)).map((run) => [run.id, run]));
    return {
      ...found,
      edges: found.edges.flatMap(({ node, cursor }) => {
        const run = runs.get(node);
        return run ? [{ node: run, cursor }] : [];
      }),
    };
  }

  /** Begins no further scene until {@link resume}; the few runs that are queued go on. */
  async pause(id: string): Promise<Job> {
    await this.require(id);
    await this.store.pause(id, true);
    return this.require(id);
  }

  async resume(id: string): Promise<Job> {
    await this.require(id);
    await this.store.pause(id, false);
    return this.require(id);
  }

  /** Begins no further scene and cancels the runs that the job began. */
  async cancel(id: string): Promise<Job> {
    const job = await this.require(id);
    if (isOver(job))
      throw new InvalidJobError(`Job ${id} is ${job.state} already; only unfinished jobs can be cancelled.`);
    await this.store.cancel(id);
    return this.require(id);
  }

  /** Takes up the scenes and the runs that failed. */
  async retry(id: string): Promise<Job> {
    const job = await this.require(id);
    if (job.state === 'CANCELLED') throw new InvalidJobError(`Job ${id} is CANCELLED and cannot be retried.`);
    if (job.incomplete) {
      throw new InvalidJobError(`Job ${id} lacks scenes: the server ended before it had listed them. Start a new job.`);
    }
    const failed = await this.store.retry(id);
    for (let from = 0; from < failed.length; from += MAX_RETRIED) {
      await this.parts.segmentations.retry(failed.slice(from, from + MAX_RETRIED));
    }
    return this.require(id);
  }

  /**
   * The job now, and whenever it has come further, until it is over or deleted.
   * @throws {JobNotFoundError}
   */
  async progress(id: string): Promise<AsyncGenerator<Job>> {
    return this.changes(await this.require(id));
  }

  private async *changes(first: Job): AsyncGenerator<Job> {
    let shown = '';
    for (let job: Job | null = first; job !== null; job = await this.store.byId(first.id)) {
      const { etaS: _, ...state } = job;
      const text = JSON.stringify(state);
      if (text !== shown) yield job;
      shown = text;
      if (isOver(job)) return;
      await sleep(WATCH_MS);
    }
  }

  /** @throws {JobNotFoundError} */
  async require(id: string): Promise<Job> {
    const job = await this.store.byId(id);
    if (!job) throw new JobNotFoundError(id);
    return job;
  }

  private async create(which: JobScenes, questions: JobQuestions | null): Promise<Job> {
    checkOne(which);
    if (questions) await this.parts.segmentations.check({ ...questions, waitS: 0 });
    const id = uuidV7();
    await this.store.create(id, questions);
    const extend = setInterval(() => void this.store.extendListing(id).catch(() => undefined), EXTEND_MS);
    try {
      let scenes = 0;
      for await (const chunk of this.sceneList.chunks(which)) {
        const items = await Promise.all(chunk.map((candidate) => this.itemOf(candidate, questions)));
        await this.store.addItems(id, items);
        scenes += items.length;
      }
      if (scenes === 0) throw new InvalidJobError('No scene matches; there is nothing to do.');
      await this.store.endListing(id);
    } catch (error) {
      await this.store.remove(id);
      throw error;
    } finally {
      clearInterval(extend);
    }
    return this.require(id);
  }

  private async itemOf({ scene, reference }: Candidate, questions: JobQuestions | null): Promise<NewJobItem> {
    if (!scene) return { sceneId: uuidV7(), reference, windows: 0, failure: null };
    const planned = questions && (await this.planned(scene, questions));
    if (planned && 'failure' in planned)
      return { sceneId: scene.id, reference: null, windows: 0, failure: planned.failure };
    return { sceneId: scene.id, reference: null, windows: planned?.windows ?? 0, failure: null };
  }

  /** What a scene cannot be asked is its own failure; the request itself is checked before. */
  private async planned(scene: Scene, questions: JobQuestions) {
    try {
      return await this.parts.segmentations.questions({ ...questions, sceneId: scene.id, waitS: 0 }, scene);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { failure: { code: error.code, message: error.message } };
    }
  }
}
