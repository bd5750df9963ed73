import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router, type Request, type Response } from 'express';
import type { App } from '../app.ts';
import { MaskNotFoundError, RENDERINGS, renderSegmentation, type Rendering } from '../rendering/render-segmentation.ts';
import { type RenderedFile, RenderingCache, sliceOf } from './rendering-cache.ts';

const CONTENT_TYPES: Readonly<Record<Rendering, string>> = {
  'mask.png': 'image/png',
  'overlay.png': 'image/png',
  'mask.tif': 'image/tiff; application=geotiff; profile=cloud-optimized',
};
/** Changes whenever the same mask is drawn differently, so that caches ask again. */
const DRAWING = 2;

/**
 * `GET /segmentations/{id}/mask.png`, `overlay.png` and `mask.tif`, whole or by `Range`; a finished segmentation never
 * changes.
 */
export function maskRoutes(app: App): Router {
  const router = Router();
  const cache = new RenderingCache();
  for (const rendering of RENDERINGS) {
    router.get(`/segmentations/:id/${rendering}`, (request, response) =>
      send(app, cache, rendering, request, response),
    );
  }
  return router;
}

async function send(
  app: App,
  cache: RenderingCache,
  rendering: Rendering,
  request: Request<{ id: string }>,
  response: Response,
): Promise<void> {
  const segmentation = await app.segmentations.require(request.params.id);
  if (segmentation.state !== 'SUCCEEDED') throw new MaskNotFoundError(segmentation);
  const etag = `"${segmentation.id}-${rendering}-${DRAWING}"`;
  response.set('ETag', etag);
  response.set('Cache-Control', 'private, max-age=31536000, immutable');
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const file = await cache.get(etag, () => renderSegmentation(app, segmentation, rendering));
  response.set('Content-Type', CONTENT_TYPES[rendering]).set('Accept-Ranges', 'bytes');
  const range = rangeOf(request, file, etag);
  if (range === 'UNSATISFIABLE') {
    response.set('Content-Range', `bytes */${file.bytes}`).set('Cache-Control', 'no-store').status(416).end();
    return;
  }
  const [start, end] = range ?? [0, file.bytes];
  if (range) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${file.bytes}`);
  response.set('Content-Length', String(end - start));
  await pipeline(Readable.from(sliceOf(file, start, end)), response);
}

/**
 * The part that the client asks for, `[start, end)`. Null for the whole file: when none is asked for, when it was asked for
 * another version of the file, and for several parts at once or a malformed header, which a server may pass over.
 * @see RFC 9110, section 14.2
 */
function rangeOf(
  request: Request<{ id: string }>,
  { bytes }: RenderedFile,
  etag: string,
): readonly [start: number, end: number] | 'UNSATISFIABLE' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) return 'UNSATISFIABLE';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return [ranges[0]!.start, ranges[0]!.end + 1];
}
