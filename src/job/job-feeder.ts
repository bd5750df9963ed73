import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, OutageError } from '../errors.ts';
import { QuotaExceededError } from '../quota.ts';
import type { Logger } from '../logging.ts';
import type { RegisterScene, SceneService } from '../scene/scene.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import type { ClaimedItem, JobReference } from './job.ts';
import type { JobStore } from './job.store.ts';

/** Scenes that a process begins at once. */
const AT_ONCE = 4;
const POLL_MS = 500;
/** How often a process says that it still works on a scene. */
const EXTEND_MS = 5000;

/** The services of a workspace that a job needs. */
export interface JobServices {
  readonly scenes: SceneService;
  readonly segmentations: SegmentationService;
}

/**
 * Begins the scenes of jobs, a few at a time: registers them where they are to be, and asks. Any number of processes do so;
 * one that dies leaves scenes that others take up, which find what it had done: the scene has its identifier from the start,
 * and the same question about a scene is the same run.
 */
export class JobFeeder {
  private readonly closing = new AbortController();
  private feeding: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: JobStore,
    private readonly servicesOf: (workspace: string) => JobServices,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.feeding = this.feed();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.feeding;
  }

  private async feed(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      const items = await this.store.claim(AT_ONCE).catch((err: unknown) => {
        this.logger.error({ err }, 'Job:Failed');
        return [];
      });
      await Promise.all(items.map((item) => this.begin(item)));
      if (items.length === 0) await sleep(POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async begin(item: ClaimedItem): Promise<void> {
    const extend = setInterval(() => void this.store.extend(item).catch(() => undefined), EXTEND_MS);
    try {
      const { scenes, segmentations } = this.servicesOf(item.workspace);
      const scene = await sceneOf(item, scenes);
      if (item.questions === null) return await this.store.begun(item, 0, []);
      const request = { ...item.questions, sceneId: scene.id, waitS: 0 };
      const { windows } = await segmentations.questions(request, scene);
      const runs = await segmentations.segment(request);
      const known = runs.map(({ id, createdAt }) => ({ id, reused: createdAt < item.askedAt }));
      await this.store.begun(item, windows, known);
    } catch (error) {
      await this.failed(item, error).catch((err: unknown) => this.logger.error({ err }, 'Job:Failed'));
    } finally {
      clearInterval(extend);
    }
  }

  /** An outage, and windows that wait, leave the scene to the next process that takes it up. */
  private async failed(item: ClaimedItem, error: unknown): Promise<void> {
    this.logger.warn({ err: error, job: item.jobId, scene: item.sceneId }, 'Job:SceneFailed');
    if (error instanceof OutageError || (error instanceof QuotaExceededError && error.retryAfterS !== null)) return;
    const { code, message } = error instanceof AppError ? error : UNKNOWN;
    await this.store.failed(item, { code, message });
  }
}

const UNKNOWN = { code: 'INTERNAL_SERVER_ERROR', message: 'It failed; the service log has the reason.' };

async function sceneOf({ sceneId, reference }: ClaimedItem, scenes: SceneService): Promise<Scene> {
  if (reference === null) return scenes.get(sceneId);
  const found = await scenes.byId(sceneId);
  if (found) return found;
  try {
    return await scenes.register(registrationOf(reference), undefined, sceneId);
  } catch (error) {
    // Another process may have taken this one for dead, and registered the scene.
    const registered = await scenes.byId(sceneId);
    if (registered) return registered;
    throw error;
  }
}

function registrationOf({ acquiredAt, ...reference }: JobReference): RegisterScene {
  return { ...reference, ...(acquiredAt === undefined ? {} : { acquiredAt: new Date(acquiredAt) }) };
}
