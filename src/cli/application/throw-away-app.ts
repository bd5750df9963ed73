import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { App } from '../../app.ts';
import { readConfig } from '../../config.ts';
import { commandLogLevel, startApp } from './ask.ts';
import { type CommandContext, untilInterrupted } from './run-command.ts';

/**
 * Runs work with a service of its own on a temporary embedded database, whatever database is configured.
 * @param roots folders that the service may read scenes from
 */
export async function withThrowAwayApp<T>(
  { terminal, environment }: CommandContext,
  roots: readonly string[],
  work: (app: App, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const {
    DATABASE_URL: _,
    TERRAQL_PERSISTED_OPERATIONS: __,
    TERRAQL_BLOBS: ___,
    ...configured
  } = readConfig(environment);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-evaluation-'));
  const config = { ...configured, TERRAQL_DATA_DIR: dataDir, TERRAQL_SCENE_ROOTS: [...roots] };
  try {
    return await untilInterrupted(async (signal) => {
      const app = await startApp(config, commandLogLevel(config), terminal);
      try {
        return await work(app, signal);
      } finally {
        await app.close();
      }
    });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
