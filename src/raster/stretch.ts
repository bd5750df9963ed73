/** The band values displayed as black and white. */
export interface BandStretch {
  readonly min: number;
  readonly max: number;
}

/** Percentiles that map to 0 and 255 when samples have more than 8 bits. */
const STRETCH_PERCENTILES = [2, 98] as const;

/**
 * Stretch of one band between two percentiles of its valid, finite samples, by the nearest-rank method.
 * @param samples band values in any order; not modified
 * @returns null when no sample is finite
 */
export function percentileStretch(samples: ArrayLike<number>): BandStretch | null {
  const finite = Float64Array.from(samples)
    .filter((value) => Number.isFinite(value))
    .sort();
  if (finite.length === 0) return null;
  const at = (percent: number): number => finite[Math.max(0, Math.ceil((percent / 100) * finite.length) - 1)]!;
  return { min: at(STRETCH_PERCENTILES[0]), max: at(STRETCH_PERCENTILES[1]) };
}

/**
 * Scales a band to bytes: `min` becomes 0, `max` 255, values beyond are clamped. A flat band and NaN become 0.
 * @param values band values of any numeric type
 */
export function stretchToBytes(values: ArrayLike<number>, { min, max }: BandStretch): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray(values.length);
  const gain = max > min ? 255 / (max - min) : 0;
  for (let i = 0; i < values.length; i++) bytes[i] = (values[i]! - min) * gain;
  return bytes;
}
