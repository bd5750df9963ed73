import { createServer, type Server } from 'node:http';
import { expressMiddleware } from '@as-integrations/express5';
import express, { type Router } from 'express';
import { errorResponse } from './error-response.ts';
import { exportRoutes } from './export-routes.ts';
import type { HttpService } from './http-service.ts';
import { maskRoutes } from './mask-routes.ts';
import { Outlet } from './outlet.ts';
import { startPageRoute } from './start-page.ts';
import { serveSubscriptions } from './subscription-socket.ts';

const MAX_BODY_BYTES = 1024 ** 2;
/** Time for a whole request, uploads included; Node's own five minutes are too few for a large image on a slow line. */
const REQUEST_TIMEOUT_MS = 3600_000;
/** Longer than proxies and clients keep idle connections, so that none of them writes to one that was just closed. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Every route of the service: `/graphql` (subscriptions by WebSocket), `PUT /uploads/{id}`, `/segmentations/{id}/...`,
 * `/features.{format}`, `/healthz`, `/readyz`, and the start page at `/`.
 */
export function createHttpServer(service: HttpService): Server {
  const outlet = new Outlet(service);
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
    expressMiddleware(service.graphql, {
      context: async ({ req }) => service.contextFor(outlet.viewerOf(req), outlet.baseUrlOf(req)),
    }),
  );
  router.use(uploadRoute(outlet));
  router.use(maskRoutes(outlet));
  router.use(exportRoutes(outlet, service.logger));
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  router.get('/readyz', async (_request, response) => {
    const readiness = await service.readiness();
    response.status(readiness.database && readiness.model ? 200 : 503).json(readiness);
  });
  router.get('/', startPageRoute(service, outlet));
  router.use((request, response) => {
    response.status(404).json({ error: { code: 'ROUTE_NOT_FOUND', message: `no ${request.method} ${request.path}` } });
  });
  router.use(errorResponse(service.logger));
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, router);
  serveSubscriptions(server, service, outlet);
  return server;
}

/** `PUT /uploads/{id}?token=...`: the bytes of a scene, at the address that `createUpload` gave. */
function uploadRoute(outlet: Outlet): Router {
  return outlet.resource<{ id: string }>('/uploads/:id', {
    methods: {
      PUT: async ({ services, request, response }) => {
        const { token } = request.query;
        await services.uploads.receive(request.params.id, typeof token === 'string' ? token : '', request);
        response.status(204).end();
      },
    },
    takesFilter: false,
  });
}
