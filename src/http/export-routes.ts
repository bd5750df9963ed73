import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { App } from '../app.ts';
import { AppError } from '../errors.ts';
import { InvalidExportError } from '../export/export-errors.ts';
import type { FeatureExport } from '../export/export.service.ts';

/** Filters of clients' own are off. */
export class ExportNotAllowedError extends AppError {
  readonly code = 'EXPORT_NOT_ALLOWED';
  constructor() {
    super(
      'features are not exported over HTTP while TERRAQL_PERSISTED_OPERATIONS is set: a file may have any filter, and this service answers known operations alone',
    );
  }
}

const MAX_BODY_BYTES = 1024 ** 2;
const METHODS = 'GET, HEAD, POST, OPTIONS';
const PARAMETERS = ['filter', 'orderBy', 'precision', 'limit'] as const;

type FormatParameters = Readonly<{ format: string }>;
type ExportingApp = Pick<App, 'config' | 'exports' | 'logger'>;

/**
 * `/features.{geojson,ndjson,csv,fgb,parquet}`: the features that match a filter as a file.
 * GET takes `filter` and `orderBy` as JSON, `precision` and `limit` in the query; POST takes the four as one JSON object.
 */
export function exportRoutes(app: ExportingApp): Router {
  const router = Router();
  const path = '/features.:format';
  if (app.config.TERRAQL_PERSISTED_OPERATIONS !== undefined) {
    router.all(path, () => {
      throw new ExportNotAllowedError();
    });
  }
  router.get(path, serve(app, queryRequest));
  router.post(path, express.json({ limit: MAX_BODY_BYTES }), serve(app, bodyRequest));
  router.options(path, (_request, response) => void response.set('Allow', METHODS).status(204).end());
  router.all(path, (request, response) => {
    const message = `features are not served to ${request.method}; use one of ${METHODS}`;
    response
      .set('Allow', METHODS)
      .status(405)
      .json({ error: { code: 'METHOD_NOT_ALLOWED', message } });
  });
  return router;
}

function serve(
  app: ExportingApp,
  requestOf: (request: Request<FormatParameters>) => unknown,
): RequestHandler<FormatParameters> {
  return async (request, response) => {
    const begunAt = performance.now();
    const exported = await app.exports.open(request.params.format, requestOf(request));
    const pieces = request.method === 'HEAD' ? null : await begun(exported.pieces());
    const encoding = setHeaders(exported, request, response);
    if (!pieces) {
      response.end();
      return;
    }
    const end = await send(pieces, encoding, response);
    app.logger[end.level](
      {
        format: exported.format.extension,
        featureCount: exported.featureCount,
        durationMs: Math.round(performance.now() - begunAt),
        err: end.error,
      },
      end.message,
    );
  };
}

/** The parameters of a URL: two of them are JSON, and two are whole numbers. */
function queryRequest({ query }: Request<FormatParameters>): unknown {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (!PARAMETERS.some((known) => known === name)) {
        throw new InvalidExportError(`there is no parameter ${name}; there are ${PARAMETERS.join(', ')}`);
      }
      if (typeof value !== 'string') throw new InvalidExportError(`parameter ${name} must be given once`);
      return [name, parseParameter(name, value)];
    }),
  );
}

function parseParameter(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
    throw new InvalidExportError(`parameter ${name} is not JSON: ${shown}`, { cause });
  }
}

function bodyRequest(request: Request<FormatParameters>): unknown {
  if (request.is('application/json')) return request.body as unknown;
  const type = request.headers['content-type'] ?? 'nothing';
  throw new InvalidExportError(`the body is ${type}; it must be application/json`);
}

/** @returns how the body is to be encoded */
function setHeaders(
  { format, featureCount, withoutGeoreference, warnings }: FeatureExport,
  request: Request<FormatParameters>,
  response: Response,
): 'gzip' | 'identity' {
  response.attachment(`features.${format.extension}`);
  response.set({
    'Content-Type': format.mediaType,
    'Cache-Control': 'no-store',
    'TerraQL-Feature-Count': String(featureCount),
    'TerraQL-Features-Left-Out': String(withoutGeoreference),
  });
  // A header is printable ASCII.
  if (warnings.length > 0) response.set('TerraQL-Warning', warnings.join('; ').replace(/[^ -~]/g, '?'));
  if (!format.compressible) return 'identity';
  response.vary('Accept-Encoding');
  if (request.acceptsEncodings('gzip', 'identity') !== 'gzip') return 'identity';
  response.set('Content-Encoding', 'gzip');
  return 'gzip';
}

/** The pieces again, once the first is there: until then an error can still be answered as one. */
async function begun(pieces: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

/** How sending came to its end, for the log. */
interface SendingEnd {
  readonly level: 'info' | 'error';
  readonly message: 'Export:Sent' | 'Export:Abandoned' | 'Export:Cut';
  readonly error?: unknown;
}

/**
 * Sends at the pace of the client, and reads no more once the client has gone. What fails in the middle cuts the
 * connection, so that half a file does not look whole.
 */
async function send(
  pieces: AsyncIterable<Uint8Array>,
  encoding: 'gzip' | 'identity',
  response: Response,
): Promise<SendingEnd> {
  const source = Readable.from(pieces);
  try {
    await (encoding === 'gzip' ? pipeline(source, createGzip(), response) : pipeline(source, response));
    return { level: 'info', message: 'Export:Sent' };
  } catch (error) {
    return isPrematureClose(error)
      ? { level: 'info', message: 'Export:Abandoned' }
      : { level: 'error', message: 'Export:Cut', error };
  }
}

const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
