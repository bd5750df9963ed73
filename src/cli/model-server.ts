import type { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { checkModelServerExposure } from '../exposure.ts';
import { listen } from '../http/listen.ts';
import { keepServing } from '../last-resort.ts';
import { createLogger } from '../logging.ts';
import { type CommandContext, untilAborted, untilInterrupted } from './application/run-command.ts';
import type { Terminal } from './terminal/terminal.ts';

/** Time for open requests to finish after a stop, milliseconds. */
const GRACE_MS = 10_000;

interface Options {
  readonly host?: string;
  readonly port?: string;
  readonly json?: boolean;
}

/** Adds `terraql model-server`. */
export function addModelServer(program: Command, context: CommandContext): void {
  program
    .command('model-server')
    .description('run the models of TERRAQL_MODELS_DIR for other TerraQL processes (Open Inference Protocol v2)')
    .option('--host <address>', 'address to listen on (TERRAQL_HOST)')
    .option('--port <number>', 'TCP port; 0 picks a free one (TERRAQL_MODEL_PORT)')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const config = readConfig({
        ...context.environment,
        ...(options.host === undefined ? {} : { TERRAQL_HOST: options.host }),
        ...(options.port === undefined ? {} : { TERRAQL_MODEL_PORT: options.port }),
      });
      checkModelServerExposure(config);
      const version = program.version() ?? '';
      await untilInterrupted((signal) => serveModels(config, version, signal, context.terminal, options.json ?? false));
    });
}

/** Listens, loads every model, announces itself, and serves until the signal is aborted. */
async function serveModels(
  config: Config,
  version: string,
  signal: AbortSignal,
  terminal: Terminal,
  json: boolean,
): Promise<void> {
  const { openLocalModels } = await import('../inference/open-models.ts');
  const { createModelServer, loadModels } = await import('../model-server/model-server.ts');
  const { ModelMetrics } = await import('../model-server/metrics.ts');
  const logger = createLogger(config.TERRAQL_LOG_LEVEL);
  const metrics = new ModelMetrics(() => models.active());
  const models = await openLocalModels(config, metrics.onBatch);
  const settings = {
    version,
    maxRequests: config.TERRAQL_MODEL_QUEUE + config.TERRAQL_MODEL_WORKERS,
    timeoutMs: config.TERRAQL_MODEL_TIMEOUT_S * 1000,
    key: config.TERRAQL_MODEL_SERVER_KEY,
    hosts: config,
  };
  const server = createModelServer({ models, metrics, logger, settings });
  const listening = await listen(server, config.TERRAQL_HOST, config.TERRAQL_MODEL_PORT, 'TERRAQL_MODEL_PORT');
  const stopKeeping = keepServing(logger);
  try {
    await loadModels({ models, logger });
    const ids = models.list().map(({ id }) => id);
    terminal.write(
      json
        ? `${JSON.stringify({ url: listening.url, pid: process.pid, models: ids })}\n`
        : `TerraQL serves the models ${ids.join(', ')} at ${listening.url}; Ctrl-C stops it\n`,
    );
    await untilAborted(signal);
  } finally {
    await listening.stop(GRACE_MS);
    stopKeeping();
    await models.close();
  }
}
