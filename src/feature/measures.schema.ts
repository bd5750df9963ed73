import { z } from 'zod';
import { type Measure, MEASURES, type MeasureValues, PIXEL_MEASURES, type PixelMeasures } from './measures.ts';

type Shape<Values> = { readonly [Name in keyof Values]: z.ZodType<Values[Name]> };

function shapeOf(measures: readonly Measure[]): unknown {
  return Object.fromEntries(
    measures.map(({ name, missing }) => [name, missing === 'NEVER' ? z.number() : z.number().nullable()]),
  );
}

/** Shape of the measures of a feature, as statements and the API give them. */
export const MEASURE_SHAPE = shapeOf(MEASURES) as Shape<MeasureValues>;
/** Of those that the mask gives. */
export const PIXEL_MEASURE_SHAPE = shapeOf(PIXEL_MEASURES) as Shape<PixelMeasures>;
