import { Router } from 'express';
import { BadInputError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import { PICTURE_FORMATS } from '../rendering/encode-picture.ts';
import type { SceneFilter } from '../scene/scene.service.ts';
import { isGeoreferenced } from '../scene/scene.ts';
import { InvalidTileStyleError, SceneNotGeoreferencedError, type SceneTileStyle } from '../tiles/scene-tile.service.ts';
import type { HttpService } from './http-service.ts';
import { type Asked, DOCUMENT_COST, type Outlet, PICTURE_COST } from './outlet.ts';
import { type PictureTileParameters, readPictureTile, sendPicture } from './picture-tile.ts';
import { REVALIDATED } from './stored-file.ts';
import { tileJson } from '../tiles/tile-json.ts';

type SceneParameters = PictureTileParameters & Readonly<{ id: string }>;

/**
 * `GET /tiles/scenes/{id}/{z}/{x}/{y}.{webp,png,jpg}` and `@2x`: one scene; `bands=4,3,2` and `rescale=0,3000` show other
 * bands and values. `GET /tiles/scenes/{z}/{x}/{y}.…`: all scenes that match `filter`, a `SceneFilter` as JSON, the newest
 * on top. `/tiles/scenes/{id}.json` is the TileJSON of one. `r` is any text: another one makes another address of the same tile.
 */
export function sceneTileRoutes(outlet: Outlet, service: Pick<HttpService, 'readSceneFilter'>): Router {
  const router = Router();
  router.use(
    outlet.resource<{ id: string }>('/tiles/scenes/:id.json', {
      role: 'viewer',
      cost: DOCUMENT_COST,
      methods: { GET: (asked) => sendTileJson(outlet, asked) },
      takesFilter: false,
    }),
  );
  router.use(
    outlet.resource<SceneParameters>('/tiles/scenes/:id/:z/:x/:file', {
      role: 'viewer',
      cost: PICTURE_COST,
      methods: {
        GET: async (asked) => {
          const { tile, style } = readTile(asked, ['bands', 'rescale']);
          sendPicture(asked, style.format, await asked.services.sceneTiles.tile(asked.request.params.id, tile, style));
        },
      },
      takesFilter: false,
    }),
  );
  router.use(
    outlet.resource<PictureTileParameters>('/tiles/scenes/:z/:x/:file', {
      role: 'viewer',
      cost: PICTURE_COST,
      methods: {
        GET: async (asked) => {
          const { tile, style } = readTile(asked, ['filter']);
          const filter = readFilter(service, asked.request.query['filter']);
          sendPicture(asked, style.format, await asked.services.sceneTiles.mosaic(filter, tile, style));
        },
      },
      takesFilter: false,
    }),
  );
  return router;
}

async function sendTileJson(outlet: Outlet, { services, request, response }: Asked<{ id: string }>): Promise<void> {
  const scene = await services.scenes.get(request.params.id);
  if (!isGeoreferenced(scene)) throw new SceneNotGeoreferencedError(scene);
  const { id, name, footprint, attribution } = scene;
  const tiles = outlet.linksOf(request).absolute(`/tiles/scenes/${id}/{z}/{x}/{y}.webp`);
  response.set('Cache-Control', REVALIDATED).json(tileJson({ name, tiles, footprint, attribution }));
}

/** @throws {BadInputError} {@link TileNotFoundError} {@link InvalidTileStyleError} */
function readTile(asked: Asked<PictureTileParameters>, parameters: readonly string[]) {
  const { tile, ...picture } = readPictureTile(asked, parameters, PICTURE_FORMATS);
  const { bands, rescale } = asked.request.query;
  const style: SceneTileStyle = {
    ...picture,
    bands: bands === undefined ? null : numbersOf('bands', bands, (band) => Number.isInteger(band) && band > 0),
    rescale: rescale === undefined ? null : rangeOf(rescale),
  };
  return { tile, style };
}

function numbersOf(name: string, text: unknown, isAllowed: (value: number) => boolean): number[] {
  const values =
    typeof text === 'string' ? text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part))) : [];
  if (values.length > 0 && values.every(isAllowed)) return values;
  throw new InvalidTileStyleError(`${name} is ${JSON.stringify(text)}; it must be numbers separated by commas.`);
}

function rangeOf(text: unknown): readonly [number, number] {
  const [min, max, ...more] = numbersOf('rescale', text, Number.isFinite);
  if (min !== undefined && max !== undefined && min < max && more.length === 0) return [min, max];
  throw new InvalidTileStyleError(
    `rescale is ${JSON.stringify(text)}; it must be two numbers, the smaller first, such as 0,3000.`,
  );
}

function readFilter(service: Pick<HttpService, 'readSceneFilter'>, text: unknown): SceneFilter {
  if (text === undefined) return {};
  const value = typeof text === 'string' ? parseJson(text) : undefined;
  if (typeof value === 'object' && value !== null) return service.readSceneFilter(value);
  throw new BadInputError('Parameter filter must be a SceneFilter as JSON, given once.');
}
