import { z } from 'zod';
import { type MeasureName, MEASURES, type MeasureValues } from './measures.ts';

/** Shape of the measures of a feature, as statements and the API give them. */
export const MEASURE_SHAPE = Object.fromEntries(
  MEASURES.map(({ name, missing }) => [name, missing === 'NEVER' ? z.number() : z.number().nullable()]),
) as unknown as { readonly [Name in MeasureName]: z.ZodType<MeasureValues[Name]> };
