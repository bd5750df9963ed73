// `terraql serve` with the model of the tests instead of the installed ones: `node --import tsx serve-process.ts`. Prints its
// address as JSON when it is up, and `storing` when it begins to store an answer.
import { createApp } from '../../src/app.ts';
import { untilInterrupted } from '../../src/cli/application/run-command.ts';
import { serveApp } from '../../src/cli/serve.ts';
import { readConfig } from '../../src/config.ts';
import { type Connections, type Database, openDatabase } from '../../src/database/database.ts';
import { createLogger } from '../../src/logging.ts';
import { BrightnessModel, brightnessModels } from '../api/brightness-models.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs store their answers in the only transactions that can be stopped. */
function announced(runs: Connections): Connections {
  return {
    ...runs,
    transaction: (work, signal) => {
      if (signal) say('storing');
      return runs.transaction(work, signal);
    },
  };
}

async function openAnnounced(): Promise<Database> {
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.TERRAQL_DATA_DIR });
  return { ...database, forRuns: announced(database.forRuns) };
}

const config = readConfig(process.env);
await untilInterrupted(async (signal) => {
  const app = await createApp(config, createLogger(config.TERRAQL_LOG_LEVEL), {
    database: openAnnounced,
    models: async () => brightnessModels(new BrightnessModel()),
  });
  await serveApp(app, config, signal, (url) => say(JSON.stringify({ url })));
  await app.close();
});
