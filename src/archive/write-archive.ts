import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { z } from 'zod';
import type { BlobStore } from '../blob-store.ts';
import type { OwnerQuery, OwnerTransaction } from '../database/owner-transaction.ts';
import { FORMAT, MANIFEST, type Manifest, type OnProgress } from './archive.ts';
import { archivedTables, type ArchivedTable, quoted } from './tables.ts';

const compress = promisify(gzip);
const CURSOR = 'terraql_archive';
/** Rows that are read at once; a mask may have megabytes. */
const ROWS_AT_ONCE = 100;
const PART_CHARACTERS = 4 * 2 ** 20;

const LineRow = z.object({ line: z.string() });
const KeyRow = z.object({ key: z.string() });
const IdRow = z.object({ id: z.string() });
const MigrationRow = z.object({ name: z.string() });
const EstimateRow = z.object({ bytes: z.number() });

/** Where an archive comes from. */
export interface ArchiveSource {
  readonly asOwner: OwnerTransaction;
  readonly blobs: BlobStore;
}

/**
 * Writes everything that is stored to a file: the rows of every table as NDJSON, each value in the notation of PostgreSQL,
 * and the files of the blob store that rows name. Rows are those of one moment. The file appears when it is complete.
 * @param onProgress by the size of the database and of the files
 * @throws {BlobNotFoundError} when a scene is deleted meanwhile
 */
export async function writeArchive(
  { asOwner, blobs }: ArchiveSource,
  file: string,
  onProgress: OnProgress,
): Promise<Manifest> {
  const partial = `${file}.partial`;
  try {
    const writer = new ArchiveWriter(partial);
    const written = await asOwner(async (query) => {
      const migrations = z.array(MigrationRow).parse(await query('SELECT name FROM terraql_migration ORDER BY name'));
      const tables = await archivedTables(query);
      const total = await databaseBytes(query, tables);
      const rows: Record<string, number> = {};
      for (const table of tables) {
        rows[table.name] = await writeRows(query, table, writer, () =>
          onProgress(Math.min(0.5, (0.5 * writer.characters) / total), table.name),
        );
      }
      return { migrations: migrations.map(({ name }) => name), rows, keys: await blobKeys(query, blobs) };
    });
    for (const [index, key] of written.keys.entries()) {
      onProgress(0.5 + (0.5 * index) / written.keys.length, key);
      await writer.blob(blobs, key);
    }
    const { migrations, rows } = written;
    const manifest = { format: FORMAT, createdAt: new Date().toISOString(), migrations, rows, entries: writer.entries };
    await writer.end(manifest);
    await rename(partial, file);
    return manifest;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Size of what is stored, for progress; at least 1. */
async function databaseBytes(query: OwnerQuery, tables: readonly ArchivedTable[]): Promise<number> {
  const rows = await query(
    'SELECT COALESCE(sum(pg_table_size(name::regclass)), 0)::float8 AS bytes FROM unnest($1::text[]) AS name',
    [`{${tables.map(({ name }) => name).join(',')}}`],
  );
  return Math.max(1, z.array(EstimateRow).parse(rows)[0]!.bytes);
}

async function writeRows(
  query: OwnerQuery,
  { name, columns }: ArchivedTable,
  writer: ArchiveWriter,
  onPart: () => void,
): Promise<number> {
  const values = columns.map((column) => `${quoted(column.name)}::text`).join(', ');
  await query(
    `DECLARE ${CURSOR} CURSOR FOR SELECT row_to_json(r)::text AS line FROM (SELECT ${values} FROM ${name}) AS r`,
  );
  let [count, part, characters] = [0, 0, 0];
  let lines: string[] = [];
  for (;;) {
    const rows = z.array(LineRow).parse(await query(`FETCH ${ROWS_AT_ONCE} FROM ${CURSOR}`));
    for (const { line } of rows) characters += lines.push(line) && line.length;
    count += rows.length;
    const isLast = rows.length === 0;
    if (lines.length > 0 && (isLast || characters > PART_CHARACTERS)) {
      part += 1;
      await writer.rows(`rows/${name}/${String(part).padStart(6, '0')}.ndjson.gz`, lines);
      onPart();
      [lines, characters] = [[], 0];
    }
    if (isLast) break;
  }
  await query(`CLOSE ${CURSOR}`);
  return count;
}

/** Files that rows name: copies of images and stored files. Uploads that are not registered and windows of runs are not. */
async function blobKeys(query: OwnerQuery, blobs: BlobStore): Promise<string[]> {
  const scenes = await query('SELECT blob_key AS key FROM scene WHERE blob_key IS NOT NULL ORDER BY 1');
  const keys = z
    .array(KeyRow)
    .parse(scenes)
    .map(({ key }) => key);
  const exported = z.array(IdRow).parse(await query("SELECT id FROM export WHERE state = 'SUCCEEDED' ORDER BY id"));
  for (const { id } of exported) {
    for (const name of await blobs.list(`exports/${id}`)) keys.push(`exports/${id}/${name}`);
  }
  return keys;
}

/** A tar file that is written entry by entry, with a hash of each. */
class ArchiveWriter {
  readonly entries: Manifest['entries'] = [];
  /** Of rows, before compression. */
  characters = 0;
  private readonly tar: Pack = pack();
  private readonly written: Promise<void>;

  constructor(file: string) {
    this.written = pipeline(this.tar, createWriteStream(file, { flags: 'wx' }));
    // Whoever writes next, or ends it, hears of the error.
    this.written.catch(() => undefined);
  }

  async rows(name: string, lines: readonly string[]): Promise<void> {
    const text = `${lines.join('\n')}\n`;
    this.characters += text.length;
    const bytes = await compress(text);
    await this.add(name, bytes.length, once(bytes));
  }

  async blob(blobs: BlobStore, key: string): Promise<void> {
    const opened = await blobs.open(key);
    const sizeBytes = typeof opened === 'string' ? (await stat(opened)).size : opened.sizeBytes;
    if (typeof opened !== 'string') await opened.close();
    await this.add(`blobs/${key}`, sizeBytes, blobs.stream(key));
  }

  async end(manifest: Manifest): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(manifest));
    await this.write(MANIFEST, bytes.length, once(bytes));
    this.tar.finalize();
    await this.written;
  }

  private async add(name: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const hash = createHash('sha256');
    await this.write(name, sizeBytes, hashed(bytes, hash));
    this.entries.push({ name, sizeBytes, sha256: hash.digest('hex') });
  }

  private async write(name: string, size: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const entry = this.tar.entry({ name, size });
    await Promise.race([pipeline(bytes, entry), this.written]);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update(b: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
}
