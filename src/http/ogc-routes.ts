import { Router } from 'express';
import { ogcAddress, type OgcHandler } from '../ogc/answer.ts';
import { GEOJSON_TYPE, HTML_TYPE, JSON_TYPE, SCHEMA_TYPE } from '../ogc/links.ts';
import { ogcResources } from '../ogc/resources.ts';
import { stacResources } from '../stac/resources.ts';
import type { HttpService } from './http-service.ts';
import { type Asked, DOCUMENT_COST, type Outlet } from './outlet.ts';
import { SPATIAL_COST } from '../feature/filter-cost.ts';
import { digestOf, REVALIDATED } from './stored-file.ts';

const MAX_BODY_BYTES = 1024 ** 2;
type Names = Readonly<Record<string, string>>;

/** OGC API - Features, Tiles and Processes at `/ogc`, STAC API at `/stac`. */
export function ogcRoutes(outlet: Outlet, service: Pick<HttpService, 'config' | 'readSegmentRequest'>): Router {
  const router = Router();
  const { TERRAQL_MAX_PAGE: maxPage, TERRAQL_MAX_VERTICES: maxVertices } = service.config;
  const all = [
    ...ogcResources({ ...service, maxPage, maxVertices }).map((resource) => ({ prefix: '/ogc', ...resource })),
    ...stacResources({ maxPage, maxVertices }).map((resource) => ({ prefix: '/stac', ...resource })),
  ];
  for (const { prefix, path, methods, takesFilter, changes = [] } of all) {
    const answered = (handler: OgcHandler) => (asked: Asked<Names>) => send(outlet, prefix, asked, handler);
    const answers = Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, answered(handler)]));
    router.use(
      outlet.resource<Names>(`${prefix}${path}`, {
        role: 'viewer',
        cost: ({ query }) => costOf(query, maxPage),
        roles: Object.fromEntries(changes.map((method) => [method, 'analyst'] as const)),
        methods: answers,
        takesFilter,
        maxJsonBytes: MAX_BODY_BYTES,
      }),
    );
  }
  return router;
}

const ITEMS_OF_A_PAGE = 10;

/** A page costs what its items would in GraphQL, and its conditions as spatial ones. */
function costOf(query: Readonly<Record<string, unknown>>, maxPage: number): number {
  const limit = Math.min(Number(query['limit'] ?? ITEMS_OF_A_PAGE) || ITEMS_OF_A_PAGE, maxPage);
  const conditions = ['bbox', 'filter'].filter((name) => query[name] !== undefined).length;
  return DOCUMENT_COST + limit + conditions * SPATIAL_COST;
}

/** Answers, or tells a client that has the same answer already so. */
async function send(
  outlet: Outlet,
  prefix: string,
  { services, request, response }: Asked<Names>,
  handler: OgcHandler,
): Promise<void> {
  const { query, path, params } = request;
  const prefersHtml = request.accepts([JSON_TYPE, GEOJSON_TYPE, SCHEMA_TYPE, HTML_TYPE]) === HTML_TYPE;
  const address = ogcAddress({ root: outlet.baseUrlOf(request), prefix, path, query, prefersHtml });
  const prefer = request.get('Prefer') ?? '';
  const link = (to: string): string => outlet.linksOf(request).absolute(to);
  const answer = await handler({
    services,
    names: params,
    query,
    body: request.body as unknown,
    prefer,
    address,
    link,
  });
  const bytes = Buffer.from(answer.body);
  response.set(answer.headers).vary('Accept');
  if (request.method === 'GET' || request.method === 'HEAD') {
    response.set({ 'Cache-Control': REVALIDATED, ETag: `"${digestOf(bytes)}"` });
    if (request.fresh) {
      response.status(304).end();
      return;
    }
  }
  response.status(answer.status).set({ 'Content-Type': answer.contentType, 'Content-Length': String(bytes.length) });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
