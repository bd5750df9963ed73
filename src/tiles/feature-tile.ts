import type { Bbox } from '../feature/feature.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import type { Tile } from './tile-grid.ts';
import type { VECTOR_LAYERS } from './vector-layers.ts';

/** Units of a tile's coordinates on a side. @see Mapbox Vector Tile Specification 2.1, section 4.2 */
export const EXTENT = 4096;
/** Units beyond each side up to which outlines are drawn, so that lines do not end at the edge: eight pixels. */
export const BUFFER = 64;
/** Pixels of a tile on a side, as map clients draw vector tiles. */
export const SIDE_PX = 512;
/** Cells of a tile on a side, in which what is too small to draw is counted: eight pixels each. */
export const CELLS = 64;

/** Most features drawn on a tile. */
export const MAX_TILE_FEATURES = 20_000;
/** Most bytes of a tile before compression. */
export const MAX_TILE_BYTES = 500_000;

/** Features from the largest down to one, itself included. */
export interface LargestDownTo {
  readonly areaM2: number;
  readonly id: string;
}

/** Which features a tile draws; the others are counted. */
export interface FeatureTileQuery {
  readonly tile: Tile;
  readonly filter: FeatureFilter;
  /** Draws no smaller ones; null draws all of a pixel or more. */
  readonly downTo: LargestDownTo | null;
}

/** A Mapbox vector tile and what it holds. */
export interface FeatureTile {
  /** Layers `features` and `cells`, either left out where it is empty. */
  readonly bytes: Uint8Array;
  readonly drawn: number;
  /** Features of a pixel or more that are counted in `cells`, as the tile would be too large with them. */
  readonly leftOut: number;
}

/** Of all features that tiles of every level are to show. */
export interface ShownFeatures {
  /** Longitudes of all the world where one lies across the antimeridian. */
  readonly bounds: Bbox;
  /** Side of the smallest, as a square, and of the smallest pixel: metres in Web Mercator, which stretches them. */
  readonly smallestM: number;
  readonly pixelM: number;
}

/** Vector tiles of every level. */
export interface FeatureTilePyramid {
  readonly bounds: Bbox;
  /** The level on which every feature is drawn, and drawn to the pixel that it was found in. */
  readonly deepest: number;
  readonly layers: typeof VECTOR_LAYERS;
  /** Made anew: a walk over all of them would leave nothing else in the cache. @returns nothing where it is empty */
  tile(tile: Tile): Promise<Uint8Array>;
}

/** Where features are read for tiles; the port that both engines implement. */
export interface FeatureTileStore {
  /** @throws nothing of its own: an empty tile has no bytes */
  read(query: FeatureTileQuery): Promise<FeatureTile>;
  /** @returns null where nothing matches */
  shown(filter: FeatureFilter): Promise<ShownFeatures | null>;
  /** The feature at an index in the order of the tile, largest first; null where it draws fewer. */
  downTo(tile: Tile, filter: FeatureFilter, index: number): Promise<LargestDownTo | null>;
}
