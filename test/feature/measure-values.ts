import { MEASURES, type MeasureValues, PIXEL_MEASURES, type PixelMeasures } from '../../src/feature/measures.ts';

/** Measures of a feature: those given, and for every other none where it may be missing, else 1. */
export function measureValues(given: Partial<MeasureValues> = {}): MeasureValues {
  const others = MEASURES.map(({ name, missing }) => [name, missing === 'NEVER' ? 1 : null]);
  return { ...(Object.fromEntries(others) as MeasureValues), ...given };
}

/** What a mask tells of a feature: what is given, and 1 for every other measure. */
export function pixelMeasures(given: Partial<PixelMeasures> = {}): PixelMeasures {
  const others = PIXEL_MEASURES.map(({ name }) => [name, 1]);
  return { ...(Object.fromEntries(others) as PixelMeasures), ...given };
}
