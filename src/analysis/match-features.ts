import type { FeatureChange, FeatureOverlap, FeaturePart, MatchedPair } from './change.ts';

/** Areas that differ by less than this share of a feature are equal but for rounding: overlays snap to a grid. */
const ROUNDING = 1e-6;
/** Pixels of one grid differ in area by less; overlaps that agree to this are equal. */
const EQUAL_IOU = 1e-6;

/**
 * Matches features of two times greedily: the pair with the highest intersection over union first, ties by identifiers,
 * each feature at most once. Above an overlap of 0.5 no feature has two candidates, so that no other assignment exists
 * (Kirillov et al., Panoptic Segmentation, CVPR 2019, section 4.1).
 *
 * The features of one segmentation are parts of one mask and do not overlap each other, so the areas of the two unions
 * and of their intersection are sums over features and over overlaps.
 * @param minOverlap least intersection over union of a match, more than 0
 */
export function matchFeatures(
  from: readonly FeaturePart[],
  to: readonly FeaturePart[],
  overlaps: readonly FeatureOverlap[],
  minOverlap: number,
): FeatureChange {
  const before = new Map(from.map((part) => [part.id, part.areaM2]));
  const after = new Map(to.map((part) => [part.id, part.areaM2]));
  const known = overlaps.filter(({ fromId, toId }) => before.has(fromId) && after.has(toId));
  const candidates = known
    .map(({ fromId, toId, areaM2 }): MatchedPair => {
      const [old, young] = [before.get(fromId)!, after.get(toId)!];
      return { fromId, toId, iou: Math.min(1, areaM2 / (old + young - areaM2)), areaChangeM2: young - old };
    })
    .filter(({ iou }) => iou >= minOverlap - EQUAL_IOU)
    .toSorted((a, b) => steps(b.iou) - steps(a.iou) || compare(a.fromId, b.fromId) || compare(a.toId, b.toId));
  const pairs = bestFirst(candidates);
  const matchedFrom = new Set(pairs.map(({ fromId }) => fromId));
  const matchedTo = new Set(pairs.map(({ toId }) => toId));
  return {
    appearedIds: unmatched(to, matchedTo),
    vanishedIds: unmatched(from, matchedFrom),
    pairs,
    appearedAreaM2: remainder(after, known, ({ toId }) => toId),
    vanishedAreaM2: remainder(before, known, ({ fromId }) => fromId),
    persistedAreaM2: known.reduce((sum, { areaM2 }) => sum + areaM2, 0),
  };
}

function bestFirst(candidates: readonly MatchedPair[]): MatchedPair[] {
  const taken = new Set<string>();
  return candidates.filter(({ fromId, toId }) => {
    const [before, after] = [`from ${fromId}`, `to ${toId}`];
    if (taken.has(before) || taken.has(after)) return false;
    taken.add(before).add(after);
    return true;
  });
}

function unmatched(parts: readonly FeaturePart[], matched: ReadonlySet<string>): string[] {
  return parts
    .filter(({ id }) => !matched.has(id))
    .toSorted((a, b) => b.areaM2 - a.areaM2 || compare(a.id, b.id))
    .map(({ id }) => id);
}

/** Area of features that no overlap covers. */
function remainder(
  areas: ReadonlyMap<string, number>,
  overlaps: readonly FeatureOverlap[],
  featureOf: (overlap: FeatureOverlap) => string,
): number {
  const left = new Map(areas);
  for (const overlap of overlaps) left.set(featureOf(overlap), left.get(featureOf(overlap))! - overlap.areaM2);
  let sum = 0;
  for (const [id, areaM2] of left) sum += areaM2 > ROUNDING * areas.get(id)! ? areaM2 : 0;
  return sum;
}

const steps = (iou: number): number => Math.round(iou / EQUAL_IOU);
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
