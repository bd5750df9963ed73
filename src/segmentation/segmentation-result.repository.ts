import { geoJSONToWkt } from 'betterknown';
import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import { MEASURES, type MeasureSource, PIXEL_MEASURES } from '../feature/measures.ts';
import { insertNear, type Target } from './near-pairs.repository.ts';
import { chunks } from './row-chunks.ts';
import { insertTouching } from './touching-pairs.repository.ts';
import type { Attempt } from './run.store.ts';
import { SEGMENTATION_STATES } from './segmentation.ts';
import {
  SegmentationNotRunningError,
  type SegmentationResult,
  type StoredFeatureInput,
  UnknownFeatureLabelError,
} from './segmentation.store.ts';

const TargetRow = z.object({
  state: z.enum(SEGMENTATION_STATES),
  attempts: z.number(),
  sceneId: z.string(),
  workspace: z.string(),
});

/**
 * Stores the result of one segmentation; must run in a transaction. The scene's row is locked, so results of one scene are
 * stored one after another, and their numbers have the order of their commits.
 * @throws {SegmentationNotRunningError} {@link UnknownFeatureLabelError}
 */
export async function storeSegmentationResult(
  queries: Queries,
  attempt: Attempt,
  result: SegmentationResult,
): Promise<void> {
  const { id } = attempt;
  const { mask, features, adjacency, georeferenced, nearM, emptyReason, windows = null } = result;
  const target = await lockTarget(queries, attempt);
  const { sceneId, workspace } = target;
  await queries.execute(Prisma.sql`
    INSERT INTO mask (workspace_id, segmentation_id, scene_id, width_px, height_px, counts, pixel_count, mean_probability)
    VALUES (${workspace}::text, ${id}::uuid, ${sceneId}::uuid, ${mask.widthPx}::int, ${mask.heightPx}::int,
            ${`{${mask.counts.join(',')}}`}::text::bigint[], ${mask.pixelCount}::float8::bigint,
            ${mask.meanProbability}::float8)`);
  for (const rows of chunks(features.map(featureJson))) {
    await (georeferenced ? insertGroundFeatures : insertPixelFeatures)(queries, target, rows);
  }
  const touching = await insertTouching(queries, target, adjacency, georeferenced);
  if (touching !== adjacency.length) throw new UnknownFeatureLabelError(id, adjacency.length - touching);
  if (georeferenced && features.length > 0) await insertNear(queries, target, nearM);
  await queries.execute(Prisma.sql`
    WITH total AS (SELECT sum(area_m2) AS area_m2 FROM feature WHERE segmentation_id = ${id}::uuid),
    written AS (
      UPDATE mask SET area_m2 = ${georeferenced ? Prisma.sql`COALESCE(total.area_m2, 0)` : Prisma.sql`NULL`}
      FROM total WHERE segmentation_id = ${id}::uuid RETURNING mask.area_m2
    ),
    earlier AS (
      SELECT COALESCE(max(answer_number), 0) AS answers FROM segmentation WHERE scene_id = ${sceneId}::uuid
    )
    UPDATE segmentation
    SET state = 'SUCCEEDED', worker = NULL, phase = 'done', eta_s = NULL,
        windows_done = COALESCE(${windows}::int, windows_total), windows_total = COALESCE(${windows}::int, windows_total),
        finished_at = CURRENT_TIMESTAMP,
        target_found = ${features.length > 0}::boolean, empty_reason = ${emptyReason}::text,
        feature_count = ${features.length}::int, area_m2 = written.area_m2,
        answer_number = CASE WHEN ${features.length > 0}::boolean THEN earlier.answers + 1 END,
        uncompared_below = CASE WHEN ${features.length > 0}::boolean AND earlier.answers > 0 THEN earlier.answers + 1 ELSE 0 END
    FROM written, earlier WHERE id = ${id}::uuid`);
}

/** Locks the scene, then the segmentation, in the order of a scene's deletion. */
async function lockTarget(queries: Queries, { id, attempts }: Attempt): Promise<Target> {
  await queries.execute(Prisma.sql`
    SELECT 1 FROM scene WHERE id = (SELECT scene_id FROM segmentation WHERE id = ${id}::uuid) FOR NO KEY UPDATE`);
  const [target] = await queries.query(
    TargetRow,
    Prisma.sql`
      SELECT state, attempts, scene_id AS "sceneId", workspace_id AS workspace
      FROM segmentation WHERE id = ${id}::uuid FOR UPDATE`,
  );
  if (target?.state !== 'RUNNING' || target.attempts !== attempts) {
    throw new SegmentationNotRunningError(id, target?.state ?? null);
  }
  return { id, sceneId: target.sceneId, workspace: target.workspace };
}

/** PostGIS measures on the ellipsoid. Rows are passed as json, since jsonb would parse every number twice. */
async function insertGroundFeatures(queries: Queries, { id, sceneId, workspace }: Target, rows: string): Promise<void> {
  await queries.execute(Prisma.sql`
    INSERT INTO feature (workspace_id, id, scene_id, segmentation_id, label, geometry, centroid, ${columnsOf('PIXELS')},
                         ${columnsOf('OUTLINE')}, ${columnsOf('MEASURES')})
    SELECT ${workspace}::text, id, ${sceneId}::uuid, ${id}::uuid, label, outline, centroid, ${columnsOf('PIXELS')}, ${columnsOf('OUTLINE')},
           ${formulasOf('MEASURES')}
    FROM (
      SELECT id, label, outline, ground_centroid(outline) AS centroid, ${columnsOf('PIXELS')}, ${formulasOf('OUTLINE')}
      FROM (
        SELECT id, label, ST_GeomFromText(geometry, 4326) AS outline, ${columnsOf('PIXELS')} FROM ${rowsSql(rows)} OFFSET 0
      ) AS read
      OFFSET 0
    ) AS measured`);
}

async function insertPixelFeatures(queries: Queries, { id, sceneId, workspace }: Target, rows: string): Promise<void> {
  await queries.execute(Prisma.sql`
    INSERT INTO feature (workspace_id, id, scene_id, segmentation_id, label, pixel_geometry, ${columnsOf('PIXELS')})
    SELECT ${workspace}::text, id, ${sceneId}::uuid, ${id}::uuid, label, ST_GeomFromText(geometry, 0), ${columnsOf('PIXELS')}
    FROM ${rowsSql(rows)}`);
}

/** Names of the columns of measures of one source. */
function columnsOf(of: MeasureSource['of']): Prisma.Sql {
  return Prisma.raw(
    MEASURES.filter(({ source }) => source.of === of)
      .map(({ column }) => column)
      .join(', '),
  );
}

/** The values of those columns. */
function formulasOf(of: 'OUTLINE' | 'MEASURES'): Prisma.Sql {
  const formulas = MEASURES.flatMap(({ source, column }) => (source.of === of ? `${source.sql} AS ${column}` : []));
  return Prisma.raw(formulas.join(', '));
}

/**
 * Features as {@link featureJson} writes them: outlines as WKT, since `ST_GeomFromGeoJSON` searches the table of coordinate
 * systems at every call, for milliseconds.
 */
function rowsSql(rows: string): Prisma.Sql {
  const columns = MEASURES.flatMap(({ source, column }) => (source.of === 'PIXELS' ? `${column} ${source.type}` : []));
  return Prisma.sql`json_to_recordset(${rows}::text::json)
    AS r(id uuid, label int, geometry text, ${Prisma.raw(columns.join(', '))})`;
}

function featureJson({ label, geometry, ...measures }: StoredFeatureInput): () => string {
  return () => {
    const columns = PIXEL_MEASURES.map(({ name, column }) => [column, measures[name]] as const);
    return JSON.stringify({ id: uuidV7(), label, geometry: geoJSONToWkt(geometry), ...Object.fromEntries(columns) });
  };
}
