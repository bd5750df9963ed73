import { fromCocoCounts } from '../vector/coco-counts.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import type { SegmentationStore, StoredAdjacencyInput } from '../segmentation/segmentation.store.ts';
import { contactsBetween, type Ground } from './vectorise-mask.ts';

const PAGE = 1000;

/** Stored answers of a scene as label rasters. Stored masks are sieved, so relabelling gives the stored labels. */
export class EarlierAnswers {
  private readonly labelled = new Map<string, LabelledMask>();

  constructor(
    private readonly store: Pick<SegmentationStore, 'list' | 'mask'>,
    private readonly sceneId: string,
  ) {}

  /** Segmentations already loaded. */
  get ids(): ReadonlySet<string> {
    return new Set(this.labelled.keys());
  }

  add(id: string, labelled: LabelledMask): void {
    this.labelled.set(id, labelled);
  }

  /** Loads answers stored since the last call. */
  async refresh(): Promise<void> {
    let after: string | null = null;
    do {
      const page = await this.store.list({ sceneId: this.sceneId, targetFound: true }, { first: PAGE, after });
      for (const { node } of page.edges) {
        if (this.labelled.has(node.id)) continue;
        const mask = await this.store.mask(node.id);
        if (mask) this.add(node.id, labelMask(fromCocoCounts(mask.counts, mask.widthPx, mask.heightPx)));
      }
      after = page.hasNextPage ? page.edges.at(-1)!.cursor : null;
    } while (after !== null);
  }

  /** Contacts and overlaps of a new answer with the earlier ones. */
  contactsWith(own: { id: string; labelled: LabelledMask }, ground: Ground | null): StoredAdjacencyInput[] {
    return [...this.labelled].flatMap(([id, labelled]) => contactsBetween(own, { id, labelled }, ground));
  }
}
