import { createHash } from 'node:crypto';
import type { Scene } from '../scene/scene.ts';
import type { RunPlan } from './plan-run.ts';
import type { NewSegmentation } from './segmentation.ts';

/**
 * Work key of a question: a hash of everything that determines its answer, namely the image and its rendering, windows,
 * question, weights and filters. Names, times and different spellings of the same plan do not change it.
 * @returns SHA-256, lower-case hexadecimal
 */
export function workKeyOf(question: Omit<NewSegmentation, 'workKey'>, scene: Scene, { windows }: RunPlan): string {
  const { prompt, task, model, threshold, minAreaM2, areaOfInterest } = question;
  const { sha256, crs, affine, rgbBands, stretch, nodata, collar } = scene;
  return sha256Of([
    { sha256, crs, affine, rgbBands, stretch, nodata, ...(collar ? { collar } : {}) },
    windows,
    { prompt, task, model: model.sha256, threshold, minAreaM2 },
    areaOfInterest && [areaOfInterest.type, areaOfInterest.coordinates],
  ]);
}

/** Hash of a value as JSON; objects must have their members in a fixed order. */
export function sha256Of(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
