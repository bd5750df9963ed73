import { z } from 'zod';
import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { boxOf, REACH_M } from './feature.row.ts';
import type { FeatureRecord } from './feature-record.ts';
import { MEASURE_COLUMNS, withMeasures } from './measures.repository.ts';
import { MEASURE_SHAPE } from './measures.schema.ts';
import { neighbourCountSql } from './neighbour-pairs.repository.ts';

/**
 * Columns of the record of a feature `f` of the scene `c` and the segmentation `s`, for {@link FeatureRecordRow}. Uses both
 * indexes of `feature_adjacency` for the neighbours.
 * @param distance what `distanceM` is
 */
export function recordColumnsSql(scope: Scope, distance: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    f.id, f.scene_id AS "sceneId", c.name AS "sceneName", f.segmentation_id AS "segmentationId", s.prompt,
    s.model_id AS model, ${MEASURE_COLUMNS}, ${neighbourCountSql(scope)} AS "neighbourCount", ${distance} AS "distanceM",
    c.acquired_at AS "acquiredAt", s.finished_at AS "createdAt", f.geometry IS NOT NULL AS georeferenced,
    ST_XMin(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMin",
    ST_YMin(COALESCE(f.geometry, f.pixel_geometry)) AS "yMin",
    ST_XMax(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMax",
    ST_YMax(COALESCE(f.geometry, f.pixel_geometry)) AS "yMax"`;
}

const columns = z.object({
  id: z.string(),
  sceneId: z.string(),
  sceneName: z.string(),
  segmentationId: z.string(),
  prompt: z.string(),
  model: z.string(),
  ...MEASURE_SHAPE,
  neighbourCount: z.number(),
  distanceM: z.number().nullable(),
  acquiredAt: z.date().nullable(),
  createdAt: z.date(),
  georeferenced: z.boolean(),
  xMin: z.number(),
  yMin: z.number(),
  xMax: z.number(),
  yMax: z.number(),
  outline: z.string(),
});

/** A feature as a file has it, with its outline in the form that was read. */
export const FeatureRecordRow = columns.transform((row) => ({ record: toRecord(row), outline: row.outline }));

/** The same, with what {@link REACH_M} tells of a page of the nearest. */
export const CollectionRow = columns
  .extend({ reachM: REACH_M })
  .transform((row) => ({ record: toRecord(row), outline: row.outline, reachM: row.reachM }));

/** Field by field, which is several times as quick as spreading a row. */
function toRecord(row: z.infer<typeof columns>): FeatureRecord {
  const record = {
    id: row.id,
    sceneId: row.sceneId,
    sceneName: row.sceneName,
    segmentationId: row.segmentationId,
    prompt: row.prompt,
    model: row.model,
    neighbourCount: row.neighbourCount,
    distanceM: row.distanceM,
    acquiredAt: row.acquiredAt,
    createdAt: row.createdAt,
    bbox: boxOf(row),
  };
  return withMeasures(record, row);
}
