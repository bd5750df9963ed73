import 'reflect-metadata';
import type { ApolloServer } from '@apollo/server';
import { BackgroundWork } from './background-work.ts';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './database/database.ts';
import { createContext, type RequestContext } from './graphql/context.ts';
import {
  type FeatureRequestReader,
  featureRequestReader,
  type SceneFilterReader,
  sceneFilterReader,
} from './graphql/feature-request.ts';
import { type SegmentRequestReader, segmentRequestReader } from './graphql/segment-request.ts';
import { knownOperations } from './graphql/server/persisted-operations.ts';
import { buildSchema } from './graphql/schema.ts';
import { schemaText } from './graphql/schema-text.ts';
import { createGraphqlServer } from './graphql/server/server.ts';
import { Subscriptions } from './graphql/server/subscriptions.ts';
import { type Identity, openIdentity } from './identity/open-identity.ts';
import { DEFAULT_VIEWER, type Viewer } from './identity/viewer.ts';
import type { Logger } from './logging.ts';
import { openModels } from './inference/open-models.ts';
import type { BlobStore } from './blob-store.ts';
import { openBlobs } from './bucket/open-blobs.ts';
import { LocalAndRemoteDecoders } from './decoding/image-decoders.ts';
import { configuredRemoteFiles } from './remote/configured-remote-files.ts';
import type { OpenRemoteFiles } from './remote/open-remote-files.ts';
import type { ImageOpener } from './scene/scene.service.ts';
import { ModelCircuits } from './run/model-circuits.ts';
import { SegmentationEvents } from './segmentation/segmentation-events.ts';
import { SegmentationRepository } from './segmentation/segmentation.repository.ts';
import { Metrics } from './telemetry/metrics.ts';
import { startTracing } from './telemetry/tracing.ts';
import type { ServicesFor } from './services.ts';
import type { FeatureTile } from './tiles/feature-tile.ts';
import { OpenScenes } from './tiles/open-scenes.ts';
import type { PictureTile } from './tiles/scene-tile.service.ts';
import { MaskCache } from './tiles/segmentation-tile.service.ts';
import { TileCache } from './tiles/tile-cache.ts';
import { followChanges } from './tiles/tile-changes.ts';
import { inTime } from './in-time.ts';
import { openOutbox } from './webhook/open-outbox.ts';
import { type Models, servicesOver } from './shared-services.ts';

export type { Models } from './shared-services.ts';

/** A running service without an outlet: the HTTP server and the command line are put on top of it. */
export interface App extends Pick<
  Identity,
  'authenticator' | 'machine' | 'linksFor' | 'signIn' | 'rates' | 'refusals' | 'usage' | 'workspaces'
> {
  readonly config: Config;
  readonly logger: Logger;
  readonly blobs: BlobStore;
  readonly graphql: ApolloServer<RequestContext>;
  readonly subscriptions: Subscriptions;
  /** The schema as text. */
  readonly schemaText: string;
  readonly models: Models;
  readonly servicesFor: ServicesFor;
  /** Reads what outlets besides GraphQL are asked for, by the types of the schema. */
  readonly readFeatureRequest: FeatureRequestReader;
  readonly readSceneFilter: SceneFilterReader;
  readonly readSegmentRequest: SegmentRequestReader;
  /** @param baseUrl as the client reaches the service, without a slash at the end */
  contextFor(viewer: Viewer, baseUrl: string): RequestContext;
  /** Whether the database answers and the default model is loaded. */
  readiness(): Promise<{ readonly database: boolean; readonly model: boolean }>;
  /** What this process measures of itself. */
  readonly metrics: Metrics;
  /** Puts what it runs back in the queue, and takes no more. */
  stopRuns(): Promise<void>;
  /** Puts what it runs back in the queue, then closes model and database. */
  close(): Promise<void>;
}

/** The parts that differ from one installation to the next. */
export interface Adapters {
  /** @param onStatement receives the time of each statement, milliseconds */
  readonly database: (config: Config, logger: Logger, onStatement?: (durationMs: number) => void) => Promise<Database>;
  readonly models: (config: Config) => Promise<Models>;
  /** Decoder processes unless given. */
  readonly images?: (config: Config) => ImageOpener & { close(): Promise<void> };
  /** Public addresses and the configured S3 unless given. */
  readonly remote?: (config: Config) => OpenRemoteFiles;
}

function imageDecoders(config: Config): LocalAndRemoteDecoders {
  return new LocalAndRemoteDecoders(config.TERRAQL_DECODERS, {
    maxPixels: config.TERRAQL_MAX_PIXELS,
    memoryBytes: config.TERRAQL_DECODER_MEMORY_MB * 2 ** 20,
    timeoutS: config.TERRAQL_DECODER_TIMEOUT_S,
  });
}

const CONFIGURED: Adapters = {
  database: (config, logger, onStatement) =>
    openDatabase({
      rowSecurity: config.TERRAQL_ROW_SECURITY === 'on',
      onAdvice: (statements) => logger.warn({ statements }, 'Database:IndexesUnused'),
      ...(onStatement ? { onStatement } : {}),
      onRestart: (reason) => logger.error({ reason }, 'Database:Restarted'),
      databaseUrl: config.DATABASE_URL,
      dataDir: config.TERRAQL_DATA_DIR,
      statementTimeoutS: config.TERRAQL_STATEMENT_TIMEOUT_S,
    }),
  models: openModels,
};

/**
 * Makes and connects every part: opens and migrates the database, verifies the models, takes up unfinished runs.
 * @throws what the database and the model folder say of a setting that they cannot work with
 */
export async function createApp(config: Config, logger: Logger, adapters: Adapters = CONFIGURED): Promise<App> {
  const manifest = config.TERRAQL_PERSISTED_OPERATIONS;
  const persisted = manifest === undefined ? null : await knownOperations(manifest);
  const stopTracing = await startConfiguredTracing(config);
  const models = await adapters.models(config);
  const circuits = new ModelCircuits();
  const metrics = new Metrics({
    queue: () => store.backlog(),
    connections: () => database.poolUse(),
    models: () =>
      models.list().map(({ id }) => ({ model: id, isReady: models.isReady(id), pauseS: circuits.delayS(id) })),
    caches: () => [
      { cache: 'feature_tiles', ...featureTiles.use },
      { cache: 'scene_tiles', ...sceneTiles.use },
    ],
  });
  const database = await adapters.database(config, logger, (ms) => metrics.statements.observe(ms / 1000));
  const remote = (adapters.remote ?? configuredRemoteFiles)(config);
  const blobs = await openBlobs(config, remote.pool);
  const images = (adapters.images ?? imageDecoders)(config);
  const store = new SegmentationRepository(database.forRuns);
  const events = new SegmentationEvents(store, logger);
  // With the compressed form, which is made when somebody asks for it.
  const featureTiles = new TileCache<FeatureTile>(
    config.TERRAQL_TILE_CACHE_MB * 2 ** 20,
    ({ bytes }) => 2 * bytes.length,
  );
  const sceneTiles = new TileCache<PictureTile>(config.TERRAQL_TILE_CACHE_MB * 2 ** 20, ({ bytes }) => bytes.length);
  const openScenes = new OpenScenes();
  const masks = new MaskCache(config.TERRAQL_TILE_CACHE_MB * 2 ** 20);
  const tiles = { featureTiles, sceneTiles, openScenes, masks };
  const identity = await openIdentity(database.forRuns, config, logger);
  const onExport = (): void => background.wakeExports();
  const { keys, workspaces, usage, quotas, rates } = identity;
  const featuresOf = (workspace: string) => servicesFor({ ...DEFAULT_VIEWER, workspace }).features;
  const outbox = openOutbox({ database, featuresOf, delivers: config.TERRAQL_WORKER !== 'off', logger });
  const { feed } = outbox;
  const stored = { database, blobs, remote, images, models, events, feed };
  const shared = { config, keys, workspaces, usage, quotas, rates, ...stored, ...tiles, onExport };
  const servicesFor = servicesOver(shared);
  const background = new BackgroundWork({ shared, servicesFor, store, circuits, metrics, logger });
  const schema = buildSchema();
  const operations = {
    maxDepth: config.TERRAQL_MAX_DEPTH,
    maxAliases: config.TERRAQL_MAX_ALIASES,
    maxCost: config.TERRAQL_MAX_COST,
    persisted,
    production: config.NODE_ENV === 'production',
    rates: identity.rates,
    refusals: identity.refusals,
  };
  const graphql = createGraphqlServer(schema, logger, {
    ...operations,
    onOperation: (type, code) => metrics.operations.inc({ type, code }),
  });
  const limits = { maxPage: config.TERRAQL_MAX_PAGE, maxVertices: config.TERRAQL_MAX_VERTICES };
  await graphql.start();
  await events.start();
  const unfollow = [
    await followChanges(database, 'terraql_features', [featureTiles], logger),
    await followChanges(database, 'terraql_scenes', [sceneTiles], logger),
  ];
  await background.start();
  await outbox.start();
  return {
    config,
    logger,
    blobs,
    graphql,
    subscriptions: new Subscriptions(schema, operations, logger),
    schemaText: schemaText(schema),
    models,
    authenticator: identity.authenticator,
    machine: identity.machine,
    rates: identity.rates,
    usage,
    refusals: identity.refusals,
    workspaces,
    linksFor: (viewer, baseUrl) => identity.linksFor(viewer, baseUrl),
    signIn: () => identity.signIn(),
    servicesFor,
    readFeatureRequest: featureRequestReader(schema, config.TERRAQL_MAX_COST),
    readSceneFilter: sceneFilterReader(schema, config.TERRAQL_MAX_VERTICES),
    readSegmentRequest: segmentRequestReader(schema, limits),
    contextFor: (viewer, baseUrl) =>
      createContext({ viewer, services: servicesFor(viewer), limits, links: identity.linksFor(viewer, baseUrl) }),
    async readiness() {
      const [answers, model] = await Promise.allSettled([inTime(database.ping()), inTime(models.get())]);
      return {
        database: answers.status === 'fulfilled',
        model: model.status === 'fulfilled' && model.value.ready(),
      };
    },
    metrics,
    stopRuns: () => background.stopRuns(),
    async close() {
      await graphql.stop();
      for (const stop of unfollow) stop();
      openScenes.close();
      await outbox.close();
      await events.close();
      await background.close();
      await models.close();
      await remote.close();
      await images.close();
      await blobs.close();
      await identity.close();
      await database.close();
      await stopTracing();
    },
  };
}

/** Records spans where a collector is configured. @returns stops it */
async function startConfiguredTracing(config: Config): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: serviceName } = config;
  return endpoint === undefined ? () => Promise.resolve() : startTracing({ endpoint, serviceName });
}
