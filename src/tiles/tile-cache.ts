import { LRUCache } from 'lru-cache';
import type { Bbox } from '../feature/feature.ts';
import { type Tile, tileBounds } from './tile-grid.ts';

interface CachedTile<Value> {
  readonly workspace: string;
  readonly tile: Tile;
  readonly value: Value;
}

/** What the cache knows of a tile that is being made. */
interface Making<Value> {
  readonly workspace: string;
  readonly tile: Tile;
  readonly value: Promise<Value>;
  /** A change came after it was begun, so that it may be made of what was stored before. */
  stale: boolean;
}

/** Features reach into their neighbours by the buffer of a tile; nothing that is drawn reaches farther. */
const REACH = 1 / 16;

/**
 * Recently rendered tiles, bounded by bytes. A change evicts exactly the affected tiles; a tile that is being rendered then
 * is answered and not kept. Callers that ask for one tile at a time share its making.
 */
export class TileCache<Value> {
  private readonly tiles: LRUCache<string, CachedTile<Value>>;
  private readonly making = new Map<string, Making<Value>>();
  private hits = 0;
  private misses = 0;

  /** @param maxBytes 0 keeps none */
  constructor(maxBytes: number, bytesOf: (value: Value) => number) {
    // What is larger than all the room is not kept.
    this.tiles = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: ({ value }) => bytesOf(value) + 200 });
  }

  /**
   * @param workspace that the tile is made for; no other is answered with it
   * @param parts all else that the tile is made of
   * @param make makes it when it is not at hand
   */
  async get(workspace: string, parts: string, tile: Tile, make: () => Promise<Value>): Promise<Value> {
    const key = `${workspace} ${parts}`;
    const kept = this.tiles.get(key);
    if (kept) {
      this.hits += 1;
      return kept.value;
    }
    this.misses += 1;
    const begun = this.making.get(key);
    if (begun && !begun.stale) return begun.value;
    const making: Making<Value> = { workspace, tile, value: make(), stale: false };
    this.making.set(key, making);
    try {
      const value = await making.value;
      if (!making.stale) this.tiles.set(key, { workspace, tile, value });
      return value;
    } finally {
      if (this.making.get(key) === making) this.making.delete(key);
    }
  }

  /** Forgets the tiles of a workspace that a box touches. @param bbox WGS 84; west > east crosses the antimeridian */
  change(workspace: string, bbox: Bbox): void {
    const isMeant = (one: { readonly workspace: string; readonly tile: Tile }): boolean =>
      one.workspace === workspace && touches(one.tile, bbox);
    for (const [key, kept] of this.tiles.entries()) if (isMeant(kept)) this.tiles.delete(key);
    for (const making of this.making.values()) if (isMeant(making)) making.stale = true;
  }

  /** Look-ups since the start, and bytes held now. */
  get use(): { readonly hits: number; readonly misses: number; readonly bytes: number } {
    return { hits: this.hits, misses: this.misses, bytes: this.tiles.calculatedSize };
  }

  /** Forgets all, as where changes may have been missed. */
  clear(): void {
    this.tiles.clear();
    for (const making of this.making.values()) making.stale = true;
  }
}

/** Whether what lies in a box is drawn on a tile, its buffer included. */
function touches(tile: Tile, [west, south, east, north]: Bbox): boolean {
  if (west > east) return touches(tile, [west, south, 180, north]) || touches(tile, [-180, south, east, north]);
  const [left, bottom, right, top] = tileBounds(tile, REACH);
  return west <= right && east >= left && south <= top && north >= bottom;
}
