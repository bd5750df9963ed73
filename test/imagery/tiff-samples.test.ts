import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileSource } from '../../src/imagery/byte-source.ts';
import { decoderMemory } from '../../src/imagery/decoder-memory.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { openTiff } from '../../src/imagery/tiff-file.ts';
import { MAX_PIXELS } from './imagery.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/imagery/samples');
const WINDOW = { x: 0, y: 0, width: 23, height: 7 };

/** What GDAL reads; made by make-samples.py. */
const gdal = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8').replaceAll('NaN', 'null')) as {
  readonly values: Readonly<Record<string, number[]>>;
  readonly files: Readonly<Record<string, { type: string; bands: number[]; valid: number }>>;
};

async function bandsOf(path: string, count: number): Promise<number[][]> {
  const bytes = await openFileSource(path);
  const { levels } = await openTiff(bytes, decoderMemory());
  const bands = await levels[0]!.level.readBands(
    WINDOW,
    Array.from({ length: count }, (_, i) => i + 1),
  );
  await bytes.close();
  return bands.map((band) => [...band]);
}

/** A sample type, byte order, compression and predictor, as GDAL writes them. */
describe.each(Object.entries(gdal.files))('%s', (name, { type, bands, valid }) => {
  const path = join(FOLDER, `${name}.tif`);

  it('has the values that GDAL reads', async () => {
    const read = await bandsOf(path, bands.length);
    if (bands.length === 1) expect(read[0]).toEqual(gdal.values[type]);
    read.forEach((band, i) => expect(band.reduce((sum, value) => sum + value, 0)).toBe(bands[i]));
  });

  it('is valid where GDAL says: blocks left out of a sparse file have the nodata value', async () => {
    const image = await openImage(path, MAX_PIXELS);
    const { widthPx: width, heightPx: height } = image.header;
    const show = { rgbBands: [1], stretch: [{ min: 0, max: 1 }] };
    const { valid: flags } = await image.readRgb({ x: 0, y: 0, width, height }, width, height, show);
    await image.close();
    expect(flags.reduce((sum, flag) => sum + flag, 0)).toBe(valid);
  });
});
