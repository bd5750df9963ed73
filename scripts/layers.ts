import type { Layer } from './layout-rules.ts';
import { OUTLET_LAYERS } from './outlet-layers.ts';

/**
 * The layers of `src`, top to bottom. An import goes down this list only, a type import included, so that no two layers can
 * import each other.
 */
export const LAYERS: readonly Layer[] = [
  ...OUTLET_LAYERS,
  {
    name: 'evaluation',
    holds: 'scores of a model on labelled scenes, asked through a port',
    imports: ['segmentation', 'imagery', 'vector', 'inference', 'raster'],
  },
  {
    name: 'tiles',
    holds: 'map tiles of features, of scenes and of masks, and their cache',
    imports: [
      'rendering',
      'segmentation',
      'feature',
      'scene',
      'imagery',
      'imagery/crs',
      'vector',
      'raster',
      'database',
    ],
  },
  {
    name: 'webhook',
    holds: 'messages and their queue',
    imports: ['view', 'event', 'feature', 'remote', 'database/sql', 'database'],
  },
  { name: 'view', holds: 'saved views: named filters', imports: ['feature', 'database/sql', 'database'] },
  { name: 'event', holds: 'the outbox: what happened, in the order of commits', imports: ['database/sql', 'database'] },
  { name: 'review', holds: 'what people say of features', imports: ['feature', 'database/sql', 'database'] },
  {
    name: 'export',
    holds: 'features as files, streamed or stored',
    imports: [
      'feature',
      'imagery/crs',
      'export/pmtiles',
      'vector',
      'raster',
      'database/sql',
      'database',
      'blob-store.ts',
    ],
  },
  { name: 'export/pmtiles', holds: 'vector tiles as one PMTiles archive', imports: [] },
  {
    name: 'rendering',
    holds: 'masks as PNG, overlay and GeoTIFF',
    imports: ['segmentation', 'scene', 'imagery', 'imagery/crs', 'vector', 'raster'],
  },
  {
    name: 'archive',
    holds: 'everything that is stored as one file, and back',
    imports: ['database', 'blob-store.ts'],
  },
  {
    name: 'retention',
    holds: 'deleting what is due, and telling what was deleted',
    imports: ['scene', 'database/sql', 'database', 'blob-store.ts'],
  },
  {
    name: 'run',
    holds: 'carrying a segmentation out: worker, windows, circuit breaker, progress',
    imports: [
      'telemetry',
      'segmentation',
      'scene',
      'imagery',
      'imagery/crs',
      'vector',
      'inference',
      'raster',
      'blob-store.ts',
    ],
  },
  {
    name: 'analysis',
    holds: 'statistics, change, zones, the graph of neighbours',
    imports: ['feature', 'segmentation', 'scene', 'database/sql', 'database'],
  },
  {
    name: 'job',
    holds: 'many scenes at once: registering them and asking them, as one row',
    imports: ['segmentation', 'scene', 'remote', 'database/sql', 'database'],
  },
  {
    name: 'segmentation',
    holds: 'a question as a stored row',
    imports: [
      'telemetry',
      'feature',
      'scene',
      'imagery',
      'imagery/crs',
      'inference',
      'raster',
      'database/sql',
      'database',
    ],
  },
  {
    name: 'feature',
    holds: 'stored polygons: measures, filter, pages, neighbours',
    imports: ['database/sql', 'database', 'cql2'],
  },
  {
    name: 'scene',
    holds: 'the stored image: registering, locating, uploading',
    imports: ['tile-source', 'remote', 'imagery', 'raster', 'database/sql', 'database', 'cql2', 'blob-store.ts'],
  },
  {
    name: 'tile-source',
    holds: 'parts of tile services, put together to images',
    imports: ['remote', 'imagery', 'raster', 'blob-store.ts'],
  },
  {
    name: 'bucket',
    holds: "the service's own files in a bucket of S3, instead of the data folder",
    imports: ['remote', 'blob-store.ts'],
  },
  {
    name: 'remote',
    holds: 'files of other places, over https and in S3, whole or by range, behind checks of addresses',
    imports: ['imagery', 'blob-store.ts'],
  },
  {
    name: 'decoding',
    holds: 'processes that open images on behalf of the service, with limits of time and memory',
    imports: ['imagery', 'raster'],
  },
  {
    name: 'imagery',
    holds: 'readers of image files, georeference, colour, sidecars',
    imports: ['imagery/codec', 'imagery/crs', 'vector', 'raster'],
  },
  { name: 'imagery/codec', holds: 'decoders of TIFF blocks, limited to the size of the block', imports: [] },
  { name: 'imagery/crs', holds: 'coordinate reference systems, by PROJ and GDAL in WebAssembly', imports: [] },
  { name: 'vector', holds: 'tracing a mask to polygons', imports: ['raster'], pure: true },
  {
    name: 'inference',
    holds: 'the models, in this process or on servers',
    imports: ['telemetry', 'inference/open-inference', 'config.ts'],
  },
  { name: 'inference/open-inference', holds: 'messages and tensors of the Open Inference Protocol', imports: [] },
  { name: 'raster', holds: 'windows, resampling, affine transforms', imports: [], pure: true },
  { name: 'identity', holds: 'who asks', imports: ['database/sql', 'database', 'config.ts'] },
  {
    name: 'database/sql',
    holds: 'parts of statements: conditions, cursors, pages, identifiers, geometries',
    imports: ['database', 'cql2'],
  },
  { name: 'database', holds: 'connection, migrations, row-level security', imports: ['database/generated'] },
  { name: 'database/generated', holds: "Prisma's client, generated", imports: [] },
  { name: 'telemetry', holds: 'what a process measures and traces of itself', imports: [] },
  {
    name: 'cql2',
    holds: 'the filter language of OGC: text, JSON, and conditions with names looked up',
    imports: [],
    pure: true,
  },
  { name: 'blob-store.ts', holds: "the service's own files, in the data folder", imports: [] },
  { name: 'config.ts', holds: 'the settings', imports: [] },
];
