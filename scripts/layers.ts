/** A folder of `src`, or a file at its root, with the layers that it may import. */
export interface Layer {
  /** Path below `src`. */
  readonly name: string;
  readonly holds: string;
  /** Names of layers, each further down in the list. Beside them it may import the files at the root that have no row. */
  readonly imports: readonly string[];
  /** No I/O, clock or environment: imports neither Node's modules nor files at the root but `errors.ts`. */
  readonly pure?: true;
}

/**
 * The layers of `src`, top to bottom. An import goes down this list only, a type import included, so that no two layers can
 * import each other.
 */
export const LAYERS: readonly Layer[] = [
  { name: 'main.ts', holds: 'the executable', imports: ['cli', 'cli/terminal'] },
  {
    name: 'cli',
    holds: 'one file for each verb of the command line',
    imports: [
      'http/telemetry',
      'telemetry',
      'cli/terminal',
      'app.ts',
      'http',
      'model-server',
      'evaluation',
      'export',
      'rendering',
      'segmentation',
      'feature',
      'inference',
      'identity',
      'database',
      'config.ts',
    ],
  },
  { name: 'cli/terminal', holds: 'options, tables and progress, as a terminal shows them', imports: [] },
  {
    name: 'app.ts',
    holds: 'the composition root: the only place that makes services, adapters and clients',
    imports: [
      'telemetry',
      'export',
      'webhook',
      'shared-services.ts',
      'tiles',
      'graphql/server',
      'graphql',
      'services.ts',
      'run',
      'job',
      'segmentation',
      'scene',
      'remote',
      'decoding',
      'inference',
      'identity',
      'database',
      'blob-store.ts',
      'config.ts',
    ],
  },
  {
    name: 'shared-services.ts',
    holds: 'makes the services of a viewer of parts that all viewers share',
    imports: [
      'webhook',
      'event',
      'review',
      'view',
      'tiles',
      'services.ts',
      'export',
      'analysis',
      'feature',
      'job',
      'segmentation',
      'scene',
      'remote',
      'inference',
      'identity',
      'database',
      'blob-store.ts',
      'config.ts',
    ],
  },
  {
    name: 'http',
    holds: 'routes: exports, masks, tiles, OGC API, uploads, files of the dashboard, the socket of subscriptions',
    imports: [
      'http/telemetry',
      'telemetry',
      'blob-store.ts',
      'ogc',
      'scene',
      'tiles',
      'view',
      'graphql/server',
      'graphql',
      'services.ts',
      'export',
      'rendering',
      'feature',
      'identity',
      'config.ts',
    ],
  },
  { name: 'http/telemetry', holds: 'measures and traces of requests, and the page of metrics', imports: ['telemetry'] },
  {
    name: 'model-server',
    holds: 'models for other processes, over the Open Inference Protocol; no database',
    imports: ['inference', 'inference/open-inference'],
  },
  {
    name: 'graphql/server',
    holds: 'the GraphQL server: cost, limits, persisted operations, errors',
    imports: ['telemetry', 'graphql', 'graphql/text-answer', 'feature', 'identity'],
  },
  {
    name: 'graphql',
    holds: 'types, resolvers, the context of a request, the schema',
    imports: [
      'export',
      'webhook',
      'event',
      'review',
      'view',
      'graphql/text-answer',
      'services.ts',
      'analysis',
      'feature',
      'job',
      'segmentation',
      'scene',
      'inference',
      'identity',
    ],
  },
  {
    name: 'graphql/text-answer',
    holds: 'the fast path: JSON written by PostGIS goes into the answer as it is',
    imports: ['analysis', 'feature'],
  },
  {
    name: 'ogc',
    holds: 'OGC API - Features, Tiles and Processes: documents and parameters',
    imports: ['view', 'services.ts', 'feature', 'segmentation', 'scene', 'imagery/crs', 'database', 'cql2'],
  },
  {
    name: 'services.ts',
    holds: 'what outlets may ask for, made for one viewer',
    imports: [
      'webhook',
      'event',
      'review',
      'view',
      'tiles',
      'export',
      'analysis',
      'feature',
      'job',
      'segmentation',
      'scene',
      'inference',
      'identity',
    ],
  },
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
  { name: 'webhook', holds: 'messages and their queue', imports: ['view', 'event', 'feature', 'remote', 'database'] },
  { name: 'view', holds: 'saved views: named filters', imports: ['feature', 'database'] },
  { name: 'event', holds: 'the outbox: what happened, in the order of commits', imports: ['database'] },
  { name: 'review', holds: 'what people say of features', imports: ['feature', 'database'] },
  {
    name: 'export',
    holds: 'features as files, streamed or stored',
    imports: ['feature', 'imagery/crs', 'database', 'blob-store.ts'],
  },
  {
    name: 'rendering',
    holds: 'masks as PNG, overlay and GeoTIFF',
    imports: ['segmentation', 'scene', 'imagery', 'imagery/crs', 'vector', 'raster'],
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
    imports: ['feature', 'segmentation', 'scene', 'database'],
  },
  {
    name: 'job',
    holds: 'many scenes at once: registering them and asking them, as one row',
    imports: ['segmentation', 'scene', 'remote', 'database'],
  },
  {
    name: 'segmentation',
    holds: 'a question as a stored row',
    imports: ['telemetry', 'feature', 'scene', 'imagery', 'imagery/crs', 'inference', 'raster', 'database'],
  },
  { name: 'feature', holds: 'stored polygons: measures, filter, pages, neighbours', imports: ['database', 'cql2'] },
  {
    name: 'scene',
    holds: 'the stored image: registering, locating, uploading',
    imports: ['remote', 'imagery', 'raster', 'database', 'cql2', 'blob-store.ts'],
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
  { name: 'identity', holds: 'who asks', imports: ['database', 'config.ts'] },
  { name: 'database', holds: 'connection, migrations, cursors, row schemas', imports: ['database/generated', 'cql2'] },
  { name: 'database/generated', holds: "Prisma's client, generated", imports: [] },
  { name: 'telemetry', holds: 'what a process measures and traces of itself', imports: [] },
  {
    name: 'cql2',
    holds: 'the filter language of OGC: text, JSON, and conditions with names looked up',
    imports: [],
    pure: true,
  },
  { name: 'blob-store.ts', holds: 'files of the data folder', imports: [] },
  { name: 'config.ts', holds: 'the settings', imports: [] },
];

/** A program of its own, which knows the service by its API alone: no layer imports it, and it imports none. */
export const DASHBOARD = 'dashboard/';

/** Pairs of layers that import each other. To be emptied, never added to. */
export const TWO_WAY: readonly (readonly [above: string, below: string])[] = [];

/** Most source files that stand directly in a folder. */
export const MAX_FILES = 25;
/** Folders that may hold more. */
export const LARGE_FOLDERS: readonly string[] = ['graphql', 'database', 'cli'];
