import { setImmediate } from 'node:timers/promises';
import { OutageError } from '../errors.ts';
import type { RunStore, Uncompared } from '../segmentation/run.store.ts';
import type { StoredAdjacencyInput } from '../segmentation/segmentation.store.ts';
import { fromCocoCounts } from '../vector/coco-counts.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import type { RunPorts } from './segmentation-run.ts';
import { contactsBetween, type Ground, groundOf } from './vectorise-mask.ts';

/** Runs of masks that are kept for the next comparisons, about 16 bytes each. */
const KEPT_RUNS = 2_000_000;

/**
 * Compares answers with earlier ones of their scene after they were stored, a few at a time, and stores the pairs. Until then
 * queries measure those pairs themselves.
 */
export class AnswerComparison {
  /** Of the scene that was compared last. */
  private place: { readonly sceneId: string; readonly ground: Ground | null } | null = null;
  /** Masks by segmentation, in the order of their last use. */
  private readonly kept = new Map<string, LabelledMask>();
  private keptRuns = 0;
  /** Answers whose comparison failed; tried again by the next process. */
  private readonly failed = new Set<string>();

  constructor(
    private readonly ports: Pick<RunPorts, 'scenesOf' | 'logger'> & {
      readonly store: Pick<RunStore, 'mask' | 'nextUncompared' | 'storeComparison'>;
    },
    private readonly limits: { readonly nearM: number },
  ) {}

  /**
   * Compares one answer with the next of the earlier answers of its scene.
   * @param worker number of this process
   * @returns false when every answer is compared
   * @throws errors of a database that does not answer
   */
  async step(worker: number, signal: AbortSignal): Promise<boolean> {
    const next = await this.ports.store.nextUncompared(worker, this.failed);
    if (next === null) return false;
    try {
      const adjacency = await this.contacts(next, signal);
      await this.ports.store.storeComparison(next, adjacency, this.limits.nearM, signal);
    } catch (error) {
      if (signal.aborted || error instanceof OutageError) throw error;
      this.failed.add(next.id);
      this.ports.logger.error({ err: error, segmentation: next.id }, 'Comparison:Failed');
    }
    return true;
  }

  private async contacts(
    { id, sceneId, workspace, earlier }: Uncompared,
    signal: AbortSignal,
  ): Promise<StoredAdjacencyInput[]> {
    if (this.place?.sceneId !== sceneId) {
      this.place = { sceneId, ground: await groundOf(await this.ports.scenesOf(workspace).get(sceneId)) };
    }
    const { ground } = this.place;
    const own = await this.labelled(id);
    const found: StoredAdjacencyInput[] = [];
    for (const other of earlier) {
      const labelled = await this.labelled(other.id);
      found.push(...contactsBetween({ id, labelled: own }, { id: other.id, labelled }, ground));
      await setImmediate(); // other work of the event loop goes in between
      signal.throwIfAborted();
    }
    return found;
  }

  /** A stored mask as label raster. Stored masks are sieved, so labelling gives the stored labels. */
  private async labelled(id: string): Promise<LabelledMask> {
    const known = this.kept.get(id);
    if (known) {
      this.kept.delete(id);
      this.kept.set(id, known);
      return known;
    }
    const mask = await this.ports.store.mask(id);
    if (!mask) throw new TypeError(`segmentation ${id} has features and no mask`);
    const labelled = labelMask(fromCocoCounts(mask.counts, mask.widthPx, mask.heightPx));
    this.kept.set(id, labelled);
    this.keptRuns += labelled.labels.length;
    for (const [oldest, { labels }] of this.kept) {
      if (this.keptRuns <= KEPT_RUNS || oldest === id) break;
      this.kept.delete(oldest);
      this.keptRuns -= labels.length;
    }
    return labelled;
  }
}
