import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Request, Response, Router } from 'express';
import { InvalidExportError } from '../export/export-errors.ts';
import type { FeatureExport } from '../export/export.service.ts';
import type { Logger } from '../logging.ts';
import { type Asked, DOCUMENT_COST, type Outlet } from './outlet.ts';
import { requestedFeatures } from './view-parameter.ts';

const MAX_BODY_BYTES = 1024 ** 2;
/** A client that reads nothing for so long is cut: its file holds statements of the database. */
const STALLED_MS = 120_000;

type FormatParameters = Readonly<{ format: string }>;

/**
 * `/features.{geojson,ndjson,geojsons,csv,coco,fgb,parquet,parquet.zip}`: the features that match a filter as a file.
 * GET takes `filter` (or `view`) and `orderBy` as JSON, `precision`, `simplifyM`, `limit`,
 * `include` (names between commas) and `crs` in the query; POST takes all as one JSON object.
 */
export function exportRoutes(outlet: Outlet, logger: Logger, stalledMs = STALLED_MS): Router {
  const answer = (asked: Asked<FormatParameters>): Promise<void> => {
    asked.response.setTimeout(stalledMs, () => asked.response.destroy());
    return serve(outlet, logger, asked);
  };
  return outlet.resource<FormatParameters>('/features.:format', {
    role: 'viewer',
    cost: DOCUMENT_COST,
    methods: { GET: answer, POST: answer },
    takesFilter: 'UNLESS_VIEW',
    maxJsonBytes: MAX_BODY_BYTES,
  });
}

async function serve(outlet: Outlet, logger: Logger, asked: Asked<FormatParameters>): Promise<void> {
  const { services, request, response } = asked;
  const begunAt = performance.now();
  const exported = await services.exports.open(
    request.params.format,
    await requestedFeatures(outlet, asked, { invalid: InvalidExportError }),
  );
  // As much as the same features cost in a page.
  await asked.spend(request.method === 'HEAD' ? 0 : exported.featureCount);
  const pieces = request.method === 'HEAD' ? null : await begun(exported.pieces());
  const encoding = setHeaders(exported, request, response);
  if (!pieces) {
    response.end();
    return;
  }
  const end = await send(pieces, encoding, response);
  logger[end.level](
    {
      format: exported.format.extension,
      featureCount: exported.featureCount,
      durationMs: Math.round(performance.now() - begunAt),
      err: end.error,
    },
    end.message,
  );
}

/** @returns how the body is to be encoded */
function setHeaders(
  { format, featureCount, withoutGeoreference, warnings }: FeatureExport,
  request: Request<FormatParameters>,
  response: Response,
): 'gzip' | 'identity' {
  response.attachment(`features.${format.fileExtension ?? format.extension}`);
  response.set({
    'Content-Type': format.mediaType,
    'Cache-Control': 'no-store',
    'TerraQL-Feature-Count': String(featureCount),
    'TerraQL-Features-Left-Out': String(withoutGeoreference),
  });
  // A header is printable ASCII.
  if (warnings.length > 0) response.set('TerraQL-Warning', warnings.join(' ').replace(/[^ -~]/g, '?'));
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
