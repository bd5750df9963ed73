import { AppError } from '../errors.ts';
import { growingFloat64, growingUint32 } from './growing-array.ts';
import type { MaskRow } from './mask-runs.ts';

/** A threshold or probability is not a number from 0 to 1. */
export class InvalidProbabilityError extends AppError {
  readonly code = 'INVALID_PROBABILITY';
}

/**
 * Finds the runs of one row whose probability reaches the threshold.
 * @param y row in the scene frame
 * @param probability one per column, 0 to 1
 * @param threshold a pixel belongs to the mask when its probability is at least this
 * @param valid one per column; 0 excludes a pixel whatever its probability (nodata, transparent)
 * @throws {InvalidProbabilityError} when the threshold or a valid pixel is not within 0 to 1, or `valid` has another length
 */
export function rowFromProbability(
  y: number,
  probability: Float32Array,
  threshold: number,
  valid?: Uint8Array,
): MaskRow {
  if (!(threshold >= 0 && threshold <= 1))
    throw new InvalidProbabilityError(`Threshold ${threshold} is not within 0 to 1.`);
  if (valid && valid.length !== probability.length) {
    throw new InvalidProbabilityError(
      `Row ${y} has ${valid.length} validity flags for ${probability.length} probabilities.`,
    );
  }
  const [toggles, sums, maxima] = [growingUint32(), growingFloat64(), growingFloat64()];
  let inRun = false;
  let sum = 0;
  let maximum = 0;
  const endRun = (): void => {
    sums.push(sum);
    maxima.push(maximum);
  };
  for (let column = 0; column < probability.length; column++) {
    const p = probability[column]!;
    const isValid = valid === undefined || valid[column] !== 0;
    if (isValid && !(p >= 0 && p <= 1)) {
      throw new InvalidProbabilityError(`Probability ${p} at row ${y}, column ${column} is not within 0 to 1.`);
    }
    const inside = isValid && p >= threshold;
    if (inside !== inRun) {
      toggles.push(column);
      if (inRun) endRun();
      sum = 0;
      maximum = 0;
      inRun = inside;
    }
    if (inside) {
      sum += p;
      if (p > maximum) maximum = p;
    }
  }
  if (inRun) {
    toggles.push(probability.length);
    endRun();
  }
  return {
    y,
    toggles: toggles.toArray(),
    probabilitySums: sums.toArray(),
    probabilityMaxima: maxima.toArray(),
  };
}
