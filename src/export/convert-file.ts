import { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';

/** A file for GDAL to make another of. */
export interface Conversion {
  readonly bytes: Uint8Array;
  /** Extensions of both files. */
  readonly from: string;
  readonly to: string;
  /** As `ogr2ogr` takes them. */
  readonly options: readonly string[];
}

/** GDAL refuses a conversion, or its memory, which is limited to 2 GiB, is exhausted. */
export class ConversionFailedError extends AppError {
  readonly code = 'EXPORT_CONVERSION_FAILED';
}

export type ConversionReply = { readonly bytes: Uint8Array } | { readonly refused: string };

/**
 * Makes one file of another with GDAL, in a thread that ends with it, so that its memory is given back.
 * @throws {ConversionFailedError}
 */
export async function convertFile(conversion: Conversion): Promise<Uint8Array> {
  const built = import.meta.url.endsWith('.js');
  const script = new URL(built ? './convert-worker.js' : './source-worker.mjs', import.meta.url);
  const worker = new Worker(script, { workerData: conversion, ...(built ? {} : { execArgv: [] }) });
  try {
    const reply = await new Promise<ConversionReply>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`its thread ended with ${code}`)));
    }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConversionFailedError(
        `The file could not be converted to ${conversion.to}: ${reason}. Narrow the filter.`,
        { cause },
      );
    });
    if ('bytes' in reply) return reply.bytes;
    throw new ConversionFailedError(`GDAL cannot write a file of type ${conversion.to}: ${reply.refused}`);
  } finally {
    await worker.terminate();
  }
}
