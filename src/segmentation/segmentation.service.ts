import type { MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { ModelInfo, Question } from '../inference/segmentation-model.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { planRun } from './plan-run.ts';
import { runIdentity, sha256Of } from './run-identity.ts';
import type { SegmentationEvents } from './segmentation-events.ts';
import type { NewSegmentation, Segmentation, SegmentationScale, SegmentationTask, StoredMask } from './segmentation.ts';
import type { CreateOptions, SegmentationFilter, SegmentationStore } from './segmentation.store.ts';

/** Questions about one scene. */
export interface SegmentRequest {
  readonly sceneId: string;
  readonly prompts: readonly string[];
  readonly task: SegmentationTask;
  /** `name` or `name/version`; the default model when absent. */
  readonly modelId?: string;
  readonly scale: SegmentationScale;
  readonly gsdM?: number;
  readonly threshold: number;
  readonly minAreaM2: number;
  /** WGS 84, checked. */
  readonly areaOfInterest: Polygon | MultiPolygon | null;
  readonly waitS: number;
  /** Asks again although the same work is stored or under way. */
  readonly force: boolean;
  readonly idempotencyKey?: string;
}

/** The models that questions can be put to. */
export interface ModelProvider {
  /** @param wanted `name` or `name/version`; undefined for the default */
  get(wanted?: string): Promise<{ readonly info: ModelInfo; check(question: Question): void }>;
}

/** A value of a segmentation request is outside what can be asked. */
export class InvalidSegmentRequestError extends AppError {
  readonly code = 'SEGMENT_REQUEST_INVALID';
}

export class SegmentationNotFoundError extends AppError {
  readonly code = 'SEGMENTATION_NOT_FOUND';
  constructor(id: string) {
    super(`no segmentation ${id}`);
  }
}

export class SegmentationFinishedError extends AppError {
  readonly code = 'SEGMENTATION_FINISHED';
  constructor({ id, state }: Segmentation) {
    super(`segmentation ${id} is ${state} already; only QUEUED and RUNNING ones can be cancelled`);
  }
}

const MAX_WAIT_S = 600;
const MAX_PROMPT_LENGTH = 2000;
const MAX_KEY_LENGTH = 200;
const MAX_RETRIED = 1000;

/** Only what FAILED can be put back. */
export class SegmentationNotFailedError extends AppError {
  readonly code = 'SEGMENTATION_NOT_FAILED';
  constructor({ id, state }: Segmentation) {
    super(`segmentation ${id} is ${state}; only FAILED ones can be put back in the queue`);
  }
}

/** Puts questions about scenes, and tells what became of them. A question is a stored row first, and work second. */
export class SegmentationService {
  constructor(
    private readonly store: SegmentationStore,
    private readonly scenes: { get(id: string): Promise<Scene> },
    private readonly models: ModelProvider,
    private readonly events: SegmentationEvents,
    private readonly limits: { readonly maxPrompts: number; readonly maxWindows: number },
  ) {}

  /**
   * Stores one segmentation per prompt and sets it going; they share the work on the image. Work that is stored or under
   * way already is returned as it is, unless the request forces it; an answer about the same picture that is registered as
   * another scene is copied to this one without asking the model.
   * @returns in the order of the prompts: at once, or when all are final or `waitS` is over
   * @throws {InvalidSegmentRequestError} {@link IdempotencyKeyReusedError} and what the scene and the model say of a
   *   request that they cannot serve
   */
  async segment(request: SegmentRequest): Promise<Segmentation[]> {
    const prompts = request.prompts.map((prompt) => prompt.trim());
    this.checkPrompts(prompts);
    checkNumbers(request);
    const scene = await this.scenes.get(request.sceneId);
    checkGeoreference(request, scene);
    const model = await this.models.get(request.modelId);
    const { task, scale, threshold, minAreaM2, areaOfInterest } = request;
    const shared = { task, model: model.info, scale, gsdM: request.gsdM ?? null, threshold, minAreaM2, areaOfInterest };
    for (const text of prompts) model.check({ task, text });
    // Refuses at once what the run could not do; the run plans again.
    const plan = planRun(shared, scene, model.info, this.limits.maxWindows);
    const questions = prompts.map((prompt): NewSegmentation => {
      const question = { sceneId: scene.id, prompt, ...shared };
      return { ...question, identity: runIdentity(question, scene, plan) };
    });
    const stored = await this.store.create(questions, { force: request.force, key: keyOf(request, prompts) });
    return request.waitS > 0 ? this.settled(stored, request.waitS) : stored;
  }

  /** @throws {SegmentationNotFoundError} {@link SegmentationFinishedError} */
  async cancel(id: string): Promise<Segmentation> {
    const cancelled = await this.store.cancel(id);
    const segmentation = await this.require(id);
    if (!cancelled) throw new SegmentationFinishedError(segmentation);
    return segmentation;
  }

  /**
   * Puts FAILED segmentations back in the queue.
   * @returns in the order of the identifiers
   * @throws {SegmentationNotFoundError} {@link SegmentationNotFailedError} for the first that cannot be; the others are
   *   put back
   */
  async retry(ids: readonly string[]): Promise<Segmentation[]> {
    if (ids.length === 0 || ids.length > MAX_RETRIED) {
      throw new InvalidSegmentRequestError(`${ids.length} segmentations to retry; a call takes 1 to ${MAX_RETRIED}`);
    }
    const retried = new Set(await this.store.retry(ids));
    return Promise.all(
      ids.map(async (id) => {
        const segmentation = await this.require(id);
        if (!retried.has(segmentation.id)) throw new SegmentationNotFailedError(segmentation);
        return segmentation;
      }),
    );
  }

  /**
   * The state of a segmentation now, and each that follows, until it is final.
   * @throws {SegmentationNotFoundError}
   */
  async progress(id: string): Promise<AsyncIterableIterator<Segmentation>> {
    return this.events.watch((await this.require(id)).id);
  }

  byId(id: string): Promise<Segmentation | null> {
    return this.store.byId(id);
  }

  byIds(ids: readonly string[]): Promise<Segmentation[]> {
    return this.store.byIds(ids);
  }

  list(filter: SegmentationFilter, page: PageRequest): Promise<CountedPage<Segmentation>> {
    return this.store.list(filter, page);
  }

  /** The same page of each of several scenes, by scene; newest first. */
  listOf(sceneIds: readonly string[], page: PageRequest): Promise<Map<string, Page<Segmentation>>> {
    return this.store.listOf(sceneIds, page);
  }

  /** Number of segmentations by scene. */
  countsOf(sceneIds: readonly string[]): Promise<Map<string, number>> {
    return this.store.countsOf(sceneIds);
  }

  /** @returns null until the segmentation is SUCCEEDED */
  mask(id: string): Promise<StoredMask | null> {
    return this.store.mask(id);
  }

  /** Masks by segmentation; segmentations without one are left out. */
  masks(ids: readonly string[]): Promise<Map<string, StoredMask>> {
    return this.store.masks(ids);
  }

  /** @throws {SegmentationNotFoundError} */
  async require(id: string): Promise<Segmentation> {
    const segmentation = await this.store.byId(id);
    if (!segmentation) throw new SegmentationNotFoundError(id);
    return segmentation;
  }

  private checkPrompts(prompts: readonly string[]): void {
    if (prompts.length === 0 || prompts.length > this.limits.maxPrompts) {
      throw new InvalidSegmentRequestError(`${prompts.length} prompts; a request has 1 to ${this.limits.maxPrompts}`);
    }
    for (const prompt of prompts) {
      if (prompt === '') throw new InvalidSegmentRequestError('a prompt is empty');
      if (prompt.length > MAX_PROMPT_LENGTH) {
        throw new InvalidSegmentRequestError(
          `a prompt has ${prompt.length} characters; the most is ${MAX_PROMPT_LENGTH}`,
        );
      }
    }
  }

  /** The segmentations when they are all final, or as they are after `waitS` seconds. */
  private async settled(segmentations: readonly Segmentation[], waitS: number): Promise<Segmentation[]> {
    const watches = segmentations.map(({ id }) => this.events.watch(id));
    const end = setTimeout(() => void Promise.all(watches.map((watch) => watch.return())), waitS * 1000);
    const settled = await Promise.all(watches.map((watch, index) => lastOf(watch, segmentations[index]!)));
    clearTimeout(end);
    return settled;
  }
}

async function lastOf(states: AsyncIterable<Segmentation>, known: Segmentation): Promise<Segmentation> {
  let last = known;
  for await (const state of states) last = state;
  return last;
}

/** The key of a request with a hash of what it asks for; how long it waits for the answer does not count. */
function keyOf({ idempotencyKey, ...request }: SegmentRequest, prompts: readonly string[]): CreateOptions['key'] {
  if (idempotencyKey === undefined) return null;
  const { length } = idempotencyKey;
  if (length === 0 || length > MAX_KEY_LENGTH) {
    throw new InvalidSegmentRequestError(`idempotencyKey has ${length} characters; it has 1 to ${MAX_KEY_LENGTH}`);
  }
  const { sceneId, task, modelId, scale, gsdM, threshold, minAreaM2, areaOfInterest, force } = request;
  const area = areaOfInterest && [areaOfInterest.type, areaOfInterest.coordinates];
  const asked = [sceneId, prompts, task, modelId, scale, gsdM, threshold, minAreaM2, area, force];
  return { value: idempotencyKey, argumentsSha256: sha256Of(asked) };
}

function checkNumbers({ gsdM, threshold, minAreaM2, waitS }: SegmentRequest): void {
  const check = (valid: boolean, name: string, value: number, allowed: string): void => {
    if (!valid) throw new InvalidSegmentRequestError(`${name} ${value} is not ${allowed}`);
  };
  check(threshold > 0 && threshold < 1, 'threshold', threshold, 'between 0 and 1');
  check(minAreaM2 >= 0 && Number.isFinite(minAreaM2), 'minAreaM2', minAreaM2, '0 or more');
  check(waitS >= 0 && waitS <= MAX_WAIT_S, 'waitS', waitS, `from 0 to ${MAX_WAIT_S}`);
  if (gsdM !== undefined) check(gsdM > 0 && Number.isFinite(gsdM), 'gsdM', gsdM, 'more than 0');
}

function checkGeoreference({ gsdM, minAreaM2, areaOfInterest, scale }: SegmentRequest, scene: Scene): void {
  if (scale === 'WHOLE' && gsdM !== undefined) {
    throw new InvalidSegmentRequestError(
      `gsdM ${gsdM} cannot be had with scale WHOLE, which shows the scene in one window`,
    );
  }
  if (isGeoreferenced(scene)) return;
  const asked = gsdM !== undefined ? 'gsdM' : minAreaM2 > 0 ? 'minAreaM2' : areaOfInterest ? 'areaOfInterest' : null;
  if (asked) throw new InvalidSegmentRequestError(`${asked} needs a georeferenced scene; scene ${scene.id} has no CRS`);
}
