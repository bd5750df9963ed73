import { z } from 'zod';
import { Prisma } from '../database/database.ts';
import {
  ADJACENCY_RELATIONS,
  type Bbox,
  type Feature,
  type FeatureNeighbour,
  type GeometryFormat,
  type Outline,
  type Position,
} from './feature.ts';
import { MEASURE_COLUMNS, withMeasures } from './measures.repository.ts';
import { MEASURE_SHAPE } from './measures.schema.ts';

/** Columns of a feature `f` for {@link FeatureRow}; the box of a feature across the antimeridian goes past 180°. */
export const FEATURE_COLUMNS = Prisma.sql`
  f.id, f.scene_id AS "sceneId", f.segmentation_id AS "segmentationId", f.label,
  f.geometry IS NOT NULL AS georeferenced,
  ST_X(COALESCE(f.centroid, ST_Centroid(f.pixel_geometry))) AS "centroidX",
  ST_Y(COALESCE(f.centroid, ST_Centroid(f.pixel_geometry))) AS "centroidY",
  ST_XMin(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMin",
  ST_YMin(COALESCE(f.geometry, f.pixel_geometry)) AS "yMin",
  ST_XMax(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMax",
  ST_YMax(COALESCE(f.geometry, f.pixel_geometry)) AS "yMax",
  ${MEASURE_COLUMNS}`;

const columns = z.object({
  id: z.string(),
  sceneId: z.string(),
  segmentationId: z.string(),
  label: z.number(),
  georeferenced: z.boolean(),
  centroidX: z.number(),
  centroidY: z.number(),
  xMin: z.number(),
  yMin: z.number(),
  xMax: z.number(),
  yMax: z.number(),
  ...MEASURE_SHAPE,
  distanceM: z.number().nullable(),
});

/** A box as it was read: past 180° where it crosses the antimeridian. */
interface ReadBox {
  readonly georeferenced: boolean;
  readonly xMin: number;
  readonly yMin: number;
  readonly xMax: number;
  readonly yMax: number;
}

/** The box as RFC 7946 has it: west > east where it crosses the antimeridian. */
export function boxOf({ georeferenced, xMin, yMin, xMax, yMax }: ReadBox): Bbox {
  return [xMin, yMin, georeferenced && xMax > 180 ? xMax - 360 : xMax, yMax];
}

/** Field by field, which for a large page is several times as quick as spreading a row. */
function toFeature(row: z.infer<typeof columns>, outline?: Outline): Feature {
  const centroid: Position = [row.centroidX, row.centroidY];
  const values = {
    id: row.id,
    sceneId: row.sceneId,
    segmentationId: row.segmentationId,
    label: row.label,
    georeferenced: row.georeferenced,
    centroid,
    bbox: boxOf(row),
    distanceM: row.distanceM,
  };
  const feature = withMeasures(values, row);
  return outline ? Object.assign(feature, { outline }) : feature;
}

export const FeatureRow = columns.transform((row) => toFeature(row));

/** Of a row of the nearest, see {@link FeaturePageSql}. */
export const REACH_M = z.number().nullable().optional();

/** A feature with the value that it is sorted by, read for its segmentation, and its outline if it was asked for. */
export const SortedFeatureRow = columns
  .extend({ sortedBy: z.number().nullable(), outline: z.string().optional(), reachM: REACH_M })
  .transform((row) => ({
    ownerId: row.segmentationId,
    sortedBy: row.sortedBy,
    reachM: row.reachM,
    /** @param format that the outline was read in, null where none was */
    feature: (format: GeometryFormat | null): Feature =>
      toFeature(row, format && row.outline !== undefined ? { format, text: row.outline } : undefined),
  }));

/** A neighbour, read for another feature. */
export const NeighbourRow = columns
  .extend({
    ownerId: z.string(),
    relation: z.enum(ADJACENCY_RELATIONS),
    sharedBorderM: z.number().nullable(),
    gapM: z.number().nullable(),
    neighbourBearingDeg: z.number().nullable(),
  })
  .transform(({ ownerId, relation, sharedBorderM, gapM, neighbourBearingDeg, ...row }) => {
    const neighbour: FeatureNeighbour = {
      node: toFeature(row),
      relation,
      sharedBorderM,
      gapM,
      bearingDeg: neighbourBearingDeg,
    };
    return { ownerId, neighbour };
  });
