import { createServer } from 'node:http';
import express from 'express';
import { pino } from 'pino';
import { readConfig } from '../../src/config.ts';
import type { ExportService } from '../../src/export/export.service.ts';
import { errorResponse } from '../../src/http/error-response.ts';
import { exportRoutes } from '../../src/http/export-routes.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { Outlet } from '../../src/http/outlet.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import type { Services } from '../../src/services.ts';
import { readRequest } from '../export/stored-exports.ts';

/** Longer than tests hold up the event loop, in which client and server both are. */
const KEEP_ALIVE_MS = 65_000;

/** The routes of exports on a free port. */
export interface ServedExports extends Listening {
  /** Lines of the log. */
  readonly logged: string[];
}

export async function serveExports(
  exports: ExportService,
  environment: NodeJS.ProcessEnv = {},
  stalledMs?: number,
): Promise<ServedExports> {
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const router = express();
  const outlet = new Outlet({
    config: readConfig(environment),
    authenticator: { isRequired: false, viewerOf: () => Promise.resolve(DEFAULT_VIEWER) },
    rates: { take: () => Promise.resolve(null) },
    usage: { add: () => undefined },
    refusals: { forbidden: () => undefined },
    linksFor: (_viewer, baseUrl) => ({ absolute: (path) => baseUrl + path }),
    servicesFor: () => ({ exports }) as Services,
    readFeatureRequest: readRequest,
  });
  router.use(exportRoutes(outlet, logger, stalledMs));
  router.use(errorResponse(logger));
  return { ...(await listen(createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, router), '127.0.0.1', 0)), logged };
}
