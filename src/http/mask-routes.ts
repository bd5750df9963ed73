import { Router } from 'express';
import { MaskNotFoundError, RENDERINGS, renderSegmentation, type Rendering } from '../rendering/render-segmentation.ts';
import { type Asked, type Outlet, PICTURE_COST } from './outlet.ts';
import { IMMUTABLE, RenderingCache, sendStoredFile } from './stored-file.ts';

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
export function maskRoutes(outlet: Outlet): Router {
  const router = Router();
  const cache = new RenderingCache();
  for (const rendering of RENDERINGS) {
    router.use(
      outlet.resource<{ id: string }>(`/segmentations/:id/${rendering}`, {
        role: 'viewer',
        cost: PICTURE_COST,
        methods: { GET: (asked) => send(asked, cache, rendering) },
        takesFilter: false,
      }),
    );
  }
  return router;
}

async function send(
  { services, request, response }: Asked<{ id: string }>,
  cache: RenderingCache,
  rendering: Rendering,
): Promise<void> {
  const segmentation = await services.segmentations.require(request.params.id);
  if (segmentation.state !== 'SUCCEEDED') throw new MaskNotFoundError(segmentation);
  const etag = `"${segmentation.id}-${rendering}-${DRAWING}"`;
  await sendStoredFile(request, response, {
    etag,
    cacheControl: IMMUTABLE,
    contentType: CONTENT_TYPES[rendering],
    read: () => cache.get(etag, () => renderSegmentation(services, segmentation, rendering)),
  });
}
