// A process of the service whose model is known in advance: `node --import tsx traced-process.ts serve|worker`, with the
// settings of its environment. It prints its address as JSON.
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen } from '../../src/http/listen.ts';
import { createMetricsServer } from '../../src/http/telemetry/metrics-server.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { createLogger } from '../../src/logging.ts';
import { traceFields } from '../../src/telemetry/tracing.ts';
import { BrightnessModel, brightnessModels } from '../api/brightness-models.ts';

const [role = 'serve'] = process.argv.slice(2);
const config = readConfig(process.env);
const app = await createApp(config, createLogger('info', traceFields), {
  database: ({ DATABASE_URL: databaseUrl, TERRAQL_DATA_DIR: dataDir }, _logger, onStatement) =>
    openDatabase({ databaseUrl, dataDir, ...(onStatement ? { onStatement } : {}) }),
  models: async () => brightnessModels(new BrightnessModel()),
  images: ({ TERRAQL_MAX_PIXELS }) => ({
    open: (file: string) => openImage(file, TERRAQL_MAX_PIXELS),
    close: async () => undefined,
  }),
});
const server = role === 'serve' ? createHttpServer(app) : createMetricsServer(app);
const listening = await listen(server, '127.0.0.1', 0);
process.stdout.write(`${JSON.stringify({ url: listening.url })}\n`);
process.once('SIGTERM', () => void listening.stop(0).then(() => app.close()));
