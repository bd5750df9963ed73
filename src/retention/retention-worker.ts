import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from '../blob-store.ts';
import type { Logger } from '../logging.ts';
import { markForRemoval, removeCopy } from '../scene/scene-copies.ts';
import type { DueRepository, SceneCopy } from './due.repository.ts';

/** How long things are kept, days; undefined: for ever. */
export interface RetentionPolicy {
  readonly imagesDays: number | undefined;
  readonly answersDays: number | undefined;
  readonly scenesDays: number | undefined;
  readonly deletionsDays: number;
}

/** What retention works on. */
export interface RetentionParts {
  readonly due: DueRepository;
  readonly blobs: Pick<BlobStore, 'lease' | 'removeFolder'>;
  /** Removes kept windows of runs that there are no more. */
  readonly dropWindows: () => Promise<void>;
  readonly logger: Logger;
  readonly now?: () => Date;
}

const SWEEP_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
/** Objects that are looked up at once; each is deleted in a transaction of its own. */
const STEP = 20;

/**
 * Deletes what is due: answers, then scenes with what was found on them, then copies of images. Any number of processes do
 * so beside each other; what one deleted, another finds gone.
 */
export class RetentionWorker {
  private readonly closing = new AbortController();
  private sweeping: Promise<void> = Promise.resolve();
  private readonly now: () => Date;

  constructor(
    private readonly parts: RetentionParts,
    private readonly policy: RetentionPolicy,
  ) {
    this.now = parts.now ?? (() => new Date());
  }

  /** Sweeps every minute, until {@link close}. */
  start(): void {
    this.sweeping = this.sweepAgain();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.sweeping;
  }

  /** Deletes everything that is due now. @returns number of objects that were deleted */
  async sweep(): Promise<number> {
    const { due, dropWindows } = this.parts;
    const { answersDays, imagesDays, scenesDays, deletionsDays } = this.policy;
    const [answers, images, scenes] = [answersDays, imagesDays, scenesDays].map((days) => this.ago(days));
    let deleted = 0;
    if (answers)
      deleted += await this.inSteps(
        () => due.answers(answers, STEP),
        (id) => this.removeAnswer(id),
      );
    deleted += await this.inSteps(
      () => due.scenes(this.now(), scenes ?? null, STEP),
      (scene) => this.removeScene(scene),
    );
    if (images)
      deleted += await this.inSteps(
        () => due.images(images, STEP),
        (scene) => this.removeImage(scene),
      );
    // Asked about until then; the day more is for requests that are under way.
    await due.removeDeletions(this.ago(deletionsDays + 1)!);
    if (deleted > 0) await dropWindows();
    return deleted;
  }

  private ago(days: number | undefined): Date | null {
    return days === undefined ? null : new Date(this.now().getTime() - days * DAY_MS);
  }

  private async sweepAgain(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await this.sweep().catch((err: unknown) => this.parts.logger.error({ err }, 'Retention:Failed'));
      await sleep(SWEEP_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Until nothing is due, or nothing of what is due can be deleted. */
  private async inSteps<Due>(find: () => Promise<Due[]>, remove: (due: Due) => Promise<void>): Promise<number> {
    let total = 0;
    for (let removed = 1; removed > 0; total += removed) {
      removed = 0;
      for (const one of await find()) {
        if (this.closing.signal.aborted) return total + removed;
        try {
          await remove(one);
          removed += 1;
        } catch (err) {
          this.parts.logger.error({ err, due: one }, 'Retention:NotDeleted');
        }
      }
    }
    return total;
  }

  private async removeAnswer(segmentationId: string): Promise<void> {
    if ((await this.parts.due.removeAnswer(segmentationId)) > 0) {
      this.parts.logger.info({ segmentationId }, 'Retention:Answer');
    }
  }

  /** Its answers first, each by itself, so that no transaction is larger than one answer. */
  private async removeScene({ id, blobKey }: SceneCopy): Promise<void> {
    const { due, blobs, logger } = this.parts;
    for (const answer of await due.answersIn(id)) await this.removeAnswer(answer);
    await markForRemoval(blobs, blobKey);
    const removed = await due.removeScene(id);
    await removeCopy(blobs, blobKey);
    if (removed > 0) logger.info({ sceneId: id }, 'Retention:Scene');
  }

  private async removeImage(scene: SceneCopy): Promise<void> {
    const { due, blobs, logger } = this.parts;
    await markForRemoval(blobs, scene.blobKey);
    const forgotten = await due.forgetImage(scene, this.now());
    await removeCopy(blobs, scene.blobKey);
    if (forgotten > 0) logger.info({ sceneId: scene.id }, 'Retention:Image');
  }
}
