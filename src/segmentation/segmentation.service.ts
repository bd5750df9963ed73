import type { MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { ModelInfo, Question } from '../inference/segmentation-model.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { coarseWarning, planRun } from './plan-run.ts';
import { workKeyOf, sha256Of } from './work-key.ts';
import type { SegmentationEvents } from './segmentation-events.ts';
import type { SegmentationTask } from '../inference/segmentation-model.ts';
import type { NewSegmentation, Segmentation, SegmentationScale, StoredMask } from './segmentation.ts';
import type { CreateOptions, SegmentationFilter, SegmentationQuotas, SegmentationStore } from './segmentation.store.ts';

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
  /** Asks again even if the same work is stored or in progress. */
  readonly force: boolean;
  readonly idempotencyKey?: string;
}

/** The available models. */
export interface ModelProvider {
  /** @param wanted `name` or `name/version`; undefined for the default */
  get(wanted?: string): Promise<{ readonly info: ModelInfo; check(question: Question): void }>;
}

/** A value of a segmentation request is out of range. */
export class InvalidSegmentRequestError extends AppError {
  readonly code = 'SEGMENT_REQUEST_INVALID';
}

export class SegmentationNotFoundError extends AppError {
  readonly code = 'SEGMENTATION_NOT_FOUND';
  constructor(id: string) {
    super(`Segmentation ${id} does not exist.`);
  }
}

export class SegmentationFinishedError extends AppError {
  readonly code = 'SEGMENTATION_FINISHED';
  constructor({ id, state }: Segmentation) {
    super(`Segmentation ${id} is ${state} already; only QUEUED and RUNNING segmentations can be cancelled.`);
  }
}

const MAX_WAIT_S = 600;
const MAX_PROMPT_LENGTH = 2000;
const MAX_KEY_LENGTH = 200;
const MAX_RETRIED = 1000;

/** Only FAILED segmentations can be retried. */
export class SegmentationNotFailedError extends AppError {
  readonly code = 'SEGMENTATION_NOT_FAILED';
  constructor({ id, state }: Segmentation) {
    super(`Segmentation ${id} is ${state}; only FAILED segmentations can be retried.`);
  }
}

/** Accepts questions about scenes and reports their state. A question is stored first and run later. */
export class SegmentationService {
  constructor(
    private readonly store: SegmentationStore,
    private readonly scenes: { get(id: string): Promise<Scene> },
    private readonly models: ModelProvider,
    private readonly events: SegmentationEvents,
    private readonly limits: {
      readonly maxPrompts: number;
      readonly maxWindows: number;
      /** Of the workspace; unlimited unless given. */
      readonly quotas?: () => Promise<SegmentationQuotas>;
    },
  ) {}

  /**
   * Stores and queues one segmentation per prompt; they share the work on the image. Work already stored or in progress is
   * returned as it is unless `force` is set. An answer about the same image registered as another scene is copied without
   * asking the model.
   * @param warn called when the scene is coarser than what the model was trained on
   * @returns in prompt order: at once, or when all are final or `waitS` is over
   * @throws {InvalidSegmentRequestError} {@link IdempotencyKeyReusedError} {@link QuotaExceededError} and errors of scene and model
   */
  async segment(request: SegmentRequest, warn: (warning: string) => void = () => {}): Promise<Segmentation[]> {
    const scene = await this.scenes.get(request.sceneId);
    const { questions, windows } = await this.questions(request, scene, warn);
    const prompts = questions.map(({ prompt }) => prompt);
    const stored = await this.store.create(questions, {
      force: request.force,
      key: keyOf(request, prompts),
      windows,
      ...(this.limits.quotas ? { quotas: await this.limits.quotas() } : {}),
    });
    return request.waitS > 0 ? this.settled(stored, request.waitS) : stored;
  }

  /**
   * Checks what does not depend on the scene.
   * @throws {InvalidSegmentRequestError} and errors of the model
   */
  async check(request: Omit<SegmentRequest, 'sceneId'>) {
    const prompts = request.prompts.map((prompt) => prompt.trim());
    this.checkPrompts(prompts);
    checkNumbers(request);
    const model = await this.models.get(request.modelId);
    for (const text of prompts) model.check({ task: request.task, text });
    return { prompts, model };
  }

  /**
   * The questions of a request, checked and planned, before they are stored.
   * @returns also the windows that each of them needs
   * @throws as {@link segment}
   */
  async questions(
    request: SegmentRequest,
    scene: Scene,
    warn: (warning: string) => void = () => {},
  ): Promise<{ readonly questions: readonly NewSegmentation[]; readonly windows: number }> {
    const { prompts, model } = await this.check(request);
    checkGeoreference(request, scene);
    const { task, scale, threshold, minAreaM2, areaOfInterest } = request;
    const shared = { task, model: model.info, scale, gsdM: request.gsdM ?? null, threshold, minAreaM2, areaOfInterest };
    const coarse = coarseWarning(shared, scene, model.info);
    if (coarse !== null) warn(coarse);
    // Refuses impossible requests at once; the run plans again.
    const plan = await planRun(shared, scene, model.info, this.limits.maxWindows);
    const questions = prompts.map((prompt): NewSegmentation => {
      const question = { sceneId: scene.id, prompt, ...shared };
      return { ...question, workKey: workKeyOf(question, scene, plan) };
    });
    return { questions, windows: plan.windows?.windows.length ?? 0 };
  }

  /** @throws {SegmentationNotFoundError} {@link SegmentationFinishedError} */
  async cancel(id: string): Promise<Segmentation> {
    const cancelled = await this.store.cancel(id);
    const segmentation = await this.require(id);
    if (!cancelled) throw new SegmentationFinishedError(segmentation);
    return segmentation;
  }

  /**
   * Deletes a segmentation with its mask and features; a run of it ends.
   * @throws {SegmentationNotFoundError}
   */
  async delete(id: string): Promise<void> {
    if (!(await this.store.remove(id))) throw new SegmentationNotFoundError(id);
  }

  /**
   * Puts FAILED segmentations back in the queue.
   * @returns in the order of the identifiers
   * @throws {SegmentationNotFoundError} {@link SegmentationNotFailedError} for the first that cannot be; the others are
   *   put back
   */
  async retry(ids: readonly string[]): Promise<Segmentation[]> {
    if (ids.length === 0 || ids.length > MAX_RETRIED) {
      throw new InvalidSegmentRequestError(
        `The request retries ${ids.length} segmentations; give 1 to ${MAX_RETRIED}.`,
      );
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
   * Yields the current state of a segmentation and every change until it is final.
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
      throw new InvalidSegmentRequestError(
        `The request has ${prompts.length} prompts; 1 to ${this.limits.maxPrompts} are allowed.`,
        { details: { argument: 'prompts', value: prompts.length, limit: this.limits.maxPrompts } },
      );
    }
    for (const prompt of prompts) {
      if (prompt === '') throw new InvalidSegmentRequestError('A prompt is empty.');
      if (prompt.length > MAX_PROMPT_LENGTH) {
        throw new InvalidSegmentRequestError(
          `A prompt has ${prompt.length} characters; the limit is ${MAX_PROMPT_LENGTH}.`,
          { details: { argument: 'prompts', value: prompt.length, limit: MAX_PROMPT_LENGTH } },
        );
      }
    }
  }

  /** Waits until all segmentations are final, or for `waitS` seconds. */
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

/** The idempotency key of a request and a hash of its arguments; `waitS` does not count. */
function keyOf({ idempotencyKey, ...request }: SegmentRequest, prompts: readonly string[]): CreateOptions['key'] {
  if (idempotencyKey === undefined) return null;
  const { length } = idempotencyKey;
  if (length === 0 || length > MAX_KEY_LENGTH) {
    throw new InvalidSegmentRequestError(
      `idempotencyKey has ${length} characters; 1 to ${MAX_KEY_LENGTH} are allowed.`,
      { details: { argument: 'idempotencyKey', value: length, limit: MAX_KEY_LENGTH } },
    );
  }
  const { sceneId, task, modelId, scale, gsdM, threshold, minAreaM2, areaOfInterest, force } = request;
  const area = areaOfInterest && [areaOfInterest.type, areaOfInterest.coordinates];
  const asked = [sceneId, prompts, task, modelId, scale, gsdM, threshold, minAreaM2, area, force];
  return { value: idempotencyKey, argumentsSha256: sha256Of(asked) };
}

function checkNumbers({ gsdM, threshold, minAreaM2, waitS }: Omit<SegmentRequest, 'sceneId'>): void {
  const check = (valid: boolean, name: string, value: number, allowed: string, limit = 0): void => {
    const details = { argument: name, value, limit };
    if (!valid) throw new InvalidSegmentRequestError(`${name} is ${value}; it must be ${allowed}.`, { details });
  };
  check(threshold > 0 && threshold < 1, 'threshold', threshold, 'between 0 and 1', 1);
  check(minAreaM2 >= 0 && Number.isFinite(minAreaM2), 'minAreaM2', minAreaM2, '0 or more');
  check(waitS >= 0 && waitS <= MAX_WAIT_S, 'waitS', waitS, `from 0 to ${MAX_WAIT_S}`, MAX_WAIT_S);
  if (gsdM !== undefined) check(gsdM > 0 && Number.isFinite(gsdM), 'gsdM', gsdM, 'more than 0');
}

function checkGeoreference({ gsdM, minAreaM2, areaOfInterest, scale }: SegmentRequest, scene: Scene): void {
  if (scale === 'WHOLE' && gsdM !== undefined) {
    throw new InvalidSegmentRequestError(
      `gsdM ${gsdM} cannot be combined with scale WHOLE, which shows the scene in one window.`,
    );
  }
  if (isGeoreferenced(scene)) return;
  const asked = gsdM !== undefined ? 'gsdM' : minAreaM2 > 0 ? 'minAreaM2' : areaOfInterest ? 'areaOfInterest' : null;
  if (asked)
    throw new InvalidSegmentRequestError(`${asked} requires a georeferenced scene; scene ${scene.id} has no CRS.`);
}
