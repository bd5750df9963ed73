import type { Command } from 'commander';
import type { App } from '../app.ts';
import { type Config, readConfig } from '../config.ts';
import { checkExposure } from '../exposure.ts';
import { createHttpServer } from '../http/http-server.ts';
import { checkAddress, listen } from '../http/listen.ts';
import { keepServing } from '../last-resort.ts';
import { startApp } from './application/ask.ts';
import { createMetricsServer } from '../http/telemetry/metrics-server.ts';
import { type CommandContext, untilAborted, untilInterrupted } from './application/run-command.ts';
import { announceServer } from '../server-file.ts';
import { UsageError } from './terminal/terminal.ts';

/** Time for open requests to finish after a stop, milliseconds. */
const GRACE_MS = 5000;

/** Adds `terraql serve`. */
export function addServe(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('serve GraphQL, exports and masks over HTTP until stopped')
    .option('--host <address>', 'address to listen on (TERRAQL_HOST)')
    .option('--port <number>', 'TCP port; 0 picks a free one (TERRAQL_PORT)')
    .option('--no-worker', 'leave runs to `terraql worker` processes (TERRAQL_WORKER=off)')
    .option('--json', 'print JSON')
    .action(async (options: { host?: string; port?: string; worker: boolean; json?: boolean }) => {
      const config = readConfig({
        ...context.environment,
        ...(options.host === undefined ? {} : { TERRAQL_HOST: options.host }),
        ...(options.port === undefined ? {} : { TERRAQL_PORT: options.port }),
        ...(options.worker ? {} : { TERRAQL_WORKER: 'off' }),
      });
      if (config.TERRAQL_WORKER === 'off' && config.DATABASE_URL === undefined) {
        throw new UsageError(
          '--no-worker requires DATABASE_URL: the embedded database belongs to one process, so no other process could carry out the runs.',
        );
      }
      checkExposure(config);
      await checkAddress(config.TERRAQL_HOST, config.TERRAQL_PORT);
      await untilInterrupted(async (signal) => {
        const app = await startApp(config, config.TERRAQL_LOG_LEVEL, context.terminal);
        try {
          await serveApp(app, config, signal, (url) => {
            context.terminal.write(options.json ? `${JSON.stringify({ url, pid: process.pid })}\n` : serving(url));
          });
        } finally {
          await app.close();
        }
      });
    });
}

const serving = (url: string): string => `TerraQL serves ${url} (GraphQL at ${url}/graphql); Ctrl-C stops it\n`;

/**
 * Serves an application until the signal is aborted and open requests have finished.
 * @param onListening called once connections are accepted, with the address
 */
export async function serveApp(
  app: App,
  config: Config,
  signal: AbortSignal,
  onListening: (url: string) => Promise<void> | void,
): Promise<void> {
  const listening = await listen(createHttpServer(app), config.TERRAQL_HOST, config.TERRAQL_PORT);
  const stopKeeping = keepServing(app.logger);
  let stopScrapes = (): Promise<void> => Promise.resolve();
  try {
    stopScrapes = await listenForScrapes(app);
    const withdraw = await announceServer(config.TERRAQL_DATA_DIR, listening.url, app.machine.secret);
    try {
      await onListening(listening.url);
      await untilAborted(signal);
    } finally {
      await withdraw();
    }
  } finally {
    await Promise.all([listening.stop(GRACE_MS), stopScrapes(), app.stopRuns()]);
    stopKeeping();
  }
}

/** Longest that a scrape may take after a stop, milliseconds. */
const SCRAPE_GRACE_MS = 1000;

/** Serves metrics and probes on the port set for it, if there is one. @returns stops it @throws {CannotListenError} */
export async function listenForScrapes(app: App): Promise<() => Promise<void>> {
  const { TERRAQL_METRICS_PORT: port, TERRAQL_HOST: host } = app.config;
  if (port === undefined) return () => Promise.resolve();
  const listening = await listen(createMetricsServer(app), host, port, 'TERRAQL_METRICS_PORT');
  app.logger.info({ url: `${listening.url}/metrics` }, 'Metrics:Listening');
  return () => listening.stop(SCRAPE_GRACE_MS);
}
