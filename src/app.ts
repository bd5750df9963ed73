import 'reflect-metadata';
import path from 'node:path';
import type { ApolloServer } from '@apollo/server';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './database/database.ts';
import { FeatureRepository } from './feature/feature.repository.ts';
import { FeatureResolver } from './feature/feature.resolver.ts';
import { FeatureService } from './feature/feature.service.ts';
import { createContext, type RequestContext } from './graphql/context.ts';
import { NodeResolver } from './graphql/node.resolver.ts';
import { buildSchema } from './graphql/schema.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { ModelRegistry } from './inference/model-registry.ts';
import type { Logger } from './logging.ts';
import { FolderBlobStore } from './scene/blob-store.ts';
import { Downloader } from './scene/download.ts';
import { SceneLocator } from './scene/scene-locator.ts';
import { SceneRepository } from './scene/scene.repository.ts';
import { SceneResolver } from './scene/scene.resolver.ts';
import { SceneService } from './scene/scene.service.ts';
import { UploadService } from './scene/upload.service.ts';
import { SegmentationRepository } from './segmentation/segmentation.repository.ts';
import { MaskResolver, SegmentationResolver } from './segmentation/segmentation.resolver.ts';
import { SegmentationService } from './segmentation/segmentation.service.ts';
import { SegmentationWorker } from './segmentation/segmentation-worker.ts';

/** A running service without an outlet: the HTTP server and the command line are put on top of it. */
export interface App {
  readonly config: Config;
  readonly logger: Logger;
  readonly graphql: ApolloServer<RequestContext>;
  readonly scenes: SceneService;
  readonly uploads: UploadService;
  readonly segmentations: SegmentationService;
  readonly features: FeatureService;
  readonly models: Models;
  /** @param baseUrl as the client reaches the service, without a slash at the end */
  contextFor(baseUrl: string): RequestContext;
  /** Whether the database answers and the default model is loaded. */
  readiness(): Promise<{ readonly database: boolean; readonly model: boolean }>;
  /** Stops runs between windows, then closes model and database. */
  close(): Promise<void>;
}

/** What the service needs of the models, wherever they run. */
export type Models = Pick<ModelRegistry, 'list' | 'isReady' | 'get' | 'close'>;

/** The two parts that differ from one installation to the next. */
export interface Adapters {
  readonly database: (config: Config) => Promise<Database>;
  readonly models: (config: Config) => Promise<Models>;
}

const CONFIGURED: Adapters = {
  database: (config) => openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.TERRAQL_DATA_DIR }),
  models: (config) => ModelRegistry.open(config.TERRAQL_MODELS_DIR, config.TERRAQL_MODEL, config.TERRAQL_MODEL_THREADS),
};

/**
 * Makes and connects every part: opens and migrates the database, verifies the models, takes up unfinished runs.
 * @throws what the database and the model folder say of a setting that they cannot work with
 */
export async function createApp(config: Config, logger: Logger, adapters: Adapters = CONFIGURED): Promise<App> {
  const models = await adapters.models(config);
  const database = await adapters.database(config);
  const blobs = new FolderBlobStore(path.join(config.TERRAQL_DATA_DIR, 'blobs'));
  const uploads = new UploadService(blobs, { maxBytes: config.TERRAQL_MAX_BYTES, ttlS: config.TERRAQL_UPLOAD_TTL_S });
  const downloader = new Downloader({ maxBytes: config.TERRAQL_MAX_BYTES });
  const locator = new SceneLocator(blobs, uploads, downloader, {
    roots: config.TERRAQL_SCENE_ROOTS,
    maxBytes: config.TERRAQL_MAX_BYTES,
  });
  const scenes = new SceneService(new SceneRepository(database), locator, { maxPixels: config.TERRAQL_MAX_PIXELS });
  const store = new SegmentationRepository(database);
  const features = new FeatureService(new FeatureRepository(database), {
    maxVertices: config.TERRAQL_MAX_VERTICES,
    maxPage: config.TERRAQL_MAX_PAGE,
  });
  const worker = new SegmentationWorker(
    { store, scenes, models, logger },
    { nearM: config.TERRAQL_NEAR_M, maxWindows: config.TERRAQL_MAX_WINDOWS },
  );
  const segmentations = new SegmentationService(store, scenes, models, worker, {
    maxPrompts: config.TERRAQL_MAX_PROMPTS,
    maxWindows: config.TERRAQL_MAX_WINDOWS,
  });
  const limits = { maxPage: config.TERRAQL_MAX_PAGE, maxVertices: config.TERRAQL_MAX_VERTICES };
  const schema = buildSchema([
    new NodeResolver(scenes, segmentations, features),
    new SceneResolver(scenes, uploads, segmentations, limits),
    new SegmentationResolver(segmentations, features, limits),
    new MaskResolver(),
    new FeatureResolver(features, limits),
  ]);
  const graphql = createGraphqlServer(schema, logger, {
    maxDepth: config.TERRAQL_MAX_DEPTH,
    production: config.NODE_ENV === 'production',
  });
  await graphql.start();
  await worker.start();
  return {
    config,
    logger,
    graphql,
    scenes,
    uploads,
    segmentations,
    features,
    models,
    contextFor: (baseUrl) => createContext({ scenes, segmentations, features, models }, baseUrl),
    async readiness() {
      const [answers, model] = await Promise.allSettled([database.prisma.$queryRaw`SELECT 1`, models.get()]);
      return { database: answers.status === 'fulfilled', model: model.status === 'fulfilled' };
    },
    async close() {
      await graphql.stop();
      await worker.close();
      await models.close();
      await downloader.close();
      await database.close();
    },
  };
}
