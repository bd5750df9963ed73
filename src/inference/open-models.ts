import type { Config } from '../config.ts';
import { type LocalModel, localModels, type LocalSettings } from './local-model.ts';
import { ModelRegistry } from './model-registry.ts';
import { remoteModels } from './remote-model.ts';

/**
 * Opens the models of the model folder, on the servers of `TERRAQL_MODEL_URL` or in this process.
 * @throws errors of the model folder and of its settings
 */
export async function openModels(config: Config): Promise<ModelRegistry> {
  const { TERRAQL_MODEL_URL: urls, TERRAQL_MODEL_TIMEOUT_S, TERRAQL_EXECUTION_PROVIDER } = config;
  const { TERRAQL_MODEL_SERVER_KEY: key } = config;
  if (urls.length === 0) {
    const models = await openLocalModels(config);
    // An unusable provider stops the start, not the first run.
    return TERRAQL_EXECUTION_PROVIDER === 'cpu' ? models : loadAll(models);
  }
  const loader = remoteModels({ urls, timeoutMs: TERRAQL_MODEL_TIMEOUT_S * 1000, key });
  // Loads no graph; afterwards the reachable servers and their execution providers are known.
  return loadAll(await ModelRegistry.open(config.TERRAQL_MODELS_DIR, config.TERRAQL_MODEL, loader));
}

async function loadAll(models: ModelRegistry): Promise<ModelRegistry> {
  try {
    for (const { id } of models.list()) await models.get(id);
    return models;
  } catch (error) {
    await models.close();
    throw error;
  }
}

/**
 * The models of the model folder, run in this process.
 * @param onBatch called after each batch
 */
export function openLocalModels(
  config: Config,
  onBatch?: NonNullable<LocalSettings['onBatch']>,
): Promise<ModelRegistry<LocalModel>> {
  const loader = localModels({
    provider: config.TERRAQL_EXECUTION_PROVIDER,
    threads: config.TERRAQL_MODEL_THREADS,
    workers: config.TERRAQL_MODEL_WORKERS,
    maxWaiting: config.TERRAQL_MODEL_QUEUE,
    imageCacheBytes: config.TERRAQL_IMAGE_CACHE_MB * 1024 ** 2,
    ...(onBatch ? { onBatch } : {}),
  });
  return ModelRegistry.open(config.TERRAQL_MODELS_DIR, config.TERRAQL_MODEL, loader);
}
