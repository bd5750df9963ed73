import { setTimeout as sleep } from 'node:timers/promises';
import type { MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { ModelInfo, Question } from '../inference/segmentation-model.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { planRun } from './plan-run.ts';
import type { Segmentation, SegmentationScale, SegmentationTask, StoredMask } from './segmentation.ts';
import type { SegmentationFilter, SegmentationStore } from './segmentation.store.ts';

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
  readonly idempotencyKey?: string;
}

/** The models that questions can be put to. */
export interface ModelProvider {
  /** @param wanted `name` or `name/version`; undefined for the default */
  get(wanted?: string): Promise<{ readonly info: ModelInfo; check(question: Question): void }>;
}

/** What carries stored questions out. */
export interface RunQueue {
  /** Says that a question waits. */
  wake(): void;
  /** Stops work on a segmentation that was cancelled. */
  abandon(segmentationId: string): void;
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
const POLL_MS = 150;

const isFinal = ({ state }: Segmentation): boolean => state !== 'QUEUED' && state !== 'RUNNING';

/** Puts questions about scenes, and tells what became of them. A question is a stored row first, and work second. */
export class SegmentationService {
  constructor(
    private readonly store: SegmentationStore,
    private readonly scenes: { get(id: string): Promise<Scene> },
    private readonly models: ModelProvider,
    private readonly queue: RunQueue,
    private readonly limits: { readonly maxPrompts: number; readonly maxWindows: number },
  ) {}

  /**
   * Stores one segmentation per prompt and sets it going; they share the work on the image.
   * @returns in the order of the prompts: at once, or when all are final or `waitS` is over
   * @throws {InvalidSegmentRequestError} and what the scene and the model say of a request that they cannot serve
   */
  async segment(request: SegmentRequest): Promise<Segmentation[]> {
    const prompts = request.prompts.map((prompt) => prompt.trim());
    this.checkPrompts(prompts);
    checkNumbers(request);
    const scene = await this.scenes.get(request.sceneId);
    checkGeoreference(request, scene);
    const model = await this.models.get(request.modelId);
    const { task, scale, threshold, minAreaM2, areaOfInterest } = request;
    for (const text of prompts) model.check({ task, text });
    const questions = prompts.map((prompt) => ({
      sceneId: scene.id,
      prompt,
      task,
      model: model.info,
      scale,
      gsdM: request.gsdM ?? null,
      threshold,
      minAreaM2,
      areaOfInterest,
    }));
    // Refuses at once what the run could not do; the run plans again with the model that it gets.
    planRun(questions[0]!, scene, model.info, this.limits.maxWindows);
    const created = await this.store.create(questions, request.idempotencyKey ?? null);
    this.queue.wake();
    return this.settled(created, request.waitS);
  }

  /** @throws {SegmentationNotFoundError} {@link SegmentationFinishedError} */
  async cancel(id: string): Promise<Segmentation> {
    const cancelled = await this.store.cancel(id);
    const segmentation = await this.require(id);
    if (!cancelled) throw new SegmentationFinishedError(segmentation);
    this.queue.abandon(id);
    return segmentation;
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

  /** @returns null until the segmentation is SUCCEEDED */
  mask(id: string): Promise<StoredMask | null> {
    return this.store.mask(id);
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
  private async settled(segmentations: Segmentation[], waitS: number): Promise<Segmentation[]> {
    const deadline = Date.now() + waitS * 1000;
    let rows = segmentations;
    while (!rows.every(isFinal) && Date.now() < deadline) {
      await sleep(Math.min(POLL_MS, Math.max(0, deadline - Date.now())));
      const current = new Map((await this.store.byIds(segmentations.map(({ id }) => id))).map((row) => [row.id, row]));
      rows = segmentations.map((row) => current.get(row.id) ?? row);
    }
    return rows;
  }
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
