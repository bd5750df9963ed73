import { copyFile, mkdtemp, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/imagery/open-image.ts';
import { imagePath, MAX_PIXELS } from './imagery.ts';

const show = { rgbBands: [1, 2, 3], stretch: null };

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'terraql-'));
}

async function headerOf(path: string) {
  const image = await openImage(path, MAX_PIXELS);
  await image.close();
  return image.header;
}

describe('format', () => {
  it('is recognised by its bytes, whatever its name', async () => {
    const path = join(await temporaryFolder(), 'picture.png');
    await copyFile(imagePath('odd/alpha.tif'), path);
    expect((await headerOf(path)).format).toBe('GeoTIFF');
  });

  it.each([
    ['text', Buffer.from('not an image at all')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['nothing', Buffer.alloc(0)],
  ])('is refused for %s', async (_, bytes) => {
    const path = join(await temporaryFolder(), 'picture.tif');
    await writeFile(path, bytes);
    await expect(openImage(path, MAX_PIXELS)).rejects.toMatchObject({ code: 'IMAGE_FORMAT_UNKNOWN' });
  });
});

describe('a picture', () => {
  it('is turned upright by its EXIF orientation and dated by its EXIF time', async () => {
    const image = await openImage(imagePath('odd/exif_rotated.jpg'), MAX_PIXELS);
    expect([image.header.widthPx, image.header.heightPx]).toEqual([80, 96]);
    expect(image.header.acquiredAt).toEqual(new Date('2021-06-05T10:20:30+02:00'));
    const turned = await image.readRgb({ x: 0, y: 0, width: 80, height: 96 }, 80, 96, show);
    await image.close();
    const original = await sharp(imagePath('odd/rgb_degrees.jpg')).raw().toBuffer(); // orientation 6: turn right by 90
    let difference = 0;
    for (let y = 0; y < 96; y++) {
      for (let x = 0; x < 80; x++) {
        difference += Math.abs(turned.rgb[(y * 80 + x) * 3]! - original[((79 - x) * 96 + y) * 3]!);
      }
    }
    expect(difference / (80 * 96)).toBeLessThan(3); // it was compressed once more
  });

  it('of 16 bits is stretched over the range that is asked', async () => {
    const image = await openImage(imagePath('odd/rgb16.png'), MAX_PIXELS);
    expect(image.header).toMatchObject({ dtype: 'uint16', bands: 3 });
    const window = { x: 10, y: 10, width: 20, height: 20 };
    const stretch = [1, 2, 3].map(() => ({ min: 0, max: 65_535 }));
    const { rgb } = await image.readRgb(window, 20, 20, { rgbBands: [1, 2, 3], stretch });
    await image.close();
    const source = await openImage(imagePath('odd/rgb.webp'), MAX_PIXELS);
    expect(rgb).toEqual((await source.readRgb(window, 20, 20, show)).rgb);
    await source.close();
  });

  it('has no data where it is transparent', async () => {
    const image = await openImage(imagePath('odd/alpha.png'), MAX_PIXELS);
    const { valid } = await image.readRgb({ x: 40, y: 0, width: 16, height: 1 }, 16, 1, show);
    expect([...valid]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    const [values] = await image.sampleBands([1], 1e6);
    expect(values!.length).toBe((96 * 80) / 2);
    await image.close();
  });

  it('gives the same pixels in windows as in one piece', async () => {
    const image = await openImage(imagePath('pasture_no_georef.jpg'), MAX_PIXELS);
    const all = await image.readRgb({ x: 0, y: 0, width: 1024, height: 1024 }, 1024, 1024, show);
    for (const [x, y] of [
      [900, 900],
      [0, 0],
      [511, 700],
    ] as const) {
      const part = await image.readRgb({ x, y, width: 100, height: 90 }, 100, 90, show);
      const row = (y + 89) * 1024 + x;
      expect(part.rgb.subarray(89 * 100 * 3)).toEqual(all.rgb.subarray(row * 3, (row + 100) * 3));
    }
    await image.close();
  });

  it('that is cut off opens and fails at its pixels', async () => {
    const path = join(await temporaryFolder(), 'cut.jpg');
    await copyFile(imagePath('pasture_no_georef.jpg'), path);
    await truncate(path, 100_000);
    const image = await openImage(path, MAX_PIXELS);
    const window = { x: 0, y: 900, width: 100, height: 100 };
    await expect(image.readRgb(window, 100, 100, show)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
  });

  it('of too many pixels is refused from its header, before decoding', async () => {
    const path = join(await temporaryFolder(), 'bomb.png');
    await writeFile(path, pngHeader(60_000, 60_000));
    await expect(openImage(path, 1e9)).rejects.toThrow(
      'The image has 60000 x 60000 = 3600000000 pixels; the limit is 1000000000.',
    );
  });
});

describe('files beside a picture', () => {
  it('give its place: six numbers for the centre of the first pixel, and a projection', async () => {
    const { affine, crs } = await headerOf(imagePath('odd/grey_utm.png'));
    expect(affine).toEqual([487_399, 5, 0, 5_207_996, 0, -5]);
    expect(crs).toMatch(/^PROJCS\["NAD83 \/ UTM zone 14N"/);
  });

  it('without projection count as degrees only where all corners can be degrees', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.jpg');
    await copyFile(imagePath('odd/rgb_degrees.jpg'), path);
    await writeFile(join(folder, 'a.wld'), '0.0001\n0\n0\n-0.0001\n5.00005\n51.99995\n');
    expect((await headerOf(path)).crs).toBe('EPSG:4326');
    await writeFile(join(folder, 'a.wld'), '5\n0\n0\n-5\n487401.5\n5207993.5\n');
    expect(await headerOf(path)).toMatchObject({ crs: null, affine: [487_399, 5, 0, 5_207_996, 0, -5] });
  });

  it('are refused when they hold no six numbers', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.jpg');
    await copyFile(imagePath('odd/rgb_degrees.jpg'), path);
    await writeFile(join(folder, 'a.jgw'), '5\n0\n0\n-5\nabc\n1\n');
    await expect(openImage(path, MAX_PIXELS)).rejects.toMatchObject({ code: 'WORLD_FILE_INVALID' });
    await writeFile(join(folder, 'a.jgw'), '5\n0\n');
    await expect(openImage(path, MAX_PIXELS)).rejects.toThrow(/has 2 values instead of 6/);
  });

  it('are not read through links', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.jpg');
    await copyFile(imagePath('odd/rgb_degrees.jpg'), path);
    await writeFile(join(folder, 'elsewhere'), '1\n0\n0\n-1\n0\n0\n');
    await symlink(join(folder, 'elsewhere'), join(folder, 'a.jgw'));
    expect((await headerOf(path)).affine).toBeNull();
  });

  it('do not replace the geotransform of a GeoTIFF', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.tif');
    await copyFile(imagePath('odd/alpha.tif'), path);
    await writeFile(join(folder, 'a.tfw'), '1\n0\n0\n-1\n0\n0\n');
    expect((await headerOf(path)).affine).toEqual((await headerOf(imagePath('odd/alpha.tif'))).affine);
  });
});

/** A PNG that claims a size and holds next to nothing. */
function pngHeader(widthPx: number, heightPx: number): Buffer {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(widthPx, 0);
  size.writeUInt32BE(heightPx, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', size),
    chunk('IDAT', deflateSync(Buffer.alloc(10))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

it('reads the fixture of the demo from the repository', async () => {
  expect((await readFile(imagePath('naip_prairie_utm14n_5m_rgbn_cog.tif'))).length).toBe(2_487_763);
});
