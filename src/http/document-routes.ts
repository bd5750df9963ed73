import { buildSchema } from 'graphql';
import { Router } from 'express';
import type { HttpService } from './http-service.ts';
import { openApiDocument } from './open-api/open-api-document.ts';
import { DOCUMENT_COST, type Outlet } from './outlet.ts';
import { digestOf, REVALIDATED, sendStoredFile, type StoredFile } from './stored-file.ts';

/**
 * What tools make typed clients of: `/schema.graphql`, the GraphQL schema as text, and `/openapi.json`, every route that the
 * outlet has by then, as OpenAPI 3.1.
 */
export function documentRoutes(
  outlet: Outlet,
  { schemaText, config }: Pick<HttpService, 'schemaText' | 'config'>,
): Router {
  const router = Router();
  const openApi = (): string => {
    const document = openApiDocument(outlet.rules, {
      schema: buildSchema(schemaText),
      maxPage: config.TERRAQL_MAX_PAGE,
    });
    return JSON.stringify(document);
  };
  router.use(documentRoute(outlet, '/schema.graphql', 'application/graphql; charset=utf-8', () => schemaText));
  router.use(documentRoute(outlet, '/openapi.json', 'application/json; charset=utf-8', openApi));
  return router;
}

/** @param make the text, once it is asked for */
function documentRoute(outlet: Outlet, path: string, contentType: string, make: () => string): Router {
  let made: StoredFile | undefined;
  const file = (): StoredFile => {
    const bytes = Buffer.from(make());
    const read = async () => ({ pieces: [bytes], bytes: bytes.length });
    return { etag: `"${digestOf(bytes)}"`, cacheControl: REVALIDATED, contentType, read };
  };
  return outlet.resource(path, {
    role: 'viewer',
    cost: DOCUMENT_COST,
    methods: { GET: ({ request, response }) => sendStoredFile(request, response, (made ??= file())) },
    takesFilter: false,
  });
}
