import { z } from 'zod';
import { Prisma } from '../database/database.ts';
import { numberTextSql, objectTextSql } from '../database/sql/object-text.ts';
import { REACH_M } from './feature.row.ts';
import { outlineSql } from './outline.repository.ts';
import type { PlainField } from './feature.store.ts';
import { type MeasureName, MEASURES } from './measures.ts';
import { measureSql } from './measures.repository.ts';

export const FeatureTextRow = z.object({ text: z.string(), reachM: REACH_M });
/** With its place in the order. */
export const PlacedTextRow = FeatureTextRow.extend({ id: z.string(), sortedBy: z.number().nullable() });

const NUMBERS = Object.fromEntries(MEASURES.map((measure) => [measure.name, measureSql(measure)])) as Readonly<
  Record<MeasureName, Prisma.Sql>
>;

/**
 * Text of a JSON object of the feature `f`.
 * @param fields at least one
 * @param distance what `distanceM` is
 */
export function featureTextSql(fields: readonly PlainField[], distance: Prisma.Sql): Prisma.Sql {
  return objectTextSql(fields, (field) => {
    if (field.name === '__typename') return Prisma.sql`'"Feature"'`;
    if (field.name === 'id') return Prisma.sql`'"' || f.id::text || '"'`;
    if (field.name === 'geometry') return outlineSql(field.format);
    return numberTextSql(field.name === 'distanceM' ? distance : NUMBERS[field.name]);
  });
}
