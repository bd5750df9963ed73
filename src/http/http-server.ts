import type { Server } from 'node:http';
import { expressMiddleware } from '@as-integrations/express5';
import express, { type Express, type RequestHandler, type Router } from 'express';
import { AppError } from '../errors.ts';
import { checkDocumentText } from '../graphql/request-shape.ts';
import { createListener } from '../http-listener.ts';
import { crossOrigin } from './headers/cross-origin.ts';
import { dashboardFiles } from './dashboard-files.ts';
import { documentRoutes } from './document-routes.ts';
import { errorResponse } from './error-response.ts';
import { exportRoutes } from './export-routes.ts';
import { graphiqlPage } from './graphiql-page.ts';
import type { HttpService } from './http-service.ts';
import { jsonBody } from './json-body.ts';
import { metricsPage } from './telemetry/metrics-server.ts';
import { requestTelemetry } from './telemetry/request-telemetry.ts';
import { maskRoutes } from './mask-routes.ts';
import { ogcRoutes } from './ogc-routes.ts';
import { DOCUMENT_COST, Outlet } from './outlet.ts';
import { requestId } from './request-id.ts';
import { securityHeaders } from './headers/security-headers.ts';
import { serveSubscriptions, SOCKET_LIMITS, type SocketLimits } from './subscription-socket.ts';
import { sceneTileRoutes } from './scene-tile-routes.ts';
import { segmentationTileRoutes } from './segmentation-tile-routes.ts';
import { storedExportRoutes } from './stored-export-routes.ts';
import { workspaceRoutes } from './workspace-routes.ts';
import { tileRoutes } from './tile-routes.ts';

const MAX_BODY_BYTES = 1024 ** 2;
/** Node's own five minutes are too few for a large image on a slow line. */
const UPLOAD_TIMEOUT_MS = 3600_000;
const BODY_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 2000;

/**
 * Every route of the service: `/graphql` (subscriptions by WebSocket), `PUT /uploads/{id}`, `/segmentations/{id}/...`,
 * `/features.{format}`, `/tiles/...`, `/ogc/...`, `/healthz`, `/readyz`, `/metrics`, and the dashboard at `/`.
 */
export function createHttpServer(service: HttpService, sockets: SocketLimits = SOCKET_LIMITS): Server {
  const outlet = new Outlet(service);
  const server = createListener(createRouter(service, outlet), service.logger, {
    maxConnections: MAX_CONNECTIONS,
    requestTimeoutMs: UPLOAD_TIMEOUT_MS,
    bodyTimeoutMs: ({ method, url }) =>
      method === 'PUT' && url?.startsWith('/uploads/') === true ? UPLOAD_TIMEOUT_MS : BODY_TIMEOUT_MS,
  });
  serveSubscriptions(server, service, outlet, sockets);
  return server;
}

/** The routes, each with a rule that says who may use it. */
export function createRouter(service: HttpService, outlet: Outlet): Express {
  const { config } = service;
  const router = express();
  router.disable('x-powered-by');
  router.disable('etag');
  router.use(requestTelemetry(service.metrics));
  router.use(requestId(outlet.proxies));
  router.use(securityHeaders(config));
  router.get(outlet.declare('/healthz', ['GET'], 'anyone'), (_request, response) => void response.json({ ok: true }));
  router.get(outlet.declare('/readyz', ['GET'], 'anyone'), async (_request, response) => {
    const readiness = await service.readiness();
    response.status(readiness.database && readiness.model ? 200 : 503).json(readiness);
  });
  if (config.TERRAQL_METRICS_PORT === undefined) {
    router.get(outlet.declare('/metrics', ['GET'], 'admin'), outlet.admit('admin'), metricsPage(service.metrics));
  }
  // Probes may use any name of a process; the routes below answer only to configured names.
  router.use((request, _response, next) => {
    outlet.hosts.check(request, outlet.proxies.addressedAs(request).host);
    next();
  });
  if (config.TERRAQL_CORS_ORIGINS.length > 0) router.use(crossOrigin(config.TERRAQL_CORS_ORIGINS));
  router.use(outlet.otherMethods);
  // The addresses that are asked for most come first.
  router.use(tileRoutes(outlet));
  if (config.NODE_ENV !== 'production') {
    router.get(outlet.declare('/graphql', ['GET'], 'anyone'), graphiqlPage());
  }
  router.use(
    outlet.declare('/graphql', ['GET', 'POST'], 'viewer'),
    outlet.admit('viewer'),
    jsonBody(MAX_BODY_BYTES),
    refuseDeepDocuments,
    expressMiddleware(service.graphql, {
      context: async ({ req }) => service.contextFor(outlet.viewerOf(req), outlet.baseUrlOf(req)),
    }),
  );
  router.use(workspaceRoutes(outlet, service));
  router.use(documentRoutes(outlet, service));
  router.use(uploadRoute(outlet));
  router.use(maskRoutes(outlet));
  router.use(exportRoutes(outlet, service.logger));
  router.use(storedExportRoutes(outlet, service.blobs));
  router.use(ogcRoutes(outlet, service));
  router.use(sceneTileRoutes(outlet, service));
  router.use(segmentationTileRoutes(outlet));
  const persistedOnly = config.TERRAQL_PERSISTED_OPERATIONS !== undefined;
  const { TERRAQL_BASEMAP_STYLE: basemapStyle, TERRAQL_MAX_BYTES: maxUploadBytes } = config;
  router.use(dashboardFiles(outlet, { basemapStyle, persistedOnly, maxUploadBytes, signIn: () => service.signIn() }));
  router.use((request, response) => {
    response
      .status(404)
      .json({ error: { code: 'ROUTE_NOT_FOUND', message: `${request.method} ${request.path} does not exist.` } });
  });
  router.use(errorResponse(service.logger));
  return router;
}

/** Refuses documents, and variables of a URL, that nest too deeply to be parsed. */
const refuseDeepDocuments: RequestHandler = (request, response, next) => {
  const body = request.body as { query?: unknown } | undefined;
  try {
    for (const text of [body?.query, request.query['query'], request.query['variables']]) {
      if (typeof text === 'string') checkDocumentText(text);
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const errors = [{ message: error.message, extensions: { code: error.code } }];
    response.status(400).json({ errors });
    return;
  }
  next();
};

/** `PUT /uploads/{id}?token=...`: the bytes of a scene, at the address that `createUpload` gave. */
function uploadRoute(outlet: Outlet): Router {
  return outlet.resource<{ id: string }>('/uploads/:id', {
    role: 'analyst',
    cost: DOCUMENT_COST,
    methods: {
      PUT: async ({ services, request, response }) => {
        const { token } = request.query;
        // The connection outlives a refusal, so that the client can read it.
        const bytes = request.iterator({ destroyOnReturn: false });
        await services.uploads.receive(request.params.id, typeof token === 'string' ? token : '', bytes);
        await services.audit.record('upload', [request.params.id]);
        response.status(204).end();
      },
    },
    takesFilter: false,
  });
}
