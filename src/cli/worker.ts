import type { Command } from 'commander';
import { readConfig } from '../config.ts';
import { startApp } from './application/ask.ts';
import { listenForScrapes } from './serve.ts';
import { keepServing } from '../last-resort.ts';
import { parseCount } from './terminal/options.ts';
import { type CommandContext, untilAborted, untilInterrupted } from './application/run-command.ts';

/** Adds `terraql worker`. */
export function addWorker(program: Command, context: CommandContext): void {
  program
    .command('worker')
    .description('carry out runs without serving; servers and workers share one PostgreSQL')
    .option('--runs <count>', 'runs to carry out at once (TERRAQL_RUNS)', parseCount)
    .option('--json', 'print JSON')
    .action(async ({ runs, json }: { runs?: number; json?: boolean }) => {
      const config = readConfig({
        ...context.environment,
        TERRAQL_WORKER: 'on',
        ...(runs === undefined ? {} : { TERRAQL_RUNS: String(runs) }),
      });
      await untilInterrupted(async (signal) => {
        const app = await startApp(config, config.TERRAQL_LOG_LEVEL, context.terminal);
        const stopKeeping = keepServing(app.logger);
        let stopScrapes = (): Promise<void> => Promise.resolve();
        try {
          stopScrapes = await listenForScrapes(app);
          context.terminal.write(
            json
              ? `${JSON.stringify({ pid: process.pid, runs: config.TERRAQL_RUNS })}\n`
              : `TerraQL carries out runs, ${config.TERRAQL_RUNS} at a time; Ctrl-C stops it\n`,
          );
          await untilAborted(signal);
        } finally {
          await stopScrapes();
          await app.close();
          stopKeeping();
        }
      });
    });
}
