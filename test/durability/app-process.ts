// `terraql serve` or, with TERRAQL_WORKER=on, `terraql worker`, with the model of the tests instead of the installed ones:
// `node --import tsx app-process.ts <pause ms>`. Prints its address as JSON when it is up, and `window` for every
// window that its model answered.
import { createApp } from '../../src/app.ts';
import { untilAborted, untilInterrupted } from '../../src/cli/application/run-command.ts';
import { serveApp } from '../../src/cli/serve.ts';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Question } from '../../src/inference/segmentation-model.ts';
import { createLogger } from '../../src/logging.ts';
import { BrightnessModel, brightnessModels } from '../api/brightness-models.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

class CountedModel extends BrightnessModel {
  override async infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const logits = await super.infer(image, questions, signal);
    say('window');
    return logits;
  }
}

const config = readConfig(process.env);
const model = new CountedModel();
model.pauseMs = Number(process.argv[2] ?? 0);
await untilInterrupted(async (signal) => {
  const app = await createApp(config, createLogger(config.TERRAQL_LOG_LEVEL), {
    database: () => openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.TERRAQL_DATA_DIR }),
    models: async () => brightnessModels(model),
  });
  if (config.TERRAQL_WORKER === 'off') await serveApp(app, config, signal, (url) => say(JSON.stringify({ url })));
  else {
    say(JSON.stringify({ pid: process.pid }));
    await untilAborted(signal);
  }
  await app.close();
});
