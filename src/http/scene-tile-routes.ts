import { Router } from 'express';
import { BadInputError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import { PICTURE_FORMATS, type PictureFormat } from '../rendering/encode-picture.ts';
import type { SceneFilter } from '../scene/scene.service.ts';
import { InvalidTileStyleError, type PictureTile, type SceneTileStyle } from '../tiles/scene-tile.service.ts';
import { parseTile } from '../tiles/tile-grid.ts';
import type { HttpService } from './http-service.ts';
import type { Asked, Outlet } from './outlet.ts';
import { digestOf, REVALIDATED } from './stored-file.ts';

type MosaicParameters = Readonly<{ z: string; x: string; file: string }>;
type SceneParameters = MosaicParameters & Readonly<{ id: string }>;

const CONTENT_TYPES: Readonly<Record<PictureFormat, string>> = {
  webp: 'image/webp',
  png: 'image/png',
  jpg: 'image/jpeg',
};

/**
 * `GET /tiles/scenes/{id}/{z}/{x}/{y}.{webp,png,jpg}` and `@2x`: one scene; `bands=4,3,2` and `rescale=0,3000` show other
 * bands and values. `GET /tiles/scenes/{z}/{x}/{y}.…`: all scenes that match `filter`, a `SceneFilter` as JSON, the newest
 * on top. `r` is any text: another one makes another address of the same tile.
 */
export function sceneTileRoutes(outlet: Outlet, service: Pick<HttpService, 'readSceneFilter'>): Router {
  const router = Router();
  router.use(
    outlet.resource<SceneParameters>('/tiles/scenes/:id/:z/:x/:file', {
      methods: {
        GET: async (asked) => {
          const { tile, style } = readTile(asked, ['bands', 'rescale']);
          send(asked, style, await asked.services.sceneTiles.tile(asked.request.params.id, tile, style));
        },
      },
      takesFilter: false,
    }),
  );
  router.use(
    outlet.resource<MosaicParameters>('/tiles/scenes/:z/:x/:file', {
      methods: {
        GET: async (asked) => {
          const { tile, style } = readTile(asked, ['filter']);
          const filter = readFilter(service, asked.request.query['filter']);
          send(asked, style, await asked.services.sceneTiles.mosaic(filter, tile, style));
        },
      },
      takesFilter: true,
    }),
  );
  return router;
}

/** @throws {BadInputError} {@link TileNotFoundError} {@link InvalidTileStyleError} */
function readTile({ request }: Asked<MosaicParameters>, parameters: readonly string[]) {
  const { z, x, file } = request.params;
  const unknown = Object.keys(request.query).find((name) => name !== 'r' && !parameters.includes(name));
  if (unknown !== undefined) {
    throw new BadInputError(`There is no parameter ${unknown}; there are ${parameters.join(', ')} and r.`);
  }
  const [, y = '', double, extension] = /^([^@.]*)(@2x)?\.(\w+)$/.exec(file) ?? [];
  const format = PICTURE_FORMATS.find((known) => known === extension);
  if (!format) {
    throw new InvalidTileStyleError(
      `${JSON.stringify(file)} names no tile; it must be a row with one of .${PICTURE_FORMATS.join(', .')}, as 12.webp or 12@2x.webp.`,
    );
  }
  const [bands, rescale] = [request.query['bands'], request.query['rescale']];
  const style: SceneTileStyle = {
    format,
    sidePx: double ? 512 : 256,
    bands: bands === undefined ? null : numbersOf('bands', bands, (band) => Number.isInteger(band) && band > 0),
    rescale: rescale === undefined ? null : rangeOf(rescale),
  };
  return { tile: parseTile(z, x, y), style };
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
    `rescale is ${JSON.stringify(text)}; it must be two numbers, the smaller first, as 0,3000.`,
  );
}

function readFilter(service: Pick<HttpService, 'readSceneFilter'>, text: unknown): SceneFilter {
  if (text === undefined) return {};
  const value = typeof text === 'string' ? parseJson(text) : undefined;
  if (typeof value === 'object' && value !== null) return service.readSceneFilter(value);
  throw new BadInputError('Parameter filter must be a SceneFilter as JSON, given once.');
}

function send(
  { request, response }: Asked<MosaicParameters>,
  { format }: SceneTileStyle,
  { bytes, leftOut }: PictureTile,
): void {
  const digest = digestOf(bytes);
  response.set('ETag', `"${digest}"`).set('Cache-Control', REVALIDATED);
  if (leftOut > 0) response.set('TerraQL-Scenes-Left-Out', String(leftOut));
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  response.set('Content-Type', CONTENT_TYPES[format]).set('Content-Length', String(bytes.length));
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
