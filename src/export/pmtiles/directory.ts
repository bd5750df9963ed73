import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compressed = promisify(gzip);

/** Consecutive tiles of the same content. */
export interface TileEntry {
  /** Of the first, along the Hilbert curves of the levels. */
  readonly id: number;
  run: number;
  /** Of the content among the tile data. */
  readonly offset: number;
  readonly length: number;
}

export const HEADER_BYTES = 127;
/** Header and root directory are read by the first request. */
const FIRST_READ_BYTES = 16_384;
/** A leaf is an entry without a run. */
const LEAF_RUN = 0;
const FIRST_LEAF_ENTRIES = 4096;

/**
 * The directories of an archive, compressed: a root that fits the first read of a client, and leaves where there are too many
 * entries for it.
 * @see https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, section 4
 */
export async function directoriesOf(
  entries: readonly TileEntry[],
): Promise<{ readonly root: Buffer; readonly leaves: Buffer }> {
  const fits = (directory: Buffer): boolean => directory.length <= FIRST_READ_BYTES - HEADER_BYTES;
  let root = await compressed(directoryBytes(entries));
  let leaves = Buffer.alloc(0);
  for (let size = FIRST_LEAF_ENTRIES; !fits(root); size *= 2) {
    const leafEntries: TileEntry[] = [];
    const written: Buffer[] = [];
    let offset = 0;
    for (let from = 0; from < entries.length; from += size) {
      const leaf = await compressed(directoryBytes(entries.slice(from, from + size)));
      leafEntries.push({ id: entries[from]!.id, run: LEAF_RUN, offset, length: leaf.length });
      written.push(leaf);
      offset += leaf.length;
    }
    root = await compressed(directoryBytes(leafEntries));
    leaves = Buffer.concat(written);
  }
  return { root, leaves };
}

function directoryBytes(entries: readonly TileEntry[]): Buffer {
  const bytes: number[] = [];
  writeVarint(bytes, entries.length);
  entries.forEach(({ id }, index) => writeVarint(bytes, id - (entries[index - 1]?.id ?? 0)));
  for (const { run } of entries) writeVarint(bytes, run);
  for (const { length } of entries) writeVarint(bytes, length);
  entries.forEach(({ offset }, index) => {
    const before = entries[index - 1];
    const follows = before !== undefined && offset === before.offset + before.length;
    writeVarint(bytes, follows ? 0 : offset + 1);
  });
  return Buffer.from(bytes);
}

/** Base 128, least significant first. @see https://protobuf.dev/programming-guides/encoding/#varints */
function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  // Beyond 32 bits, so without bitwise operators.
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Offset in the file and length, bytes; of tiles, numbers of them. */
type Section = readonly [offset: number, length: number];

interface HeaderFields {
  readonly root: Section;
  readonly metadata: Section;
  readonly leaves: Section;
  readonly tiles: Section;
  readonly addressed: number;
  readonly entries: number;
  readonly contents: number;
  readonly maxZoom: number;
  readonly bounds: readonly [west: number, south: number, east: number, north: number];
}

const VERSION = 3;
const GZIP = 2;
const MVT = 1;
const STEPS_PER_DEGREE = 1e7;

/** @see https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, section 3 */
export function headerOf(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const { root, metadata, leaves, tiles, addressed, entries, contents, maxZoom, bounds } = fields;
  header.write('PMTiles', 'latin1');
  header.writeUInt8(VERSION, 7);
  [root, metadata, leaves, tiles, addressed, entries, contents]
    .flat()
    .forEach((value, index) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * index));
  // Clustered; compression of directories, of tiles; type of tiles; levels.
  [1, GZIP, GZIP, MVT, 0, maxZoom].forEach((value, index) => header.writeUInt8(value, 96 + index));
  const degrees = (value: number, at: number): number => header.writeInt32LE(Math.round(value * STEPS_PER_DEGREE), at);
  bounds.forEach((value, index) => degrees(value, 102 + 4 * index));
  const [west, south, east, north] = bounds;
  header.writeUInt8(Math.min(maxZoom, centreZoom(west, east)), 118);
  degrees((west + east) / 2, 119);
  degrees((south + north) / 2, 123);
  return header;
}

/** The level on which a tile is as wide as what is shown. */
const centreZoom = (west: number, east: number): number =>
  Math.max(0, Math.floor(Math.log2(360 / Math.max(east - west, Number.EPSILON))));
