import { AppError } from '../errors.ts';
import type { BandShow } from '../imagery/band-show.ts';
import { type Crs, resolveCrs } from '../imagery/crs/crs.ts';
import { warpInto } from '../raster/warp.ts';
import { encodePicture, type PictureFormat } from '../rendering/encode-picture.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { hasImage, requireImage } from '../scene/scene-copies.ts';
import type { SceneFilter, SceneService } from '../scene/scene.service.ts';
import type { OpenScenes } from './open-scenes.ts';
import type { TileCache } from './tile-cache.ts';
import { type Tile, tileBounds } from './tile-grid.ts';
import { tileWindow } from './tile-window.ts';

/** How a tile of imagery is drawn. */
export interface SceneTileStyle {
  readonly format: PictureFormat;
  /** 256, or 512 for `@2x`. */
  readonly sidePx: 256 | 512;
  /** Other bands than the scene's own, 1-based: one for grey or three for red, green, blue. */
  readonly bands: readonly number[] | null;
  /** Values shown as black and white, the same for every band; null for the scene's own. */
  readonly rescale: readonly [min: number, max: number] | null;
}

/** A picture of a tile. */
export interface PictureTile {
  readonly bytes: Buffer;
  /** Scenes that match and that there was no time to draw. */
  readonly leftOut: number;
}

/** The scene has no position on the ground, so that no tile shows it. */
export class SceneNotGeoreferencedError extends AppError {
  readonly code = 'SCENE_NOT_GEOREFERENCED';
  constructor({ id }: Scene) {
    super(`Scene ${id} has no georeference, so map tiles cannot show it; register it with bounds.`);
  }
}

/** A parameter of a tile is not allowed. */
export class InvalidTileStyleError extends AppError {
  readonly code = 'TILE_STYLE_INVALID';
}

/** Scenes that are drawn for one tile of a mosaic; the newest cover those below. */
const MAX_SCENES = 40;

/** Tiles of imagery in Web Mercator. */
export class SceneTileService {
  /** @param workspace keeps tiles of one from those of another in the cache that they share */
  constructor(
    private readonly scenes: Pick<SceneService, 'get' | 'list' | 'open'>,
    private readonly open: OpenScenes,
    private readonly cache: TileCache<PictureTile>,
    private readonly workspace: string,
  ) {}

  /**
   * One scene on a tile, transparent where it has no data.
   * @throws {SceneNotFoundError} {@link SceneNotGeoreferencedError} {@link ImageDeletedError} {@link InvalidTileStyleError}, and errors of reading it
   */
  async tile(sceneId: string, tile: Tile, style: SceneTileStyle): Promise<PictureTile> {
    const scene = await this.scenes.get(sceneId);
    if (!isGeoreferenced(scene)) throw new SceneNotGeoreferencedError(scene);
    requireImage(scene);
    const show = shownBands(scene, style);
    return this.cached(`scene ${scene.id}`, tile, style, () => this.draw([scene], tile, style, show, 0));
  }

  /**
   * The scenes that match, the newest on top.
   * @throws errors of reading them
   */
  mosaic(filter: SceneFilter, tile: Tile, style: SceneTileStyle): Promise<PictureTile> {
    return this.cached(`mosaic ${JSON.stringify(filter)}`, tile, style, async () => {
      const { edges, totalCount } = await this.scenes.list(
        { ...filter, bounds: tileBounds(tile) },
        { first: MAX_SCENES },
      );
      const found = edges
        .map(({ node }) => node)
        .filter(isGeoreferenced)
        .filter(hasImage);
      const all = found.length < MAX_SCENES ? found.length : await totalCount();
      return this.draw(found, tile, style, null, all - found.length);
    });
  }

  private cached(
    what: string,
    tile: Tile,
    style: SceneTileStyle,
    make: () => Promise<PictureTile>,
  ): Promise<PictureTile> {
    const parts = `${what} ${tile.z}/${tile.x}/${tile.y} ${JSON.stringify(style)}`;
    return this.cache.get(this.workspace, parts, tile, make);
  }

  private async draw(
    scenes: readonly Scene[],
    tile: Tile,
    style: SceneTileStyle,
    show: BandShow | null,
    leftOut: number,
  ): Promise<PictureTile> {
    const { sidePx, format } = style;
    const pixels = new Uint8ClampedArray(sidePx * sidePx * 4);
    for (const scene of scenes) if (await this.drawScene(scene, tile, sidePx, show ?? scene, pixels)) break;
    return { bytes: await encodePicture(pixels, sidePx, format), leftOut };
  }

  /** @returns whether the tile is covered now */
  private async drawScene(
    scene: Scene,
    tile: Tile,
    sidePx: number,
    show: BandShow,
    into: Uint8ClampedArray,
  ): Promise<boolean> {
    if (!isGeoreferenced(scene)) return false;
    const crs: Crs = await resolveCrs(scene.crs);
    const shown = tileWindow(tile, sidePx, scene, crs);
    if (!shown) return false;
    const { window, widthPx, heightPx, grid } = shown;
    const picture = await this.open.use(this.scenes, scene, (source) =>
      source.readRgb(window, widthPx, heightPx, show),
    );
    return warpInto(into, sidePx, { widthPx, heightPx, ...picture }, grid);
  }
}

function shownBands(scene: Scene, { bands, rescale }: SceneTileStyle): BandShow | null {
  if (!bands && !rescale) return null;
  const rgbBands = bands ?? scene.rgbBands;
  if (rgbBands.length !== 1 && rgbBands.length !== 3) {
    throw new InvalidTileStyleError(
      `bands has ${rgbBands.length} bands; give one for grey or three for red, green and blue.`,
    );
  }
  const unknown = rgbBands.find((band) => band > scene.bands);
  if (unknown !== undefined) {
    throw new InvalidTileStyleError(`bands names band ${unknown}; scene ${scene.id} has ${scene.bands}.`);
  }
  const { collar = null } = scene;
  if (rescale) return { rgbBands, collar, stretch: rgbBands.map(() => ({ min: rescale[0], max: rescale[1] })) };
  const stretch = scene.stretch && rgbBands.map((band) => stretchOf(scene, band));
  return { rgbBands, collar, stretch };
}

/** The stretch of a band that the scene shows too, else that of its first. */
function stretchOf({ rgbBands, stretch }: Scene, band: number): { readonly min: number; readonly max: number } {
  return stretch![Math.max(0, rgbBands.indexOf(band))]!;
}
