import { z } from 'zod';
import { Prisma } from '../database/database.ts';
import { numberTextSql, objectTextSql } from '../database/object-text.ts';
import { outlineSql, REACH_M } from './feature.row.ts';
import type { PlainField, PlainName } from './feature.store.ts';

export const FeatureTextRow = z.object({ text: z.string(), reachM: REACH_M });
/** With its place in the order. */
export const PlacedTextRow = FeatureTextRow.extend({ id: z.string(), sortedBy: z.number().nullable() });

const NUMBERS: Record<Exclude<PlainName, 'id' | 'distanceM'>, Prisma.Sql> = {
  areaM2: Prisma.sql`f.area_m2`,
  perimeterM: Prisma.sql`f.perimeter_m`,
  meanProbability: Prisma.sql`f.mean_probability`,
  compactness: Prisma.sql`f.compactness`,
  bearingDeg: Prisma.sql`f.bearing_deg`,
};

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
