import { createServer, type IncomingMessage, type Server } from 'node:http';
import { expressMiddleware } from '@as-integrations/express5';
import express, { type Request, type Response } from 'express';
import type { App } from '../app.ts';
import { errorResponse } from './error-response.ts';
import { exportRoutes } from './export-routes.ts';
import { maskRoutes } from './mask-routes.ts';
import { startPageRoute } from './start-page.ts';
import { serveSubscriptions } from './subscription-socket.ts';

const MAX_BODY_BYTES = 1024 ** 2;
/** Time for a whole request, uploads included; Node's own five minutes are too few for a large image on a slow line. */
const REQUEST_TIMEOUT_MS = 3600_000;
/** Longer than proxies and clients keep idle connections, so that none of them writes to one that was just closed. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Every route of the service over an application that is already running:
 * `/graphql` (subscriptions by WebSocket), `PUT /uploads/{id}`, `/segmentations/{id}/...`, `/features.{format}`,
 * `/healthz`, `/readyz`, and the start page at `/`.
 */
export function createHttpServer(app: App): Server {
  const router = express();
  router.disable('x-powered-by');
  router.disable('etag');
  router.use((_request, response, next) => {
    response.set('X-Content-Type-Options', 'nosniff');
    next();
  });
  router.use(
    '/graphql',
    express.json({ limit: MAX_BODY_BYTES }),
    expressMiddleware(app.graphql, { context: ({ req }) => Promise.resolve(app.contextFor(baseUrlOf(app, req))) }),
  );
  router.put('/uploads/:id', (request, response) => receiveUpload(app, request, response));
  router.use(maskRoutes(app));
  router.use(exportRoutes(app));
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  router.get('/readyz', async (_request, response) => {
    const readiness = await app.readiness();
    response.status(readiness.database && readiness.model ? 200 : 503).json(readiness);
  });
  router.get('/', startPageRoute(app));
  router.use((request, response) => {
    response.status(404).json({ error: { code: 'ROUTE_NOT_FOUND', message: `no ${request.method} ${request.path}` } });
  });
  router.use(errorResponse(app.logger));
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, router);
  serveSubscriptions(server, app, (request) => baseUrlOf(app, request));
  return server;
}

/** Base of the links in answers: as configured, else as the client addressed the service. */
function baseUrlOf({ config }: App, { headers, socket }: IncomingMessage): string {
  const { localAddress, localPort } = socket;
  const url = config.TERRAQL_PUBLIC_URL ?? `http://${headers.host ?? `${localAddress}:${localPort}`}`;
  return url.replace(/\/+$/, '');
}

async function receiveUpload(app: App, request: Request<{ id: string }>, response: Response): Promise<void> {
  const { token } = request.query;
  await app.uploads.receive(request.params.id, typeof token === 'string' ? token : '', request);
  response.status(204).end();
}
