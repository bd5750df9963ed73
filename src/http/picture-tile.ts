import { BadInputError } from '../errors.ts';
import type { PictureFormat } from '../rendering/encode-picture.ts';
import { InvalidTileStyleError, type PictureTile, type SceneTileStyle } from '../tiles/scene-tile.service.ts';
import { parseTile, type Tile } from '../tiles/tile-grid.ts';
import type { Asked } from './outlet.ts';
import { digestOf, REVALIDATED } from './stored-file.ts';

/** `file` is the row with what follows it: `12.webp`, `12@2x.png`. */
export type PictureTileParameters = Readonly<{ z: string; x: string; file: string }>;

const CONTENT_TYPES: Readonly<Record<PictureFormat, string>> = {
  webp: 'image/webp',
  png: 'image/png',
  jpg: 'image/jpeg',
};

/** A tile, as a picture of a size and format. */
export interface AskedPicture extends Pick<SceneTileStyle, 'sidePx' | 'format'> {
  readonly tile: Tile;
}

/**
 * Reads the address of a tile that is a picture.
 * @param parameters of the query that the resource takes, besides `r`
 * @throws {BadInputError} {@link TileNotFoundError} {@link InvalidTileStyleError}
 */
export function readPictureTile(
  { request }: Asked<PictureTileParameters>,
  parameters: readonly string[],
  formats: readonly PictureFormat[],
): AskedPicture {
  const { z, x, file } = request.params;
  const unknown = Object.keys(request.query).find((name) => name !== 'r' && !parameters.includes(name));
  if (unknown !== undefined) {
    throw new BadInputError(
      `Parameter ${unknown} does not exist; the parameters are ${[...parameters, 'r'].join(', ')}.`,
    );
  }
  const [, y = '', double, extension] = /^([^@.]*)(@2x)?\.(\w+)$/.exec(file) ?? [];
  const format = formats.find((known) => known === extension);
  if (!format) {
    throw new InvalidTileStyleError(
      `${JSON.stringify(file)} is not a tile; it must be a row number with one of .${formats.join(', .')}, such as 12.${formats[0]} or 12@2x.${formats[0]}.`,
    );
  }
  return { tile: parseTile(z, x, y), format, sidePx: double ? 512 : 256 };
}

/** Answers with a picture, or 304 where the client has it. */
export function sendPicture(
  { request, response }: Asked<PictureTileParameters>,
  format: PictureFormat,
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
