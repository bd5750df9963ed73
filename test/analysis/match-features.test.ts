import { describe, expect, it } from 'vitest';
import type { FeatureOverlap, FeaturePart } from '../../src/analysis/change.ts';
import { matchFeatures } from '../../src/analysis/match-features.ts';

const part = (id: string, areaM2: number): FeaturePart => ({ id, segmentationId: 's', areaM2 });
const overlap = (fromId: string, toId: string, areaM2: number): FeatureOverlap => ({ fromId, toId, areaM2 });

describe('matching', () => {
  it('takes the pair with the best overlap first, each feature once', () => {
    const from = [part('a', 100), part('b', 100)];
    const to = [part('x', 100), part('y', 100)];
    // b lies on x better than a does, and a has y as its second best.
    const overlaps = [overlap('a', 'x', 60), overlap('b', 'x', 80), overlap('a', 'y', 40)];
    const { pairs, appearedIds, vanishedIds } = matchFeatures(from, to, overlaps, 0.2);
    expect(pairs.map(({ fromId, toId }) => fromId + toId)).toEqual(['bx', 'ay']);
    expect(pairs.map(({ iou }) => iou)).toEqual([80 / 120, 40 / 160]);
    expect([appearedIds, vanishedIds]).toEqual([[], []]);
    expect(matchFeatures(from, to, overlaps, 0.5)).toMatchObject({ appearedIds: ['y'], vanishedIds: ['a'] });
  });

  it('prefers the smaller identifier among equals, whatever the order they come in', () => {
    const overlaps = [overlap('b', 'x', 50), overlap('a', 'x', 50)];
    for (const order of [overlaps, overlaps.toReversed()]) {
      const { pairs } = matchFeatures([part('b', 100), part('a', 100)], [part('x', 50)], order, 0.5);
      expect(pairs.map(({ fromId }) => fromId)).toEqual(['a']);
    }
  });

  it('counts ground by overlaps, matched or not', () => {
    const change = matchFeatures(
      [part('a', 100)],
      [part('x', 30), part('y', 50)],
      [overlap('a', 'x', 30), overlap('a', 'y', 20)],
      0.9,
    );
    expect(change).toMatchObject({ pairs: [], persistedAreaM2: 50, vanishedAreaM2: 50, appearedAreaM2: 30 });
  });

  it('lets nothing appear or vanish by rounding', () => {
    const change = matchFeatures([part('a', 100)], [part('x', 100)], [overlap('a', 'x', 100 - 1e-5)], 0.5);
    expect(change).toMatchObject({ appearedAreaM2: 0, vanishedAreaM2: 0, appearedIds: [], vanishedIds: [] });
  });

  it('lists what is unmatched, largest first', () => {
    expect(matchFeatures([part('a', 1), part('b', 3), part('c', 2)], [], [], 0.5).vanishedIds).toEqual(['b', 'c', 'a']);
  });
});
