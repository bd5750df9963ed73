import type { Logger } from './logging.ts';

/**
 * Keeps a server running after an uncaught error: it is logged, and other requests continue.
 * @returns takes the handlers away again
 */
export function keepServing(logger: Logger): () => void {
  const onException = (error: unknown): void => logger.fatal({ err: error }, 'Process:UncaughtException');
  const onRejection = (error: unknown): void => logger.fatal({ err: error }, 'Process:UnhandledRejection');
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}
