import { createHash } from 'node:crypto';
import type { Scene } from '../scene/scene.ts';
import type { RunPlan } from './plan-run.ts';
import type { NewSegmentation } from './segmentation.ts';

/**
 * Hash of all that decides the answer to a question: the image and how it is shown, the windows, the question, the
 * weights, and what is kept of the answer. Names, times and the ways in which the same plan can be asked for do not count.
 * @returns SHA-256, lower-case hexadecimal
 */
export function runIdentity(question: Omit<NewSegmentation, 'identity'>, scene: Scene, { windows }: RunPlan): string {
  const { prompt, task, model, threshold, minAreaM2, areaOfInterest } = question;
  const { sha256, crs, affine, rgbBands, stretch, nodata } = scene;
  return sha256Of([
    { sha256, crs, affine, rgbBands, stretch, nodata },
    windows,
    { prompt, task, model: model.sha256, threshold, minAreaM2 },
    areaOfInterest && [areaOfInterest.type, areaOfInterest.coordinates],
  ]);
}

/** Hash of a value as JSON; objects must be made with their members in one order. */
export function sha256Of(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
