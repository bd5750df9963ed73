import type { Segmentation, SegmentationState } from '../segmentation/segmentation.ts';
import { GEOJSON_TYPE, JSON_TYPE, type Link } from './links.ts';

const REL = 'http://www.opengis.net/def/rel/ogc/1.0';

const SUMMARY = {
  id: 'segment',
  title: 'Segment',
  description: 'Asks a vision model a question about a scene and stores the polygons that it finds.',
  version: '1.0.0',
  jobControlOptions: ['sync-execute', 'async-execute', 'dismiss'],
  outputTransmission: ['reference'],
  keywords: ['segmentation', 'vision model', 'imagery'],
} as const;

/** Processes that there are. @see OGC 18-062r2, 7.9 */
export function processList(base: string): object {
  const links: Link[] = [{ href: `${base}/processes/segment`, rel: 'self', type: JSON_TYPE, title: 'Segment' }];
  return {
    processes: [{ ...SUMMARY, links }],
    links: [{ href: `${base}/processes`, rel: 'self', type: JSON_TYPE }],
  };
}

const input = (title: string, schema: object, isRequired = false): object => ({
  title,
  schema,
  minOccurs: isRequired ? 1 : 0,
  maxOccurs: 1,
});

/** @see OGC 18-062r2, 7.10 */
export function segmentDescription(base: string): object {
  const execute: Link = {
    href: `${base}/processes/segment/execution`,
    rel: `${REL}/execute`,
    type: JSON_TYPE,
    title: 'Execute',
  };
  const output = (title: string, contentMediaType: string): object => ({
    title,
    schema: { type: 'string', contentMediaType },
  });
  return {
    ...SUMMARY,
    inputs: {
      sceneId: input('Identifier of the scene.', { type: 'string' }, true),
      prompt: input('Question in plain words.', { type: 'string' }, true),
      task: input('How the prompt is interpreted.', {
        type: 'string',
        enum: ['REASONING', 'REFERRING'],
        default: 'REASONING',
      }),
      modelId: input('Model as name or name/version; the default model if omitted.', { type: 'string' }),
      scale: input('Scale at which the model sees the scene.', {
        type: 'string',
        enum: ['AUTO', 'WHOLE', 'WINDOWS'],
        default: 'AUTO',
      }),
      gsdM: input('Ground sample distance at which the model sees the scene, metres per pixel.', { type: 'number' }),
      threshold: input('Probability from which a pixel belongs to the answer.', { type: 'number', default: 0.5 }),
      minAreaM2: input('Features smaller than this area are dropped, square metres.', { type: 'number', default: 0 }),
      areaOfInterest: input('Polygon or MultiPolygon in WGS 84.', { type: 'object', format: 'geojson-geometry' }),
      force: input('Asks again even if the same work is stored.', { type: 'boolean', default: false }),
    },
    outputs: {
      features: output('The polygons, as a list of OGC API - Features.', GEOJSON_TYPE),
      mask: output(
        'The mask, as a Cloud Optimized GeoTIFF.',
        'image/tiff; application=geotiff; profile=cloud-optimized',
      ),
    },
    links: [{ href: `${base}/processes/segment`, rel: 'self', type: JSON_TYPE }, execute],
  };
}

const STATUS: Readonly<Record<SegmentationState, string>> = {
  QUEUED: 'accepted',
  RUNNING: 'running',
  SUCCEEDED: 'successful',
  FAILED: 'failed',
  CANCELLED: 'dismissed',
};

/** State of a run. @see OGC 18-062r2, 7.12 */
export function jobDocument(run: Segmentation, base: string): object {
  const { windowsDone, windowsTotal } = run.progress;
  const self: Link = { href: `${base}/jobs/${run.id}`, rel: 'self', type: JSON_TYPE };
  const results: Link = { href: `${self.href}/results`, rel: `${REL}/results`, type: JSON_TYPE, title: 'Results' };
  const isDone = run.state === 'SUCCEEDED';
  return {
    processID: SUMMARY.id,
    type: 'process',
    jobID: run.id,
    status: STATUS[run.state],
    message: run.failure?.message ?? run.prompt,
    created: run.createdAt,
    ...(run.startedAt ? { started: run.startedAt } : {}),
    ...(run.finishedAt ? { finished: run.finishedAt } : {}),
    updated: run.finishedAt ?? run.startedAt ?? run.createdAt,
    progress: isDone ? 100 : windowsTotal === 0 ? 0 : Math.floor((100 * windowsDone) / windowsTotal),
    links: isDone ? [self, results] : [self],
  };
}

/** Results of a run that succeeded, by reference. @see OGC 18-062r2, 7.13 @param root address of the service */
export function resultsDocument({ id }: Segmentation, base: string, root: string): object {
  return {
    features: {
      href: `${base}/collections/features/items?segmentationId=${id}`,
      type: GEOJSON_TYPE,
      title: 'Features',
    },
    mask: {
      href: `${root}/segmentations/${id}/mask.tif`,
      type: 'image/tiff; application=geotiff; profile=cloud-optimized',
    },
  };
}
