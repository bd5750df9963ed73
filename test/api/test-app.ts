import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Database } from '../../src/database/database.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import type { ByteSource } from '../../src/imagery/byte-source.ts';
import { openImage, openRanges } from '../../src/imagery/open-image.ts';
import { openRemoteFiles, type RemoteOptions } from '../../src/remote/open-remote-files.ts';
import { createLogger } from '../../src/logging.ts';
import type { Services } from '../../src/services.ts';
import { openTestDatabase } from '../database/test-database.ts';
import type { AnswerData } from './answer.ts';
import { BrightnessModel, brightnessModels } from './brightness-models.ts';

/** What an operation came to: its data, or the first error. */
export interface Answer {
  readonly data: AnswerData;
  readonly error: { readonly message: string; readonly code: unknown } | null;
}

export interface TestApp {
  readonly app: App;
  readonly services: Services;
  readonly model: BrightnessModel;
  /** A folder that scenes may be registered from. */
  readonly root: string;
  ask(document: string, variables?: Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
}

/** Without decoder processes, which take a second to start. */
const inThisProcess = ({ TERRAQL_MAX_PIXELS }: Config) => ({
  open: (file: string | ByteSource) =>
    typeof file === 'string' ? openImage(file, TERRAQL_MAX_PIXELS) : openRanges(file, TERRAQL_MAX_PIXELS),
  close: async () => {},
});

/**
 * The whole service on a database of its own, with a model whose answers are known in advance.
 * @param database opens it; closed with the app
 * @param remote how other servers are reached
 */
export async function openTestApp(
  environment: Record<string, string> = {},
  database: () => Promise<Database> = openTestDatabase,
  remote?: RemoteOptions,
): Promise<TestApp> {
  const root = await mkdtemp(path.join(tmpdir(), 'terraql-api-'));
  const model = new BrightnessModel();
  const config = readConfig({ TERRAQL_SCENE_ROOTS: root, TERRAQL_DATA_DIR: path.join(root, 'data'), ...environment });
  const app = await createApp(config, createLogger('silent'), {
    database,
    models: async () => brightnessModels(model),
    images: inThisProcess,
    ...(remote ? { remote: () => openRemoteFiles(remote) } : {}),
  });
  return {
    app,
    services: app.servicesFor(DEFAULT_VIEWER),
    model,
    root,
    async ask(query, variables = {}) {
      const { body } = await app.graphql.executeOperation(
        { query, variables },
        { contextValue: app.contextFor(DEFAULT_VIEWER, 'http://terraql.test') },
      );
      if (body.kind !== 'single') throw new Error('an incremental answer');
      const { data, errors } = body.singleResult;
      const [first] = errors ?? [];
      return {
        data: JSON.parse(JSON.stringify(data ?? null)) as AnswerData,
        error: first ? { message: first.message, code: first.extensions?.['code'] } : null,
      };
    },
    async close() {
      await app.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
