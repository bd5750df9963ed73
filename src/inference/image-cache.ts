import { LRUCache } from 'lru-cache';
import type { Tensor } from 'onnxruntime-node';
import type { SegmentationTask } from './segmentation-model.ts';

export type Tensors = Record<string, Tensor>;

/** The encoded image of a window: everything that does not depend on the question. */
export interface EncodedWindow {
  /** Outputs of the vision graph, by name. */
  readonly features: Tensors;
  /** Key-value cache of the prompt tokens before the question, by task. */
  readonly prefixes: Map<SegmentationTask, Tensors>;
}

/** Counters since the start, and current contents. */
export interface ImageCacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly bytes: number;
  readonly windows: number;
}

/**
 * LRU cache of encoded windows by content hash, so that a later question pays for its own tokens and the mask head alone.
 * Bounded by bytes; a window larger than the bound is not cached.
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

  /** Caches a window, or updates its size after it has grown. */
  set(key: string, window: EncodedWindow): void {
    // A cached value would not be measured again; the shallow copy shares the tensors.
    this.kept.set(key, { ...window });
  }

  get stats(): ImageCacheStats {
    const { hits, misses, evictions } = this;
    return { hits, misses, evictions, bytes: this.kept.calculatedSize, windows: this.kept.size };
  }
}

/** Size of a window's tensors, bytes. */
export function bytesOf({ features, prefixes }: EncodedWindow): number {
  return [features, ...prefixes.values()]
    .flatMap((tensors) => Object.values(tensors))
    .reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
}
