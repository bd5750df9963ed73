import { LRUCache } from 'lru-cache';
import type { Tensor } from 'onnxruntime-node';
import type { SegmentationTask } from './segmentation-model.ts';

export type Tensors = Record<string, Tensor>;

/** The image half of a window: everything that does not depend on the question. */
export interface EncodedWindow {
  /** Outputs of the vision graph, by name. */
  readonly features: Tensors;
  /** Per task: keys and values of the tokens before the question. */
  readonly prefixes: Map<SegmentationTask, Tensors>;
}

/** Counts since the start, and what is kept now. */
export interface ImageCacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly bytes: number;
  readonly windows: number;
}

/**
 * Image halves of windows by content hash, so that a later question on a window pays for its own tokens and the mask
 * alone. Bounded by bytes; the longest unused go first. A window that is larger than the bound is not kept.
 */
export class ImageCache {
  private readonly kept: LRUCache<string, EncodedWindow>;
  private hits = 0;
  private misses = 0;
  private evictions = 0;

  constructor(maxBytes: number) {
    this.kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: bytesOf,
      dispose: (_window, _key, reason) => {
        if (reason === 'evict') this.evictions += 1;
      },
      noDisposeOnSet: true,
    });
  }

  /** Counts a hit or a miss. */
  get(key: string): EncodedWindow | undefined {
    const window = this.kept.get(key);
    if (window) this.hits += 1;
    else this.misses += 1;
    return window;
  }

  /** Keeps a window, or measures it again after it has grown. */
  set(key: string, window: EncodedWindow): void {
    // A value that is kept already would not be measured again; the copy shares the tensors.
    this.kept.set(key, { ...window });
  }

  get stats(): ImageCacheStats {
    const { hits, misses, evictions } = this;
    return { hits, misses, evictions, bytes: this.kept.calculatedSize, windows: this.kept.size };
  }
}

/** Bytes of a window's tensors. */
export function bytesOf({ features, prefixes }: EncodedWindow): number {
  return [features, ...prefixes.values()]
    .flatMap((tensors) => Object.values(tensors))
    .reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
}
