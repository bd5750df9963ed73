import type { Server } from 'node:http';
import { pino } from 'pino';
import { type Listening, listen } from '../../src/http/listen.ts';
import { DEFAULT_LOCAL, type LocalModel, localModels, type LocalSettings } from '../../src/inference/local-model.ts';
import { ModelRegistry } from '../../src/inference/model-registry.ts';
import { ModelMetrics } from '../../src/model-server/metrics.ts';
import { createModelServer, loadModels, type ModelServerSettings } from '../../src/model-server/model-server.ts';
import { MODELS_DIR } from '../inference/model-folder.ts';

export const MODEL_PATH = '/v2/models/segearth-r1-compact/versions/1';

/** A model server in this process. */
export interface ServedModels {
  readonly url: string;
  readonly server: Server;
  readonly models: ModelRegistry<LocalModel>;
  /** The model of {@link MODEL_PATH}, loaded. */
  readonly model: LocalModel;
  close(): Promise<void>;
}

/** Serves the models that come with TerraQL. */
export async function serveModels(
  server: Partial<ModelServerSettings> = {},
  local: Partial<LocalSettings> = {},
): Promise<ServedModels> {
  const metrics = new ModelMetrics(() => models.active());
  const loader = localModels({ ...DEFAULT_LOCAL, onBatch: metrics.onBatch, ...local });
  const models = await ModelRegistry.open(MODELS_DIR, undefined, loader);
  const logger = pino({ level: 'silent' });
  const settings = { version: '0.0.0-test', maxRequests: 64, timeoutMs: 120_000, ...server };
  const http = createModelServer({ models, metrics, logger, settings });
  const listening: Listening = await listen(http, '127.0.0.1', 0);
  await loadModels({ models, logger });
  return {
    url: listening.url,
    server: http,
    models,
    model: await models.get('segearth-r1-compact/1'),
    async close() {
      await listening.stop(1000);
      await models.close();
    },
  };
}
