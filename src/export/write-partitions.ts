import { makeZip } from 'client-zip';
import type { FeatureAttribute } from '../feature/feature-record.ts';
import { InvalidExportError } from './export-errors.ts';
import type { ExportContents, ExportRow } from './export-row.ts';
import { writeGeoParquet } from './write-geoparquet.ts';

/** Longest name of a folder on the file systems in use, bytes. */
const MAX_NAME_BYTES = 255;
/** Folders are named as Hive and Spark name them, with what Windows refuses besides; other characters stand as they are. */
const ESCAPED = /(?=\p{ASCII})[\p{Cc}"#%'*/:=?\\{[\]^<>|]/gu;

/**
 * A Hive-partitioned GeoParquet data set, `prompt=…/part-0.parquet`, in an archive without compression. The prompt of a
 * partition stands in the name of its folder alone. Unpacked, DuckDB, Spark with Sedona, and Arrow read it as one table and
 * skip the folders of other prompts.
 * @param contents with the features of each prompt together
 * @throws {InvalidExportError} for a prompt that is too long to name a folder
 * @see https://duckdb.org/docs/stable/data/partitioning/hive_partitioning
 */
export function writePartitions(contents: ExportContents): AsyncIterable<Uint8Array> {
  return makeZip(partFiles(contents));
}

async function* partFiles({ batches, columns, crs }: ExportContents) {
  const kept = columns.filter(({ name }) => name !== 'prompt');
  let isEmpty = true;
  for await (const part of partsOf(batches)) {
    isEmpty = false;
    yield fileOf(`prompt=${folderValue(part.prompt)}/part-0.parquet`, part.batches, kept, crs);
  }
  // A table without rows still has its columns.
  if (isEmpty) yield fileOf('part-0.parquet', batches, columns, crs);
}

function fileOf(
  name: string,
  batches: AsyncIterable<readonly ExportRow[]>,
  columns: readonly FeatureAttribute[],
  crs: string | null,
) {
  return { name, input: writeGeoParquet({ batches, columns, crs }), lastModified: new Date() };
}

function folderValue(prompt: string): string {
  const value = prompt.replaceAll(
    ESCAPED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (Buffer.byteLength(`prompt=${value}`) <= MAX_NAME_BYTES) return value;
  throw new InvalidExportError(
    `The prompt ${JSON.stringify(`${prompt.slice(0, 40)}…`)} is too long for the name of a folder; exclude it by the filter, or request GEOPARQUET.`,
  );
}

interface Part {
  readonly prompt: string;
  /** To be read to its end before the next part. */
  readonly batches: AsyncIterable<readonly ExportRow[]>;
}

async function* partsOf(batches: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Part> {
  const source = batches[Symbol.asyncIterator]();
  let rows: readonly ExportRow[] = [];
  const more = async (): Promise<boolean> => {
    const next = await source.next();
    rows = next.done === true ? [] : next.value;
    return next.done !== true;
  };
  const rowsOf = async function* (prompt: string): AsyncGenerator<readonly ExportRow[]> {
    do {
      const end = rows.findIndex(({ record }) => record.prompt !== prompt);
      const own = end === -1 ? rows : rows.slice(0, end);
      if (own.length > 0) yield own;
      rows = rows.slice(own.length);
    } while (rows.length === 0 && (await more()));
  };
  try {
    while (rows.length > 0 || (await more())) {
      const prompt = rows[0]?.record.prompt;
      if (prompt !== undefined) yield { prompt, batches: rowsOf(prompt) };
    }
  } finally {
    await source.return?.();
  }
}
