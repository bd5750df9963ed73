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
  f.area_m2 AS "areaM2", f.perimeter_m AS "perimeterM", f.pixel_count::float8 AS "pixelCount",
  f.mean_probability AS "meanProbability", f.compactness, f.bearing_deg AS "bearingDeg"`;

/** The outline of `f` as RFC 7946 text, in pixels where the scene has no georeference. */
export function outlineSql({ precision, simplifyM }: GeometryFormat): Prisma.Sql {
  const ground = simplifyM > 0 ? Prisma.sql`simplified(f.geometry, ${simplifyM}::float8)` : Prisma.sql`f.geometry`;
  return Prisma.sql`ST_AsGeoJSON(COALESCE(${ground}, f.pixel_geometry), ${precision}::int, 0)`;
}

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
  areaM2: z.number().nullable(),
  perimeterM: z.number().nullable(),
  pixelCount: z.number(),
  meanProbability: z.number(),
  compactness: z.number().nullable(),
  bearingDeg: z.number().nullable(),
  distanceM: z.number().nullable(),
});

/** Field by field, which for a large page is several times as quick as spreading a row. */
function toFeature(row: z.infer<typeof columns>, outline?: Outline): Feature {
  const { georeferenced, centroidX, centroidY, xMin, yMin, xMax, yMax } = row;
  const centroid: Position = [centroidX, centroidY];
  const bbox: Bbox = [xMin, yMin, georeferenced && xMax > 180 ? xMax - 360 : xMax, yMax];
  const feature: Feature = {
    id: row.id,
    sceneId: row.sceneId,
    segmentationId: row.segmentationId,
    label: row.label,
    georeferenced,
    centroid,
    bbox,
    areaM2: row.areaM2,
    perimeterM: row.perimeterM,
    pixelCount: row.pixelCount,
    meanProbability: row.meanProbability,
    compactness: row.compactness,
    bearingDeg: row.bearingDeg,
    distanceM: row.distanceM,
  };
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
