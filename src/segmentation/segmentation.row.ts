import type { MultiPolygon, Polygon } from 'geojson';
import { z } from 'zod';
import {
  EMPTY_REASONS,
  type Segmentation,
  SEGMENTATION_SCALES,
  SEGMENTATION_STATES,
  SEGMENTATION_TASKS,
} from './segmentation.ts';

const Coordinates = z.array(z.array(z.array(z.number())));
const AreaOfInterest: z.ZodType<Polygon | MultiPolygon> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Polygon'), coordinates: Coordinates }),
  z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(Coordinates) }),
]);

/** A row of the table as Prisma gives it, made the domain's. */
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
    areaOfInterest: AreaOfInterest.nullable(),
    state: z.enum(SEGMENTATION_STATES),
    phase: z.string(),
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
