import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type EncodedWindow, ImageCache } from '../../src/inference/image-cache.ts';

/** A window of that many bytes. */
const windowOf = (bytes: number): EncodedWindow => ({
  features: { image_tokens: new Tensor('float32', new Float32Array(bytes / 4), [bytes / 4]) },
  prefixes: new Map(),
});

describe('ImageCache', () => {
  it('drops the longest unused first and counts', () => {
    const cache = new ImageCache(300);
    for (const key of ['a', 'b', 'c']) cache.set(key, windowOf(100));
    expect(cache.get('a')).toBeDefined();
    cache.set('d', windowOf(100));
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true, true]);
    expect(cache.stats).toEqual({ hits: 4, misses: 1, evictions: 1, bytes: 300, windows: 3 });
  });

  it('measures a window again when its prefixes are added', () => {
    const cache = new ImageCache(300);
    cache.set('a', windowOf(100));
    const grown = windowOf(100);
    cache.set('b', grown);
    grown.prefixes.set('REASONING', windowOf(152).features);
    cache.set('b', grown);
    expect(cache.stats).toMatchObject({ bytes: 252, windows: 1, evictions: 1 });
    expect(cache.get('b')!.prefixes).toBe(grown.prefixes);
  });

  it('does not keep a window that is larger than all the room', () => {
    const cache = new ImageCache(300);
    cache.set('a', windowOf(100));
    cache.set('b', windowOf(400));
    expect(cache.get('b')).toBeUndefined();
    expect(cache.stats).toMatchObject({ bytes: 100, windows: 1 });
  });
});
