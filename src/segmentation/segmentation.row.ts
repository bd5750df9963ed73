import { z } from 'zod';
import { Prisma } from '../database/database.ts';
import { SEGMENTATION_TASKS } from '../inference/segmentation-model.ts';
import { StoredPolygon } from '../geojson-geometry.ts';
import {
  EMPTY_REASONS,
  RUN_PHASES,
  type Segmentation,
  SEGMENTATION_SCALES,
  SEGMENTATION_STATES,
} from './segmentation.ts';

/** Columns of a segmentation `s` for {@link SegmentationRow}. */
export const SEGMENTATION_COLUMNS = Prisma.sql`
  s.id, s.scene_id AS "sceneId", s.batch_id AS "batchId", s.prompt, s.task, s.model_id AS "modelId",
  s.model_name AS "modelName", s.model_version AS "modelVersion", s.model_sha256 AS "modelSha256",
  s.model_window_px AS "modelWindowPx", s.model_licence AS "modelLicence", s.scale, s.gsd_m AS "gsdM", s.threshold,
  s.min_area_m2 AS "minAreaM2", s.area_of_interest AS "areaOfInterest", s.state, s.phase,
  s.windows_done AS "windowsDone", s.windows_total AS "windowsTotal", s.eta_s AS "etaS", s.attempts,
  s.target_found AS "targetFound", s.empty_reason AS "emptyReason", s.failure_code AS "failureCode",
  s.failure_message AS "failureMessage", s.feature_count AS "featureCount", s.area_m2 AS "areaM2",
  s.state = 'SUCCEEDED' AND s.uncompared_below = 0 AS compared,
  s.created_at AS "createdAt", s.started_at AS "startedAt", s.finished_at AS "finishedAt"`;

/** Parses a row into a {@link Segmentation}. */
export const SegmentationRow = z
  .object({
    id: z.string(),
    sceneId: z.string(),
    batchId: z.string(),
    prompt: z.string(),
    task: z.enum(SEGMENTATION_TASKS),
    modelId: z.string(),
    modelName: z.string(),
    modelVersion: z.string(),
    modelSha256: z.string(),
    modelWindowPx: z.number(),
    modelLicence: z.string(),
    scale: z.enum(SEGMENTATION_SCALES),
    gsdM: z.number().nullable(),
    threshold: z.number(),
    minAreaM2: z.number(),
    areaOfInterest: StoredPolygon.nullable(),
    state: z.enum(SEGMENTATION_STATES),
    phase: z.enum(RUN_PHASES),
    windowsDone: z.number(),
    windowsTotal: z.number(),
    etaS: z.number().nullable(),
    attempts: z.number(),
    targetFound: z.boolean().nullable(),
    emptyReason: z.enum(EMPTY_REASONS).nullable(),
    failureCode: z.string().nullable(),
    failureMessage: z.string().nullable(),
    featureCount: z.number(),
    areaM2: z.number().nullable(),
    compared: z.boolean(),
    createdAt: z.date(),
    startedAt: z.date().nullable(),
    finishedAt: z.date().nullable(),
  })
  .transform((row): Segmentation => {
    const { modelId, modelName, modelVersion, modelSha256, modelWindowPx, modelLicence, ...unmodelled } = row;
    const { phase, windowsDone, windowsTotal, etaS, failureCode, failureMessage, ...segmentation } = unmodelled;
    return {
      ...segmentation,
      model: {
        id: modelId,
        name: modelName,
        version: modelVersion,
        sha256: modelSha256,
        windowPx: modelWindowPx,
        licence: modelLicence,
      },
      progress: { phase, windowsDone, windowsTotal, etaS },
      failure: failureCode !== null && failureMessage !== null ? { code: failureCode, message: failureMessage } : null,
    };
  });
