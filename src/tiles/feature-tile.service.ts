import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import {
  EXTENT,
  type FeatureTile,
  type FeatureTilePyramid,
  type FeatureTileStore,
  type LargestDownTo,
  MAX_TILE_BYTES,
  MAX_TILE_FEATURES,
  type ShownFeatures,
  SIDE_PX,
} from './feature-tile.ts';
import type { TileCache } from './tile-cache.ts';
import { VECTOR_LAYERS } from './vector-layers.ts';
import { MAX_ZOOM, type Tile, WORLD_M } from './tile-grid.ts';

/** Tiles that are too large are made again with fewer features; this often at most, then without any. */
const MAX_TRIALS = 6;
/** Aims below the limit, as what is left out becomes cells. */
const AIM = 0.85;

/** Vector tiles of stored features. */
export class FeatureTileService {
  /** @param workspace keeps tiles of one from those of another in the cache that they share */
  constructor(
    private readonly store: FeatureTileStore,
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
    private readonly cache: TileCache<FeatureTile>,
    private readonly workspace: string,
  ) {}

  /**
   * A tile of the features that match, of at most {@link MAX_TILE_BYTES} and {@link MAX_TILE_FEATURES}: what is smaller than
   * a pixel, and what there is no room for, is counted in its cells.
   * @throws what the check of the filter throws
   */
  tile(tile: Tile, requested: RequestedFilter): Promise<FeatureTile> {
    const parts = `${tile.z}/${tile.x}/${tile.y} ${JSON.stringify(requested)}`;
    return this.cache.get(this.workspace, parts, tile, async () =>
      this.make(tile, await this.features.checkedFilter(requested)),
    );
  }

  /**
   * Tiles of every level of the features that match; null where none does.
   * @throws what the check of the filter throws
   */
  async pyramid(requested: RequestedFilter): Promise<FeatureTilePyramid | null> {
    const filter = await this.features.checkedFilter(requested);
    const shown = await this.store.shown(filter);
    if (!shown) return null;
    const tile = async (at: Tile): Promise<Uint8Array> => (await this.make(at, filter)).bytes;
    return { bounds: shown.bounds, deepest: deepestOf(shown), layers: VECTOR_LAYERS, tile };
  }

  private async make(tile: Tile, filter: FeatureFilter): Promise<FeatureTile> {
    let most = MAX_TILE_FEATURES;
    let downTo: LargestDownTo | null = null;
    for (let trial = 0; trial < MAX_TRIALS; trial++) {
      const made = await this.store.read({ tile, filter, downTo });
      const isWhole = downTo !== null || made.drawn < MAX_TILE_FEATURES;
      if (isWhole && made.bytes.length <= MAX_TILE_BYTES) return made;
      if (made.bytes.length > MAX_TILE_BYTES)
        most = Math.floor((made.drawn * AIM * MAX_TILE_BYTES) / made.bytes.length);
      downTo = most === 0 ? NOTHING : await this.store.downTo(tile, filter, most - 1);
      if (downTo === null) return made;
    }
    return this.store.read({ tile, filter, downTo: NOTHING });
  }
}

/** The first level on which the smallest feature covers a pixel of the map, and the smallest pixel a unit of the tile. */
function deepestOf({ smallestM, pixelM }: ShownFeatures): number {
  const level = (sideM: number, parts: number): number => Math.ceil(Math.log2(WORLD_M / parts / sideM));
  return Math.min(MAX_ZOOM, Math.max(0, level(smallestM, SIDE_PX), level(pixelM, EXTENT)));
}

/** No feature is as large. */
const NOTHING: LargestDownTo = { areaM2: Number.MAX_VALUE, id: '00000000-0000-0000-0000-000000000000' };
