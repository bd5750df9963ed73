import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import { plainText } from '../plain-text.ts';
import { inOrder } from './in-order.ts';
import { type AssemblyLimits, TileAssembly, type TilePixels } from './tile-assembly.ts';
import { type TileArea, tileArea, tilesOf } from './tile-area.ts';
import type { FetchedTile, TileFetcher } from './tile-fetcher.ts';
import { parseTileTemplate, type TileAddress, TileSourceError, type TileTemplate } from './tile-template.ts';

/** A part of a tile service that is read as an image. */
export interface TileSource {
  /** https address with placeholders; see {@link parseTileTemplate}. */
  readonly template: string;
  readonly zoom: number;
  /** West, south, east and north, WGS 84 degrees. */
  readonly bounds: readonly number[];
  /** Whom the service wants to be named, as plain text. */
  readonly attribution?: string | undefined;
}

/** Opens picture files, in this process or another. */
export interface PictureOpener {
  open(path: string): Promise<ImageSource>;
}

export interface TileLimits extends AssemblyLimits {
  readonly maxTiles: number;
}

/** An image that is made of tiles as its bytes are read. */
export interface TilePicture {
  /** Address of the service, without a query. */
  readonly source: string;
  /** Host and zoom. */
  readonly name: string;
  /** A GeoTIFF. Fetches the tiles when reading begins. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Tiles that are fetched and decoded before the row that needs them. */
const AHEAD = 32;
/** A slow service must not hold a request for ever. */
const TOTAL_MS = 30 * 60_000;
/** Sides of tiles that services have, pixels. */
const TILE_SIDES: readonly number[] = [128, 256, 512, 1024];
/** What decoders say of bytes that are no picture, or a broken one. */
const NO_PICTURE: readonly string[] = ['IMAGE_FORMAT_UNKNOWN', 'IMAGE_CORRUPT'];

/** Makes images of tile services whose tiles are those of WebMercatorQuad (EPSG:3857). */
export class TilePictures {
  constructor(
    private readonly fetcher: TileFetcher,
    private readonly images: PictureOpener,
    private readonly limits: TileLimits,
  ) {}

  /**
   * Checks what is asked; reading the bytes throws {@link TileSourceError} for answers that are no tiles, and errors of the
   * fetcher.
   * @throws {TileSourceError | TooManyTilesError | UrlNotAllowedError}
   */
  picture({ template: text, zoom, bounds }: TileSource): TilePicture {
    const template = parseTileTemplate(text);
    const area = tileArea(bounds, zoom, this.limits.maxTiles);
    return { source: template.name, name: `${template.host} z${zoom}`, bytes: this.bytesOf(template, area) };
  }

  private async *bytesOf(template: TileTemplate, area: TileArea): AsyncGenerator<Uint8Array> {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-tiles-'));
    try {
      const path = join(folder, 'tiles');
      yield* await this.assemble(template, area, path);
      yield* createReadStream(path) as AsyncIterable<Uint8Array>;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Writes the compressed tiles to a file. @returns what comes before them */
  private async assemble(template: TileTemplate, area: TileArea, path: string): Promise<Buffer[]> {
    const file = await open(path, 'w');
    try {
      const assembly = new TileAssembly(area, file, this.limits);
      const read = async (tile: TileAddress, signal: AbortSignal) => {
        const found = await this.fetcher.fetch(template.urlOf(tile), signal);
        return { tile, pixels: found && (await this.decoded(found, tile, `${path}-${tile.x}-${tile.y}`)) };
      };
      for await (const { tile, pixels } of inOrder(tilesOf(area), AHEAD, AbortSignal.timeout(TOTAL_MS), read)) {
        await assembly.add(pixels, nameOf(tile));
      }
      return assembly.finish();
    } finally {
      await file.close();
    }
  }

  /** @throws {TileSourceError} for what is no square picture of 8 bits; errors of decoders */
  private async decoded({ bytes, contentType }: FetchedTile, tile: TileAddress, path: string): Promise<TilePixels> {
    await writeFile(path, bytes);
    const image = await this.images.open(path).catch((error: unknown) => {
      throw tileError(error, tile, contentType);
    });
    try {
      const { widthPx, heightPx, dtype, rgbBands, format } = image.header;
      if (widthPx !== heightPx || !TILE_SIDES.includes(widthPx)) {
        throw new TileSourceError(
          `${nameOf(tile)} has ${widthPx} x ${heightPx} pixels; the side must be ${TILE_SIDES.join(', ')}.`,
        );
      }
      if (dtype !== 'uint8' || format === 'GeoTIFF') {
        throw new TileSourceError(`${nameOf(tile)} is a ${format} of ${dtype}; PNG, JPEG and WebP of uint8 are read.`);
      }
      const window = { x: 0, y: 0, width: widthPx, height: heightPx };
      const { rgb, valid } = await image
        .readRgb(window, widthPx, heightPx, { rgbBands, stretch: null, collar: null })
        .catch((error: unknown) => {
          throw tileError(error, tile, contentType);
        });
      return { rgba: withOpacity(rgb, valid), sidePx: widthPx };
    } finally {
      await image.close();
      await rm(path);
    }
  }
}

const nameOf = ({ z, x, y }: TileAddress): string => `Tile ${z}/${x}/${y}`;

/** What decoders say of one tile, with its address where the tile is at fault. */
function tileError(error: unknown, tile: TileAddress, contentType: string): unknown {
  if (!(error instanceof AppError) || !NO_PICTURE.includes(error.code)) return error;
  const what = `the server answered with ${plainText(contentType, MAX_CONTENT_TYPE)}`;
  return new TileSourceError(`${nameOf(tile)} cannot be read (${what}): ${error.message}`, { cause: error });
}

const MAX_CONTENT_TYPE = 100;

function withOpacity(rgb: Uint8Array, valid: Uint8Array): Uint8Array {
  const rgba = new Uint8Array(valid.length * 4);
  for (let pixel = 0; pixel < valid.length; pixel++) {
    if (valid[pixel] === 0) continue;
    rgba.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    rgba[4 * pixel + 3] = 255;
  }
  return rgba;
}
