import { setImmediate } from 'node:timers/promises';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { fromCocoCounts, toCocoCounts } from '../vector/coco-counts.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import { MaskRuns } from '../vector/mask-runs.ts';
import type { SameAnswer } from '../segmentation/run.store.ts';
import type { SceneMasks } from './segment-scene.ts';
import type { EmptyReason } from '../segmentation/segmentation.ts';
import type { SegmentationResult } from '../segmentation/segmentation.store.ts';
import { featuresOf, type Ground, labelScene } from './vectorise-mask.ts';

/** The answer to one question, before it is compared with other answers of its scene. */
export interface RunAnswer {
  readonly labelled: LabelledMask;
  readonly result: Omit<SegmentationResult, 'adjacency' | 'nearM'>;
}

/**
 * Vectorises what the model found.
 * @param found null when the area of interest contains no pixel of the scene
 * @param index index of the question in the run
 * @param minAreaM2 smaller features are dropped
 */
export async function tracedAnswer(
  scene: Scene,
  ground: Ground | null,
  found: SceneMasks | null,
  index: number,
  { minAreaM2, windows }: { readonly minAreaM2: number; readonly windows: number },
): Promise<RunAnswer> {
  const mask = found?.masks[index] ?? new MaskRuns(scene.widthPx, scene.heightPx);
  const labelled = labelScene(mask, ground, minAreaM2);
  await setImmediate(); // each step of a large mask takes long; other work of the event loop goes in between
  const counts = toCocoCounts(labelled.mask);
  await setImmediate();
  const { widthPx, heightPx, pixelCount, meanProbability } = labelled.mask;
  return {
    labelled,
    result: {
      mask: { widthPx, heightPx, counts, pixelCount, meanProbability: meanProbability ?? 0 },
      georeferenced: isGeoreferenced(scene),
      features: featuresOf(labelled, ground),
      windows,
      emptyReason: found ? emptyReasonOf(found.validPixels, mask, labelled) : 'OUTSIDE_AREA_OF_INTEREST',
    },
  };
}

/** Copies an answer stored for another scene of the same image; a stored mask keeps its labels. */
export function copiedAnswer(scene: Scene, ground: Ground | null, answer: SameAnswer): RunAnswer {
  const { widthPx, heightPx, counts, pixelCount, meanProbability } = answer.mask;
  const labelled = labelMask(fromCocoCounts(counts, widthPx, heightPx));
  const features = featuresOf(labelled, ground).map((feature) => ({
    ...feature,
    ...answer.measures.get(feature.label)!,
  }));
  return {
    labelled,
    result: {
      mask: { widthPx, heightPx, counts, pixelCount, meanProbability },
      georeferenced: isGeoreferenced(scene),
      features,
      windows: answer.windows,
      emptyReason: answer.emptyReason,
    },
  };
}

function emptyReasonOf(validPixels: number, mask: MaskRuns, labelled: LabelledMask): EmptyReason | null {
  if (labelled.labelCount > 0) return null;
  if (validPixels === 0) return 'NO_VALID_PIXELS';
  return mask.pixelCount === 0 ? 'NO_PIXEL_ABOVE_THRESHOLD' : 'ALL_BELOW_MIN_AREA';
}
