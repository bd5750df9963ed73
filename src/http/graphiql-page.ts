import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { DASHBOARD_FILES, DashboardMissingError } from './dashboard-files.ts';

/** Written by `npm run setup`: GraphiQL with the examples of docs/querying.md as tabs, compressed. */
const FILE = `${DASHBOARD_FILES}/graphiql.html.gz`;

/** What GraphiQL needs, all of it in the page itself. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /graphql` in a browser: GraphiQL, without anything from elsewhere. Any other request is left to the API. */
export function graphiqlPage(): RequestHandler {
  let page: Buffer | undefined;
  return (request, response, next) => {
    const isBrowser =
      request.method === 'GET' && request.accepts(['json', 'html']) === 'html' && !request.query['query'];
    if (!isBrowser) {
      next();
      return;
    }
    if (!existsSync(FILE)) throw new DashboardMissingError();
    page ??= readFileSync(FILE);
    response
      .set('Content-Security-Policy', POLICY)
      .set('Cache-Control', 'no-cache')
      .vary('Accept-Encoding')
      .type('html');
    if (request.acceptsEncodings('gzip', 'identity') === 'gzip') response.set('Content-Encoding', 'gzip').send(page);
    else response.send(gunzipSync(page));
  };
}
