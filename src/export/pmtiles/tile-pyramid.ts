import { zxyToTileId } from 'pmtiles';

/** A tile of WebMercatorQuad. */
export interface PyramidTile {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** Mapbox vector tiles of all levels; the port that the tiles implement. */
export interface TilePyramid {
  /** Of what the tiles show, WGS 84 degrees. */
  readonly bounds: readonly [west: number, south: number, east: number, north: number];
  /** The level from which on tiles show nothing more. */
  readonly deepest: number;
  /** What the layers of the tiles hold, as in TileJSON. */
  readonly layers: readonly { readonly id: string; readonly fields: Readonly<Record<string, string>> }[];
  /** @returns nothing where the tile is empty */
  tile(tile: PyramidTile): Promise<Uint8Array>;
}

/** Most tiles of an archive; no level is begun that may have more. */
const MAX_TILES = 200_000;

/**
 * All tiles that show something, from the world down to the deepest level, each level along its Hilbert curve. Below an empty
 * tile there is nothing.
 */
export async function* tilesOf(
  pyramid: TilePyramid,
  maxTiles = MAX_TILES,
): AsyncGenerator<{ readonly id: number; readonly z: number; readonly bytes: Uint8Array }> {
  let level: PyramidTile[] = [{ z: 0, x: 0, y: 0 }];
  let count = 0;
  for (let z = 0; z <= pyramid.deepest && count + level.length <= maxTiles; z++) {
    const shown: PyramidTile[] = [];
    for (const tile of level) {
      const bytes = await pyramid.tile(tile);
      if (bytes.length === 0) continue;
      count++;
      shown.push(tile);
      yield { id: zxyToTileId(z, tile.x, tile.y), z, bytes };
    }
    level = shown
      .flatMap(childrenOf)
      .map((tile) => ({ tile, id: zxyToTileId(tile.z, tile.x, tile.y) }))
      .toSorted((a, b) => a.id - b.id)
      .map(({ tile }) => tile);
  }
}

function childrenOf({ z, x, y }: PyramidTile): PyramidTile[] {
  return [0, 1].flatMap((down) => [0, 1].map((across) => ({ z: z + 1, x: 2 * x + across, y: 2 * y + down })));
}
