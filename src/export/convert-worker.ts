import { parentPort, workerData } from 'node:worker_threads';
import { Gdal, GdalError } from '../imagery/crs/gdal.ts';
import type { Conversion, ConversionReply } from './convert-file.ts';

/** The thread of {@link convertFile}: converts one file and answers once. */
async function convert({ bytes, from, to, options }: Conversion): Promise<ConversionReply> {
  const library = await Gdal.load();
  try {
    return { bytes: library.convertVector(bytes, `/from.${from}`, `/to.${to}`, options) };
  } catch (error) {
    if (error instanceof GdalError) return { refused: error.message };
    throw error;
  }
}

parentPort?.postMessage(await convert(workerData as Conversion));
