import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { z } from 'zod';
import type { BlobStore } from '../blob-store.ts';
import type { OwnerQuery, OwnerTransaction } from '../database/owner-transaction.ts';
import { RENUMBER_OUTBOX } from '../database/renumber-outbox.ts';
import { parseJson } from '../parse-json.ts';
import {
  ArchiveDamagedError,
  ArchiveTargetError,
  ArchiveVersionError,
  FORMAT,
  MANIFEST,
  Manifest,
  type OnProgress,
} from './archive.ts';
import { archivedTables, type ArchivedTable, hasRows, quoted } from './tables.ts';

const decompress = promisify(gunzip);
const ROWS_AT_ONCE = 500;
const CHARACTERS_AT_ONCE = 8 * 2 ** 20;
const ROW_FILE = /^rows\/(.+)\/\d+\.ndjson\.gz$/;

/** Rows that a database has before it is used. @see ArchiveTargetError */
const OF_A_NEW_DATABASE: Readonly<Record<string, string>> = {
  workspace: "id <> 'default'",
  link_key: 'FALSE',
  audit: 'FALSE',
  usage: 'FALSE',
};

const MigrationRow = z.object({ name: z.string() });

/** Where an archive goes. */
export interface ArchiveTarget {
  readonly asOwner: OwnerTransaction;
  readonly blobs: BlobStore;
}

/**
 * Imports an archive, all or nothing: it is verified as a whole before anything is written, and its rows are one transaction.
 * Runs that were under way begin again. Positions in the outbox and of deletions are those of the new database.
 * @param onProgress by bytes of the file, which is read twice
 * @throws {ArchiveDamagedError | ArchiveVersionError | ArchiveTargetError}
 */
export async function readArchive(
  { asOwner, blobs }: ArchiveTarget,
  file: string,
  onProgress: OnProgress,
): Promise<Manifest> {
  const size = Math.max(1, (await stat(file)).size);
  const progress = (pass: number) => (bytesRead: number, detail: string) =>
    onProgress((pass + bytesRead / size) / 2, detail);
  const manifest = await verify(file, progress(0));
  const folders: string[] = [];
  try {
    await asOwner(async (query) => {
      const tables = await archivedTables(query);
      await requireSameSchema(query, manifest);
      await requireUnused(query, tables);
      await importInto({ query, tables, blobs, folders }, file, progress(1));
    });
    return manifest;
  } catch (error) {
    for (const folder of folders) await blobs.removeFolder(folder);
    throw error;
  }
}

interface Import {
  readonly query: OwnerQuery;
  readonly tables: readonly ArchivedTable[];
  readonly blobs: BlobStore;
  /** Folders that were written, in place. */
  readonly folders: string[];
}

async function importInto(
  { query, tables, blobs, folders }: Import,
  file: string,
  onEntry: (bytesRead: number, name: string) => void,
): Promise<void> {
  // What happened was recorded when it did.
  for (const { name } of tables) await query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
  for (const { name } of tables.toReversed()) await query(`DELETE FROM ${name}`);
  await eachEntry(file, async (name, bytes, bytesRead) => {
    onEntry(bytesRead, name);
    const table = ROW_FILE.exec(name)?.[1];
    if (table !== undefined) {
      await insertRows(query, tableNamed(tables, table), (await decompress(await buffer(bytes))).toString('utf8'));
    } else if (name.startsWith('blobs/')) {
      const key = name.slice('blobs/'.length);
      folders.push(dirname(key));
      await blobs.write(key, bytes, Infinity);
    } else await buffer(bytes);
  });
  await query('UPDATE segmentation SET worker = NULL WHERE worker IS NOT NULL');
  for (const statement of RENUMBER_OUTBOX) await query(statement);
  for (const { name, columns } of tables) {
    for (const column of columns.filter(({ isIdentity }) => isIdentity)) {
      await query(
        `SELECT setval(pg_get_serial_sequence($1::text, $2::text), (SELECT GREATEST(max(${quoted(column.name)}), 1) FROM ${name}))`,
        [name, column.name],
      );
    }
    await query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
  }
}

function tableNamed(tables: readonly ArchivedTable[], wanted: string): ArchivedTable {
  const table = tables.find(({ name }) => name === wanted);
  if (!table) throw new ArchiveVersionError(`The archive has the table ${wanted}, which this version does not know.`);
  return table;
}

async function insertRows(query: OwnerQuery, { name, columns }: ArchivedTable, text: string): Promise<void> {
  const names = columns.map((column) => quoted(column.name)).join(', ');
  const values = columns.map(({ name: column, type }) => `(r.value->>'${column.replaceAll("'", "''")}')::${type}`);
  const insert = `INSERT INTO ${name} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values.join(', ')}
    FROM json_array_elements($1::text::json) AS r`;
  let lines: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (lines.length > 0) await query(insert, [`[${lines.join(',')}]`]);
    [lines, characters] = [[], 0];
  };
  for (const line of text.split('\n')) {
    if (line === '') continue;
    characters += lines.push(line) && line.length;
    if (lines.length >= ROWS_AT_ONCE || characters > CHARACTERS_AT_ONCE) await flush();
  }
  await flush();
}

async function requireSameSchema(query: OwnerQuery, { migrations }: Manifest): Promise<void> {
  const rows = z.array(MigrationRow).parse(await query('SELECT name FROM terraql_migration ORDER BY name'));
  const known = rows.map(({ name }) => name);
  const unknown = migrations.find((name) => !known.includes(name));
  const missing = known.find((name) => !migrations.includes(name));
  if (unknown !== undefined) {
    throw new ArchiveVersionError(
      `The archive is of a newer version, with the migration ${unknown}; import it with that version.`,
    );
  }
  if (missing !== undefined) {
    throw new ArchiveVersionError(
      `The archive is of an older version, without the migration ${missing}; import it with the version that wrote it, then start this one.`,
    );
  }
}

async function requireUnused(query: OwnerQuery, tables: readonly ArchivedTable[]): Promise<void> {
  for (const { name } of tables) {
    if (await hasRows(query, name, OF_A_NEW_DATABASE[name])) throw new ArchiveTargetError(name);
  }
}

/** Reads the whole file and compares every entry with the manifest at its end. */
async function verify(file: string, onEntry: (bytesRead: number, name: string) => void): Promise<Manifest> {
  const found: Manifest['entries'] = [];
  let text: string | null = null;
  try {
    await eachEntry(file, async (name, bytes, bytesRead) => {
      onEntry(bytesRead, `checking ${name}`);
      if (name === MANIFEST) {
        text = (await buffer(bytes)).toString('utf8');
        return;
      }
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const piece of bytes) {
        hash.update(piece);
        sizeBytes += piece.length;
      }
      found.push({ name, sizeBytes, sha256: hash.digest('hex') });
    });
  } catch (error) {
    throw new ArchiveDamagedError(file, error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (text === null)
    throw new ArchiveDamagedError(file, `it has no ${MANIFEST}, so it is cut off or no archive of TerraQL`);
  const parsed = Manifest.safeParse(parseJson(text));
  if (!parsed.success) throw new ArchiveDamagedError(file, `its ${MANIFEST} cannot be read`);
  if (parsed.data.format !== FORMAT) {
    throw new ArchiveVersionError(`The archive has the format ${parsed.data.format}; this version reads ${FORMAT}.`);
  }
  compare(file, parsed.data.entries, found);
  return parsed.data;
}

function compare(file: string, expected: Manifest['entries'], found: Manifest['entries']): void {
  const actual = new Map(found.map((entry) => [entry.name, entry]));
  for (const { name, sha256 } of expected) {
    const entry = actual.get(name);
    if (!entry) throw new ArchiveDamagedError(file, `${name} is missing`);
    if (entry.sha256 !== sha256)
      throw new ArchiveDamagedError(file, `${name} has another checksum than when it was written`);
    actual.delete(name);
  }
  const [more] = actual.keys();
  if (more !== undefined) throw new ArchiveDamagedError(file, `${more} was added`);
}

/** Calls `work` for each entry in turn, which must read all of its bytes. */
async function eachEntry(
  file: string,
  work: (name: string, bytes: AsyncIterable<Uint8Array>, bytesRead: number) => Promise<void>,
): Promise<void> {
  const input = createReadStream(file, { highWaterMark: 2 ** 20 });
  const tar = extract();
  input.on('error', (error) => tar.destroy(error));
  input.pipe(tar);
  try {
    for await (const entry of tar) await work(entry.header.name, entry, input.bytesRead);
  } finally {
    input.destroy();
  }
}
