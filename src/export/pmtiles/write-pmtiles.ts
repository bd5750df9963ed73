import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { directoriesOf, HEADER_BYTES, headerOf, type TileEntry } from './directory.ts';
import { tilesOf, type TilePyramid } from './tile-pyramid.ts';

const compressed = promisify(gzip);

/**
 * PMTiles 3: gzip-compressed vector tiles in one file, clustered, each distinct tile stored once. The directories stand before
 * the tiles, so the tiles lie in a temporary file until all are there.
 * @param onTile called for each tile; what it throws ends the archive
 * @see https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
 */
export async function* writePmtiles(
  pyramid: TilePyramid,
  onTile: () => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const folder = await mkdtemp(path.join(tmpdir(), 'terraql-tiles-'));
  const file = path.join(folder, 'tiles');
  try {
    const tiles = new TileData(await open(file, 'wx'));
    let maxZoom = 0;
    try {
      for await (const { id, z, bytes } of tilesOf(pyramid)) {
        onTile();
        maxZoom = z;
        await tiles.add(id, await compressed(bytes));
      }
    } finally {
      await tiles.close();
    }
    const { root, leaves } = await directoriesOf(tiles.entries);
    const metadata = await compressed(JSON.stringify(described(pyramid)));
    const rootOffset = HEADER_BYTES;
    const metadataOffset = rootOffset + root.length;
    const leavesOffset = metadataOffset + metadata.length;
    const tilesOffset = leavesOffset + leaves.length;
    yield headerOf({
      root: [rootOffset, root.length],
      metadata: [metadataOffset, metadata.length],
      leaves: [leavesOffset, leaves.length],
      tiles: [tilesOffset, tiles.bytes],
      addressed: tiles.addressed,
      entries: tiles.entries.length,
      contents: tiles.contents,
      maxZoom,
      bounds: pyramid.bounds,
    });
    yield Buffer.concat([root, metadata, leaves]);
    if (tiles.bytes > 0) yield* createReadStream(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const described = ({ layers }: TilePyramid): object => ({
  name: 'TerraQL features',
  format: 'pbf',
  type: 'overlay',
  vector_layers: layers,
});

/** The tiles of an archive one after another, equal ones once. */
class TileData {
  readonly entries: TileEntry[] = [];
  bytes = 0;
  addressed = 0;
  private readonly placed = new Map<string, { readonly offset: number; readonly length: number }>();

  constructor(private readonly file: FileHandle) {}

  get contents(): number {
    return this.placed.size;
  }

  /** @param id greater than those before */
  async add(id: number, tile: Uint8Array): Promise<void> {
    const key = createHash('sha256').update(tile).digest('base64');
    let place = this.placed.get(key);
    if (!place) {
      place = { offset: this.bytes, length: tile.length };
      this.placed.set(key, place);
      await this.file.writeFile(tile);
      this.bytes += tile.length;
    }
    this.addressed++;
    const last = this.entries.at(-1);
    if (last?.offset === place.offset && last.id + last.run === id) last.run++;
    else this.entries.push({ id, run: 1, ...place });
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
