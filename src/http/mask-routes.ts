import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router, type Request, type Response } from 'express';
import type { App } from '../app.ts';
import {
  MaskNotFoundError,
  RENDERINGS,
  renderSegmentation,
  type Rendering,
} from '../segmentation/render-segmentation.ts';

const CONTENT_TYPES: Readonly<Record<Rendering, string>> = {
  'mask.png': 'image/png',
  'overlay.png': 'image/png',
  'mask.tif': 'image/tiff; application=geotiff',
};

/** Changes whenever the same mask is drawn differently, so that caches ask again. */
const DRAWING = 1;

/** `GET /segmentations/{id}/mask.png`, `overlay.png` and `mask.tif`; a finished segmentation never changes. */
export function maskRoutes(app: App): Router {
  const router = Router();
  for (const rendering of RENDERINGS) {
    router.get(`/segmentations/:id/${rendering}`, (request, response) => send(app, rendering, request, response));
  }
  return router;
}

async function send(
  app: App,
  rendering: Rendering,
  request: Request<{ id: string }>,
  response: Response,
): Promise<void> {
  const segmentation = await app.segmentations.require(request.params.id);
  if (segmentation.state !== 'SUCCEEDED') throw new MaskNotFoundError(segmentation);
  response.set('ETag', `"${segmentation.id}-${rendering}-${DRAWING}"`);
  response.set('Cache-Control', 'private, max-age=31536000, immutable');
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const pieces = await renderSegmentation(app, segmentation, rendering);
  response.set('Content-Type', CONTENT_TYPES[rendering]);
  response.set('Content-Length', String(pieces.reduce((bytes, piece) => bytes + piece.length, 0)));
  await pipeline(Readable.from(pieces), response);
}
