import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FeatureFile } from './application/ask.ts';
import { Progress } from './terminal/progress.ts';
import type { ServiceContext } from './application/run-command.ts';
import { InterruptedError, type Terminal } from './terminal/terminal.ts';

/** Formats that may be printed on a terminal. */
export const TEXT_FORMATS = ['GEOJSON', 'NDJSON', 'GEOJSONS', 'CSV', 'COCO'] as const;
export const BINARY_FORMATS = ['FGB', 'PARQUET', 'PARQUET.ZIP'] as const;
export type FileFormat = (typeof TEXT_FORMATS)[number] | (typeof BINARY_FORMATS)[number];

/**
 * Prints an export, or writes it to a file that appears under its name only when complete.
 * @param request as the routes `/features.{format}` take it
 * @param output path of the file; undefined for standard output
 * @throws {InterruptedError} and what the service says of the request
 */
export async function writeFeatures(
  { service, terminal, signal }: ServiceContext,
  format: FileFormat,
  request: Readonly<Record<string, unknown>>,
  output: string | undefined,
): Promise<void> {
  const file = await service.exportFeatures(format.toLowerCase(), request);
  for (const warning of file.warnings) terminal.note(warning);
  if (file.withoutGeoreference > 0) {
    terminal.note(`omitted: ${file.withoutGeoreference} features of scenes without georeference`);
  }
  if (output === undefined) {
    await terminal.stream(file.pieces());
    return;
  }
  const bytes = await save(file, output, terminal, signal);
  terminal.note(`${output}: ${file.featureCount} features, ${megabytes(bytes)}`);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** @returns bytes written */
async function save(file: FeatureFile, output: string, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const partial = `${output}.partial`;
  const progress = new Progress(terminal, `Writing ${path.basename(output)}`);
  let bytes = 0;
  let fraction: number | null = null;
  const counted = async function* () {
    for await (const piece of file.pieces((done) => (fraction = done / file.featureCount))) {
      bytes += piece.length;
      progress.update(fraction, megabytes(bytes));
      yield piece;
    }
  };
  try {
    await pipeline(Readable.from(counted()), createWriteStream(partial), { signal });
    await rename(partial, output);
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted) throw new InterruptedError(`${output} was written`);
    throw error;
  } finally {
    progress.stop();
  }
}
