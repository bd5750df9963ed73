import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** NAIP imagery of a prairie, public domain, 934 × 723 pixels of 5 m. */
const SOURCE = path.resolve(import.meta.dirname, '../../fixtures/imagery/naip_prairie_utm14n_5m_rgbn_cog.tif');
/** Its north-western quarter, so that 4 × 4 tiles from there lie within it at the zooms that are asked for. */
const CORNER = [-99.18, 47.034] as const;

export interface Cog {
  readonly file: string;
  /** Longitude and latitude where tiles begin. */
  readonly corner: readonly [number, number];
}

/** Enlarges a picture to a Cloud Optimized GeoTIFF of 8,192 pixels across, as an orthophoto is: JPEG in blocks of 512. */
export async function makeCog(file: string): Promise<Cog> {
  const options =
    '-q -of COG -outsize 8192 0 -r cubic -b 1 -b 2 -b 3 -co COMPRESS=JPEG -co QUALITY=85 -co BLOCKSIZE=512';
  await run('gdal_translate', [...options.split(' '), SOURCE, file]);
  return { file, corner: CORNER };
}
