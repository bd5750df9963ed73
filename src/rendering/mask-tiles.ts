import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { MaskRuns } from '../vector/mask-runs.ts';

/** Side of a square tile, pixels. */
export const TILE_PX = 512;
/** Bytes before and after the compressed tile in a block. */
export const LEADER_BYTES = 4;
export const TRAILER_BYTES = 4;

const TILE_PIXELS = TILE_PX * TILE_PX;
/** Tiles compressed concurrently, each on a thread of the pool. */
const CONCURRENCY = 8;
const compress = promisify(deflate);

/**
 * Compresses the tiles of a mask row by row. Each block holds its length in 4 bytes, the deflated pixels (255 inside, 0
 * outside and beyond the edges), and a repeat of their last 4 bytes. Uniform tiles, the bulk of a large mask, share one
 * block.
 */
export async function compressTiles(mask: MaskRuns): Promise<Buffer[]> {
  const uniform = new Map<number, Promise<Buffer>>();
  const blocks: Buffer[] = [];
  const across = Math.ceil(mask.widthPx / TILE_PX);
  const count = across * Math.ceil(mask.heightPx / TILE_PX);
  for (let first = 0; first < count; first += CONCURRENCY) {
    const indices = Array.from({ length: Math.min(CONCURRENCY, count - first) }, (_, k) => first + k);
    const made = indices.map((index) => {
      const { pixels, inside } = tilePixels(mask, index % across, Math.floor(index / across));
      if (inside > 0 && inside < TILE_PIXELS) return block(pixels);
      const known = uniform.get(inside) ?? block(pixels);
      uniform.set(inside, known);
      return known;
    });
    blocks.push(...(await Promise.all(made)));
  }
  return blocks;
}

async function block(pixels: Uint8Array): Promise<Buffer> {
  const data = await compress(pixels);
  const leader = Buffer.alloc(LEADER_BYTES);
  leader.writeUInt32LE(data.length);
  return Buffer.concat([leader, data, data.subarray(-TRAILER_BYTES)]);
}

/** Pixels of one tile, row-major, and the number of them inside the mask. */
function tilePixels(mask: MaskRuns, column: number, row: number): { pixels: Uint8Array; inside: number } {
  const pixels = new Uint8Array(TILE_PIXELS);
  const { lines, offsets, toggles } = mask;
  const [left, top] = [column * TILE_PX, row * TILE_PX];
  let inside = 0;
  for (let k = firstIndex(0, lines.length, (i) => lines[i]! >= top); lines[k]! < top + TILE_PX; k++) {
    const origin = (lines[k]! - top) * TILE_PX - left;
    const end = offsets[k + 1]!;
    for (let run = firstIndex(offsets[k]!, end, (i) => toggles[2 * i + 1]! > left); run < end; run++) {
      const from = Math.max(left, toggles[2 * run]!);
      const to = Math.min(left + TILE_PX, toggles[2 * run + 1]!);
      if (from >= to) break;
      pixels.fill(255, origin + from, origin + to);
      inside += to - from;
    }
  }
  return { pixels, inside };
}

/** Binary search: the first index in `[low, high)` for which a monotonic predicate holds, else `high`. */
function firstIndex(low: number, high: number, holds: (index: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
