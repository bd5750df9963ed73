/**
 * What is measured of every feature, one row a measure. Filters, orders, insertion, pages, files, GraphQL fields, columns of
 * the command line and the table in `docs/integrations.md` derive from it.
 *
 * A further measure takes a row here, a migration (column, its index for each direction if it has a sort key), the field of
 * the Prisma model, and `npm run schema`.
 */

/** Where the value of a measure comes from when a feature is stored; SQL is trusted text. */
export type MeasureSource =
  /** Of the mask, with the feature. */
  | { readonly of: 'PIXELS'; readonly type: 'bigint' | 'float8' }
  /** An expression over `outline`, a WGS 84 geometry; null without georeference. */
  | { readonly of: 'OUTLINE'; readonly sql: string }
  /** An expression over the columns of measures of the outline; null without georeference. */
  | { readonly of: 'MEASURES'; readonly sql: string };

export interface Measure {
  /** Name in the API and in files; ends with its unit where it has one. */
  readonly name: string;
  /** Column of `feature`. */
  readonly column: string;
  /** REAL: IEEE 754 double. COUNT: whole number from 0. */
  readonly kind: 'REAL' | 'COUNT';
  readonly unit: 'm²' | 'm' | '°' | 'px' | null;
  /** When there is no value: never, for scenes without georeference, or for some features of any scene. */
  readonly missing: 'NEVER' | 'WITHOUT_GEOREFERENCE' | 'FOR_SOME';
  /** Smallest and largest value there can be; a filter that asks for others is refused. */
  readonly range: readonly [min: number, max: number];
  /** Null where no index orders features by it; such a measure is no condition of a filter either. */
  readonly sortKey: string | null;
  /** Heading of its column on the command line. */
  readonly heading: string;
  readonly source: MeasureSource;
  /** A sentence for the API and the docs. */
  readonly doc: string;
}

export const MEASURES = [
  {
    name: 'areaM2',
    column: 'area_m2',
    kind: 'REAL',
    unit: 'm²',
    missing: 'WITHOUT_GEOREFERENCE',
    range: [0, Infinity],
    sortKey: 'AREA',
    heading: 'area',
    source: { of: 'OUTLINE', sql: 'ground_area_m2(outline)' },
    doc: 'Area on the WGS 84 ellipsoid, square metres.',
  },
  {
    name: 'perimeterM',
    column: 'perimeter_m',
    kind: 'REAL',
    unit: 'm',
    missing: 'WITHOUT_GEOREFERENCE',
    range: [0, Infinity],
    sortKey: 'PERIMETER',
    heading: 'perimeter',
    source: { of: 'OUTLINE', sql: 'ground_perimeter_m(outline)' },
    doc: 'Geodesic length of the exterior and of the holes along pixel edges, metres, without the cut at the antimeridian.',
  },
  {
    name: 'pixelCount',
    column: 'pixel_count',
    kind: 'COUNT',
    unit: 'px',
    missing: 'NEVER',
    range: [0, Infinity],
    sortKey: null,
    heading: 'pixels',
    source: { of: 'PIXELS', type: 'bigint' },
    doc: 'Number of scene pixels.',
  },
  {
    name: 'meanProbability',
    column: 'mean_probability',
    kind: 'REAL',
    unit: null,
    missing: 'NEVER',
    range: [0, 1],
    sortKey: 'PROBABILITY',
    heading: 'probability',
    source: { of: 'PIXELS', type: 'float8' },
    doc: 'Mean probability of the pixels, 0 to 1.',
  },
  {
    name: 'maxProbability',
    column: 'max_probability',
    kind: 'REAL',
    unit: null,
    missing: 'FOR_SOME',
    range: [0, 1],
    sortKey: 'MAX_PROBABILITY',
    heading: 'max probability',
    source: { of: 'PIXELS', type: 'float8' },
    doc: 'Largest probability of a pixel, 0 to 1; null for features stored before it was measured.',
  },
  {
    name: 'compactness',
    column: 'compactness',
    kind: 'REAL',
    unit: null,
    missing: 'WITHOUT_GEOREFERENCE',
    range: [0, Infinity],
    sortKey: 'COMPACTNESS',
    heading: 'compactness',
    source: { of: 'MEASURES', sql: 'CASE WHEN perimeter_m > 0 THEN 4 * pi() * area_m2 / perimeter_m ^ 2 ELSE 1 END' },
    doc: '4π · area / perimeter²: 1 for a disc, less for any other outline.',
  },
  {
    name: 'bearingDeg',
    column: 'bearing_deg',
    kind: 'REAL',
    unit: '°',
    missing: 'FOR_SOME',
    range: [0, 180],
    sortKey: null,
    heading: 'bearing',
    source: { of: 'OUTLINE', sql: 'long_side_bearing(outline)' },
    doc: 'Azimuth of the long side of the minimum rotated rectangle, degrees clockwise from north, 0 to 180; null for a square.',
  },
  {
    name: 'elongation',
    column: 'elongation',
    kind: 'REAL',
    unit: null,
    missing: 'FOR_SOME',
    range: [0, 1],
    sortKey: 'ELONGATION',
    heading: 'elongation',
    source: { of: 'OUTLINE', sql: 'elongation(outline)' },
    doc: '1 − short side / long side of the minimum rotated rectangle: 0 for a square, near 1 for a long strip.',
  },
] as const satisfies readonly Measure[];

type MeasureRow = (typeof MEASURES)[number];
export type MeasureName = MeasureRow['name'];
/** Measures with a sort key, which are conditions of a filter too. */
export type SortedMeasure = Extract<MeasureRow, { sortKey: string }>;
export type RangeName = SortedMeasure['name'];
export type MeasureSortKey = SortedMeasure['sortKey'];

/** The measures of a feature by their names. */
export type MeasureValues = {
  readonly [Row in MeasureRow as Row['name']]: Row['missing'] extends 'NEVER' ? number : number | null;
};
type PixelMeasure = Extract<MeasureRow, { source: { of: 'PIXELS' } }>;
/** The measures that the mask gives. */
export type PixelMeasures = Pick<MeasureValues, PixelMeasure['name']>;

const isOfPixels = (measure: MeasureRow): measure is PixelMeasure => measure.source.of === 'PIXELS';
export const PIXEL_MEASURES: readonly PixelMeasure[] = MEASURES.filter(isOfPixels);

const isSorted = (measure: MeasureRow): measure is SortedMeasure => measure.sortKey !== null;
/** Measures that filters and orders know. */
export const SORTED_MEASURES: readonly SortedMeasure[] = MEASURES.filter(isSorted);
export const RANGE_NAMES: readonly RangeName[] = SORTED_MEASURES.map(({ name }) => name);
/** Smallest and largest value of each of them. */
export const RANGES = Object.fromEntries(SORTED_MEASURES.map(({ name, range }) => [name, range])) as Readonly<
  Record<RangeName, Measure['range']>
>;
