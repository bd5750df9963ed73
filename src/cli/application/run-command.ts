import { type Config, readConfig } from '../../config.ts';
import { openService, type Service } from './ask.ts';
import type { ServiceOptions } from '../terminal/options.ts';
import { withProgress } from '../terminal/progress.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Environment of a command. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Exit code when nothing is thrown. */
  exitCode: number;
}

/** Environment of a command that asks the service. */
export interface ServiceContext {
  readonly service: Service;
  readonly config: Config;
  readonly terminal: Terminal;
  /** Aborted when the user or the system asks the command to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` with the service to ask and closes the service afterwards.
 * @param runs whether this process carries out runs if it is the service itself
 * @param progress whether requests that take long show their own progress; false where `work` does
 */
export async function withService<T>(
  { terminal, environment }: CommandContext,
  { url }: ServiceOptions,
  work: (context: ServiceContext) => Promise<T>,
  { runs = false, progress = true }: { readonly runs?: boolean; readonly progress?: boolean } = {},
): Promise<T> {
  const config = readConfig(environment);
  return untilInterrupted(async (signal) => {
    const service = await openService(url, runs ? config : { ...config, TERRAQL_WORKER: 'off' }, terminal);
    try {
      return await work({ service: progress ? waiting(service, terminal) : service, config, terminal, signal });
    } finally {
      await service.close();
    }
  });
}

/** A service whose requests show progress while they wait for the answer. */
function waiting(service: Service, terminal: Terminal): Service {
  const ask: Service['ask'] = (answer, document, variables) =>
    withProgress(terminal, 'Asking', () => service.ask(answer, document, variables));
  return { ...service, ask };
}

/** Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process as usual. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  }
}

/** Resolves when the signal is aborted, at once if it is. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
