import { Router } from 'express';
import { type Asked, DOCUMENT_COST, type Outlet, PICTURE_COST } from './outlet.ts';
import { type PictureTileParameters, readPictureTile, sendPicture } from './picture-tile.ts';
import { tileJson } from '../tiles/tile-json.ts';
import { REVALIDATED } from './stored-file.ts';

type SegmentationParameters = PictureTileParameters & Readonly<{ id: string }>;

/** Flat colours: JPEG would blur their edges, and has no transparency. */
const FORMATS = ['webp', 'png'] as const;

/**
 * `GET /tiles/segmentations/{id}/{z}/{x}/{y}.{webp,png}` and `@2x`: the mask of a finished segmentation, each part in the
 * colour of its mean probability, and its TileJSON `/tiles/segmentations/{id}.json`. `r` is any text.
 */
export function segmentationTileRoutes(outlet: Outlet): Router {
  const router = Router();
  router.use(
    outlet.resource<{ id: string }>('/tiles/segmentations/:id.json', {
      role: 'viewer',
      cost: DOCUMENT_COST,
      methods: { GET: (asked) => sendTileJson(outlet, asked) },
      takesFilter: false,
    }),
  );
  router.use(
    outlet.resource<SegmentationParameters>('/tiles/segmentations/:id/:z/:x/:file', {
      role: 'viewer',
      cost: PICTURE_COST,
      methods: {
        GET: async (asked) => {
          const { tile, ...style } = readPictureTile(asked, [], FORMATS);
          const { id } = asked.request.params;
          sendPicture(asked, style.format, await asked.services.segmentationTiles.tile(id, tile, style));
        },
      },
      takesFilter: false,
    }),
  );
  return router;
}

async function sendTileJson(outlet: Outlet, { services, request, response }: Asked<{ id: string }>): Promise<void> {
  const { id, prompt, sceneId } = await services.segmentations.require(request.params.id);
  const { footprint } = await services.scenes.get(sceneId);
  const tiles = outlet.linksOf(request).absolute(`/tiles/segmentations/${id}/{z}/{x}/{y}.webp`);
  response.set('Cache-Control', REVALIDATED).json(tileJson({ name: prompt, tiles, footprint, attribution: null }));
}
