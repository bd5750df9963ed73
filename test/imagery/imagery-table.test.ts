import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFileSource } from '../../src/imagery/byte-source.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { groundPosition } from '../../src/imagery/ground.ts';
import type { ImageHeader } from '../../src/imagery/image-source.ts';
import { decoderMemory } from '../../src/imagery/decoder-memory.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { openTiff } from '../../src/imagery/tiff-file.ts';
import { expected, imagePath, MAX_PIXELS } from './imagery.ts';

/** Files that are refused, and with which code; everything else must open. */
const REFUSED: Readonly<Record<string, string>> = {
  'odd/complex_float32.tif': 'IMAGE_COMPLEX_SAMPLES',
  'odd/local_crs.tif': 'CRS_UNRESOLVABLE',
  'odd/lzma.tif': 'IMAGE_UNSUPPORTED',
};
/** Turned upright by us, not by GDAL; has tests of its own. */
const NOT_AS_GDAL = ['odd/exif_rotated.jpg'];
/** Files whose pixels cannot be read. */
const DAMAGED = ['corrupt_truncated.tif'];
/** Decoders of lossy files may round differently by this much. */
const JPEG_ROUNDING = 2;
/** GDAL prints 7 decimals; where the shift to WGS 84 has several published versions, we may use another: 1 m. */
const EXTENT_DEGREES: Readonly<Record<string, number>> = { 'odd/epsg27700.tif': 2.5e-5 };

const TYPES: Readonly<Record<string, string>> = { Byte: 'uint8' };

const names = Object.keys(expected).filter((name) => !NOT_AS_GDAL.includes(name));

describe.each(names)('%s', (name) => {
  const path = imagePath(name);
  const gdal = expected[name]!;
  const there = existsSync(path);

  it.runIf(there && REFUSED[name] !== undefined)(`is refused with ${REFUSED[name]}`, async () => {
    await expect(openImage(path, MAX_PIXELS)).rejects.toMatchObject({ code: REFUSED[name] });
  });

  it.runIf(there && REFUSED[name] === undefined)(
    'has the size, type and geotransform that gdalinfo prints',
    async () => {
      const header = await headerOf(path);
      expect([header.widthPx, header.heightPx]).toEqual(gdal.size);
      expect(header.bands).toBe(gdal.types.length);
      expect(header.dtype).toBe(TYPES[gdal.types[0]!] ?? gdal.types[0]!.toLowerCase());
      const overviews = header.overviews.map(({ widthPx, heightPx }) => [widthPx, heightPx]);
      if (header.format === 'GeoTIFF') expect(overviews).toEqual(gdal.overviews); // GDAL calls JPEG's scaled decoding overviews
      expect(header.nodata).toBe(typeof gdal.noData === 'number' ? gdal.noData : null);
      expect(header.alphaBand).toBe(gdal.colors.includes('Alpha') ? gdal.colors.indexOf('Alpha') + 1 : null);
      if (gdal.geoTransform === null) expect(header.affine).toBeNull();
      else gdal.geoTransform.forEach((value, i) => expect(header.affine![i]).toBeCloseTo(value, 9));
      if (gdal.epsg !== null) expect(header.crs).toBe(`EPSG:${gdal.epsg}`);
    },
  );

  it.runIf(there && gdal.wgs84Extent !== null && REFUSED[name] === undefined)('lies where gdalinfo says', async () => {
    const header = await headerOf(path);
    const position = groundPosition(header.affine!, await resolveCrs(header.crs!));
    const { widthPx, heightPx } = header;
    const corners = [position(0, 0), position(0, heightPx), position(widthPx, heightPx), position(widthPx, 0)];
    corners.forEach(([longitude, latitude], i) => {
      const [gdalLongitude, gdalLatitude] = gdal.wgs84Extent![i]!;
      expect(Math.abs(((longitude - gdalLongitude + 540) % 360) - 180)).toBeLessThan(EXTENT_DEGREES[name] ?? 1.1e-6);
      expect(Math.abs(latitude - gdalLatitude)).toBeLessThan(EXTENT_DEGREES[name] ?? 1.1e-6);
    });
  });

  it.runIf(there && REFUSED[name] === undefined && !DAMAGED.includes(name))(
    'has the values that GDAL reads',
    async () => {
      for (const { x, y, values } of gdal.pixels) {
        const ours = await valuesAt(path, x, y);
        ours.forEach((value, band) => expect(Math.abs(value - values![band]!)).toBeLessThanOrEqual(tolerance(name)));
      }
    },
  );
});

it.runIf(!process.env['TERRAQL_IMAGERY_DIR'])('skips only the images that are too large for the repository', () => {
  const missing = names.filter((name) => !existsSync(imagePath(name)));
  expect(missing).toEqual([
    'bridge_river_worldmercator_0m10_rgb.tif',
    'farmland_utm50s_0m35_rgba.tif',
    'manila_bridge_portrait.png',
    'volcano_sar_utm59s_rotated_1band.tif',
  ]);
});

function tolerance(name: string): number {
  if (/jpg$|jpeg|harbour|bridge|suburb|snow|small_tiles/.test(name)) return JPEG_ROUNDING;
  return name.endsWith('rgb16.png') ? 129 : 1e-9;
}

async function headerOf(path: string): Promise<ImageHeader> {
  const image = await openImage(path, MAX_PIXELS);
  await image.close();
  return image.header;
}

/** Stored values of a pixel, band by band; of pictures, the shown ones (16 bits as 8). */
async function valuesAt(path: string, x: number, y: number): Promise<number[]> {
  const image = await openImage(path, MAX_PIXELS);
  const { format, bands, rgbBands, bitsPerSample } = image.header;
  const window = { x, y, width: 1, height: 1 };
  if (format !== 'GeoTIFF') {
    const stretch = bitsPerSample === 16 ? rgbBands.map(() => ({ min: 0, max: 65_535 })) : null;
    const { rgb } = await image.readRgb(window, 1, 1, { rgbBands, stretch });
    await image.close();
    return [...rgb].slice(0, rgbBands.length).map((value) => (bitsPerSample === 16 ? value * 257 : value));
  }
  await image.close();
  const bytes = await openFileSource(path);
  const { levels } = await openTiff(bytes, decoderMemory());
  const values = await levels[0]!.level.readBands(
    window,
    Array.from({ length: bands }, (_, i) => i + 1),
  );
  await bytes.close();
  return values.map((band) => band[0]!);
}
