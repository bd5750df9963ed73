import { LRUCache } from 'lru-cache';
import { type Crs, resolveCrs } from '../imagery/crs/crs.ts';
import { eachPosition, type PositionGrid } from '../raster/warp.ts';
import { CERTAINTY_COLOURS, certaintyStep } from '../rendering/certainty-colours.ts';
import { encodePicture } from '../rendering/encode-picture.ts';
import { type MaskGrid, maskGrid } from '../rendering/mask-grid.ts';
import { MaskNotFoundError, readMask } from '../rendering/render-segmentation.ts';
import { isGeoreferenced } from '../scene/scene.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import { type PictureTile, SceneNotGeoreferencedError, type SceneTileStyle } from './scene-tile.service.ts';
import type { TileCache } from './tile-cache.ts';
import type { Tile } from './tile-grid.ts';
import { tileWindow } from './tile-window.ts';

/** How a tile of an answer is drawn. */
export type SegmentationTileStyle = Pick<SceneTileStyle, 'sidePx' | 'format'>;

/** Where the probabilities of an answer are kept. */
export interface PartProbabilities {
  /** Mean probability of each connected part of a mask, by its label: label 1 at index 1. */
  byLabel(segmentationId: string): Promise<Float64Array>;
}

/** A mask with what is known of its parts. */
export interface MaskParts {
  readonly labelled: LabelledMask;
  readonly probabilities: Float64Array;
}

/** Masks that are at hand for tile after tile, bounded by bytes; a stored mask never changes. */
export class MaskCache {
  private readonly masks: LRUCache<string, MaskParts>;

  constructor(maxBytes: number) {
    this.masks = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: bytesOf });
  }

  async get(segmentationId: string, read: () => Promise<MaskParts>): Promise<MaskParts> {
    const kept = this.masks.get(segmentationId);
    if (kept) return kept;
    const mask = await read();
    this.masks.set(segmentationId, mask);
    return mask;
  }
}

/** A run takes two toggles and a label of 4 bytes, a sum and a maximum of 8. */
const RUN_BYTES = 28;
const bytesOf = ({ labelled: { mask, labelCount } }: MaskParts): number =>
  mask.runCount * RUN_BYTES + labelCount * 48 + 200;

/** Least opacity of a pixel that holds anything, so that what is smaller than a pixel does not vanish. */
const LEAST_OPACITY = 0.3;

/** Tiles of answers in Web Mercator: the stored mask, each part in the colour of its mean probability. */
export class SegmentationTileService {
  /** @param workspace keeps tiles of one from those of another in the cache that they share */
  constructor(
    private readonly segmentations: Pick<SegmentationService, 'require' | 'mask'>,
    private readonly scenes: Pick<SceneService, 'get'>,
    private readonly probabilities: PartProbabilities,
    private readonly masks: MaskCache,
    private readonly cache: TileCache<PictureTile>,
    private readonly workspace: string,
  ) {}

  /**
   * One answer on a tile, transparent outside the mask; where a pixel holds more than it shows, as opaque as it is covered.
   * @throws {SegmentationNotFoundError} {@link MaskNotFoundError} {@link SceneNotGeoreferencedError}
   */
  async tile(segmentationId: string, tile: Tile, style: SegmentationTileStyle): Promise<PictureTile> {
    const segmentation = await this.segmentations.require(segmentationId);
    if (segmentation.state !== 'SUCCEEDED') throw new MaskNotFoundError(segmentation);
    const parts = `segmentation ${segmentation.id} ${tile.z}/${tile.x}/${tile.y} ${JSON.stringify(style)}`;
    return this.cache.get(this.workspace, parts, tile, () => this.draw(segmentation, tile, style));
  }

  private async draw(segmentation: Segmentation, tile: Tile, style: SegmentationTileStyle): Promise<PictureTile> {
    const scene = await this.scenes.get(segmentation.sceneId);
    if (!isGeoreferenced(scene)) throw new SceneNotGeoreferencedError(scene);
    const { sidePx, format } = style;
    const pixels = new Uint8ClampedArray(sidePx * sidePx * 4);
    const crs: Crs = await resolveCrs(scene.crs);
    const shown = tileWindow(tile, sidePx, scene, crs);
    if (shown) {
      const { labelled, probabilities } = await this.masks.get(segmentation.id, () => this.read(segmentation));
      const { window, widthPx, heightPx, grid } = shown;
      drawMask(pixels, sidePx, maskGrid(labelled, probabilities, window, widthPx, heightPx), grid);
    }
    return { bytes: await encodePicture(pixels, sidePx, format, true), leftOut: 0 };
  }

  private async read(segmentation: Segmentation): Promise<MaskParts> {
    const mask = await readMask(this.segmentations, segmentation);
    return { labelled: labelMask(mask), probabilities: await this.probabilities.byLabel(segmentation.id) };
  }
}

/** Draws the cell that each pixel lies in, so that the edges of pixels of the scene stay sharp. */
function drawMask(into: Uint8ClampedArray, sidePx: number, mask: MaskGrid, grid: PositionGrid): void {
  const { widthPx, heightPx, coverage, probability } = mask;
  eachPosition(sidePx, grid, (pixel, column, row) => {
    if (!(column >= 0 && row >= 0 && column < widthPx && row < heightPx)) return;
    const cell = Math.floor(row) * widthPx + Math.floor(column);
    const covered = coverage[cell]!;
    if (covered === 0) return;
    const [, red, green, blue] = CERTAINTY_COLOURS[certaintyStep(probability[cell]!)]!;
    const at = pixel * 4;
    into[at] = red;
    into[at + 1] = green;
    into[at + 2] = blue;
    into[at + 3] = 255 * Math.max(LEAST_OPACITY, covered);
  });
}
