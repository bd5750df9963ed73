import { Prisma } from '../database/database.ts';
import { type Measure, type MeasureName, MEASURES, type MeasureValues, PIXEL_MEASURES } from './measures.ts';

const NAMES = MEASURES.map(({ name }) => name);

/** Adds the measures of a row to a fresh object, in place. */
export function withMeasures<Values extends object>(values: Values, row: MeasureValues): Values & MeasureValues {
  const measured = values as Values & { -readonly [Name in MeasureName]: MeasureValues[Name] };
  for (const name of NAMES) (measured as Record<MeasureName, number | null>)[name] = row[name];
  return measured;
}

/** Value of a measure of the feature `f`. */
export function measureSql({ column, kind }: Measure): Prisma.Sql {
  return Prisma.raw(kind === 'COUNT' ? `f.${column}::float8` : `f.${column}`);
}

function columnsOf(measures: readonly Measure[]): Prisma.Sql {
  return Prisma.join(
    measures.map((measure) => Prisma.sql`${measureSql(measure)} AS ${Prisma.raw(`"${measure.name}"`)}`),
  );
}

/** Every measure of the feature `f`, under its name. */
export const MEASURE_COLUMNS = columnsOf(MEASURES);
/** Those that the mask gives. */
export const PIXEL_MEASURE_COLUMNS = columnsOf(PIXEL_MEASURES);

/** Where a feature without the value stands in an order: last in either direction. */
export function missingSql(descending: boolean): Prisma.Sql {
  return descending ? Prisma.sql`'-Infinity'::double precision` : Prisma.sql`'Infinity'::double precision`;
}

/**
 * What features are ordered by, which is the expression of an index: `feature_largest` and `feature_smallest` by area, and
 * so on, an index for each direction where a measure may be missing, one for both where it never is.
 */
export function sortedSql(measure: Measure, descending: boolean): Prisma.Sql {
  const value = measureSql(measure);
  return measure.missing === 'NEVER' ? value : Prisma.sql`COALESCE(${value}, ${missingSql(descending)})`;
}
