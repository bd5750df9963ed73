import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import type { Page, PageRequest } from '../page.ts';
import type { GuardedHttp } from '../remote/guarded-http.ts';
import { stacImages, type StacQuery } from '../remote/stac-items.ts';
import type { SceneFilter, SceneService } from '../scene/scene.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import { isOver, type Job, type JobEstimate, type JobQuestions, type JobReference, type NewJobItem } from './job.ts';
import type { JobStore } from './job.store.ts';

/** Which scenes a job is about; exactly one of these. */
export interface JobScenes {
  readonly filter?: SceneFilter | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly stac?: StacQuery | undefined;
  readonly urls?: readonly string[] | undefined;
}

/** A request for a job has a value out of range, or no scenes. */
export class InvalidJobError extends AppError {
  readonly code = 'JOB_INVALID';
}

export class JobNotFoundError extends AppError {
  readonly code = 'JOB_NOT_FOUND';
  constructor(id: string) {
    super(`Job ${id} does not exist.`);
  }
}

/** Scenes that are planned and stored at a time. */
const CHUNK = 500;
const MAX_IDS = 10_000;
/** How often a watched job is looked at. */
const WATCH_MS = 1000;
const MAX_RETRIED = 1000;

/** Questions about many scenes, and their registration: stored at once, carried out a few at a time by the workers. */
export class JobService {
  constructor(
    private readonly store: JobStore,
    private readonly parts: {
      readonly scenes: SceneService;
      readonly segmentations: SegmentationService;
      readonly http: GuardedHttp;
    },
  ) {}

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
    for await (const chunk of this.chunks(which)) {
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
    try {
      let scenes = 0;
      for await (const chunk of this.chunks(which)) {
        const items = await Promise.all(chunk.map((candidate) => this.itemOf(candidate, questions)));
        await this.store.addItems(id, items);
        scenes += items.length;
      }
      if (scenes === 0) throw new InvalidJobError('No scene matches; there is nothing to do.');
    } catch (error) {
      await this.store.remove(id);
      throw error;
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

  private chunks({ filter, ids, stac, urls = [] }: JobScenes): AsyncGenerator<Candidate[]> {
    if (filter) return this.matching(filter);
    if (ids) return this.named(ids);
    return chunksOf(stac ? this.referencesIn(stac) : urls.map((url) => ({ url })));
  }

  private async *named(ids: readonly string[]): AsyncGenerator<Candidate[]> {
    if (ids.length > MAX_IDS) throw new InvalidJobError(`ids has ${ids.length} scenes; the limit is ${MAX_IDS}.`);
    const chosen = [...new Set(ids)];
    await this.requireScenes(chosen);
    for (let from = 0; from < chosen.length; from += CHUNK) {
      const scenes = await this.parts.scenes.byIds(chosen.slice(from, from + CHUNK));
      yield scenes.map((scene) => ({ scene, reference: null }));
    }
  }

  /** Before anything is begun: half a job would look like a whole one. @throws {InvalidJobError} */
  private async requireScenes(ids: readonly string[]): Promise<void> {
    const missing = new Set(ids);
    for (let from = 0; from < ids.length; from += CHUNK) {
      for (const { id } of await this.parts.scenes.byIds(ids.slice(from, from + CHUNK))) missing.delete(id);
    }
    if (missing.size === 0) return;
    throw new InvalidJobError(`${missing.size} of ${ids.length} ids are not scenes, such as ${[...missing][0]}.`);
  }

  private async *matching(filter: SceneFilter): AsyncGenerator<Candidate[]> {
    let after: string | null = null;
    for (;;) {
      const { edges, hasNextPage }: Page<Scene> = await this.parts.scenes.list(filter, { first: CHUNK, after });
      if (edges.length > 0) yield edges.map(({ node }) => ({ scene: node, reference: null }));
      if (!hasNextPage) return;
      after = edges.at(-1)!.cursor;
    }
  }

  private async *referencesIn(stac: StacQuery): AsyncGenerator<JobReference> {
    for await (const image of stacImages(this.parts.http, stac)) {
      yield {
        url: image.href,
        item: { url: image.itemUrl, asset: image.asset },
        name: image.itemId,
        ...(image.acquiredAt ? { acquiredAt: image.acquiredAt.toISOString() } : {}),
        ...(image.bands ? { bands: image.bands } : {}),
      };
    }
  }
}

/** A scene, or an image that is to become one. */
interface Candidate {
  readonly scene: Scene | null;
  readonly reference: JobReference | null;
}

async function* chunksOf(
  references: AsyncIterable<JobReference> | Iterable<JobReference>,
): AsyncGenerator<Candidate[]> {
  let chunk: Candidate[] = [];
  for await (const reference of references) {
    chunk.push({ scene: null, reference });
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function checkOne(which: JobScenes): void {
  const given = Object.entries(which).flatMap(([name, value]) => (value == null ? [] : [name]));
  if (given.length !== 1) {
    throw new InvalidJobError(`Give exactly one of filter, ids, stac, urls; given: ${given.join(', ') || 'none'}.`);
  }
  const { stac } = which;
  if (stac && !(Number.isInteger(stac.limit) && stac.limit >= 1 && stac.limit <= MAX_IDS)) {
    throw new InvalidJobError(`limit ${stac.limit} is not a whole number from 1 to ${MAX_IDS}.`);
  }
}
