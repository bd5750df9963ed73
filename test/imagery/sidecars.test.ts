import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/imagery/open-image.ts';
import { mapToPixel, pixelToMap } from '../../src/raster/affine.ts';
import { oneStripTiff } from './hostile-images.ts';
import { imagePath, MAX_PIXELS } from './imagery.ts';

const [WIDTH, HEIGHT] = [8, 6];
/** Pixels of 0.0001 degrees from 5 E, 52 N, as a world file has them: for the centre of the first pixel. */
const WORLD = '0.0001\n0\n0\n-0.0001\n5.00005\n51.99995\n';
const AFFINE = [5, 0.0001, 0, 52, 0, -0.0001] as const;

/** Every pixel another grey. */
const GREY = Buffer.from(Array.from({ length: WIDTH * HEIGHT }, (_, i) => 5 * i));
const picture = () => sharp(GREY, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
const IMAGES: Readonly<Record<string, () => Promise<Buffer>>> = {
  jpg: () => picture().jpeg().toBuffer(),
  jpeg: () => picture().jpeg().toBuffer(),
  png: () => picture().png().toBuffer(),
  webp: () => picture().webp({ lossless: true }).toBuffer(),
  tif: async () => oneStripTiff({ widthPx: WIDTH, heightPx: HEIGHT, compression: 1 }, GREY),
  tiff: async () => oneStripTiff({ widthPx: WIDTH, heightPx: HEIGHT, compression: 1 }, GREY),
};
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  jpg: ['jgw', 'jpgw', 'jpegw', 'wld'],
  jpeg: ['jgw', 'jpgw', 'jpegw', 'wld'],
  png: ['pgw', 'pngw', 'wld'],
  webp: ['wpw', 'webpw', 'wld'],
  tif: ['tfw', 'tifw', 'tiffw', 'wld'],
  tiff: ['tfw', 'tifw', 'tiffw', 'wld'],
};

async function headerOf(files: Readonly<Record<string, string | Buffer>>) {
  const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const image = await openImage(join(folder, Object.keys(files)[0]!), MAX_PIXELS);
  await image.close();
  return image.header;
}

function expectAffine(actual: readonly number[] | null, wanted: readonly number[]): void {
  expect(actual).not.toBeNull();
  wanted.forEach((value, i) => expect(actual![i]).toBeCloseTo(value, 9));
}

const upper = (text: string): string => text.toUpperCase();
const title = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;
const same = (text: string): string => text;

describe('a world file', () => {
  const cases = Object.entries(SPELLINGS).flatMap(([extension, worlds]) => worlds.map((world) => [extension, world]));

  it.each(cases)('of a .%s named .%s is found whatever the case of either', async (extension, world) => {
    const bytes = await IMAGES[extension]!();
    for (const [caseOfImage, caseOfWorld] of [
      [same, same],
      [upper, same],
      [same, upper],
      [same, title],
      [upper, upper],
    ] as const) {
      const header = await headerOf({
        [`a.${caseOfImage(extension)}`]: bytes,
        [`a.${caseOfWorld(world)}`]: WORLD,
      });
      expectAffine(header.affine, AFFINE);
      expect(header.crs).toBe('EPSG:4326');
    }
  });

  it('whose stem differs in case is found, the exact spelling first', async () => {
    const jpg = await IMAGES['jpg']!();
    expectAffine((await headerOf({ 'DJI_0001.JPG': jpg, 'dji_0001.JGW': WORLD })).affine, AFFINE);
    const other = WORLD.replace('51.99995', '40');
    expectAffine((await headerOf({ 'a.jpg': jpg, 'A.jgw': other, 'a.jgw': WORLD })).affine, AFFINE);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'is for the raster as stored: EXIF orientation %s keeps the ground',
    async (orientation) => {
      const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
      const path = join(folder, 'a.webp');
      await writeFile(path, await picture().withMetadata({ orientation }).webp({ lossless: true }).toBuffer());
      await writeFile(join(folder, 'a.wld'), WORLD);
      const image = await openImage(path, MAX_PIXELS);
      const { widthPx: width, heightPx: height, affine, rgbBands } = image.header;
      expect([width, height]).toEqual(orientation < 5 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH]);
      const { rgb } = await image.readRgb({ x: 0, y: 0, width, height }, width, height, { rgbBands, stretch: null });
      await image.close();
      for (let pixel = 0; pixel < width * height; pixel++) {
        const ground = pixelToMap(affine!, (pixel % width) + 0.5, Math.floor(pixel / width) + 0.5);
        const [column, row] = mapToPixel(AFFINE, ...ground).map(Math.floor);
        expect(rgb[pixel * 3]).toBe(GREY[row! * WIDTH + column!]);
      }
    },
  );
});

/** As GDAL 3.6 writes it, with a shorter WKT. */
const PAM = `<PAMDataset>
  <SRS dataAxisToSRSAxisMapping="1,2">PROJCS["WGS 84 / UTM zone 31N",AUTHORITY[&quot;EPSG&quot;,"32631"]]</SRS>
  <GeoTransform>  5.0000000000000000e+05,  1.0000000000000000e+01,  0.0000000000000000e+00,  5.7000000000000000e+06,  0.0000000000000000e+00, -1.0000000000000000e+01</GeoTransform>
</PAMDataset>
`;
const UTM = 'PROJCS["WGS 84 / UTM zone 31N",AUTHORITY["EPSG","32631"]]';

describe("GDAL's files beside an image", () => {
  it.each(['tif', 'png', 'jpg', 'webp'])(
    'give a .%s without georeference its geotransform and CRS',
    async (extension) => {
      const bytes = await IMAGES[extension]!();
      for (const pam of [`a.${extension}.aux.xml`, 'a.aux.xml', `A.${extension}.AUX.XML`]) {
        const header = await headerOf({ [`a.${extension}`]: bytes, [pam]: PAM });
        expect(header).toMatchObject({ affine: [500_000, 10, 0, 5_700_000, 0, -10], crs: UTM, warnings: [] });
      }
    },
  );

  it('give a world file its CRS', async () => {
    const png = await IMAGES['png']!();
    const header = await headerOf({ 'a.png': png, 'a.wld': '10\n0\n0\n-10\n500005\n5699995\n', 'a.png.aux.xml': PAM });
    expect(header).toMatchObject({ affine: [500_000, 10, 0, 5_700_000, 0, -10], crs: UTM });
  });

  it('go before the tags of a GeoTIFF, and those before a world file, as in GDAL', async () => {
    const tagged = await readFile(imagePath('odd/alpha.tif'));
    const own = await headerOf({ 'a.tif': tagged, 'a.tfw': WORLD });
    expect(own).toMatchObject({ affine: [487_399, 5, 0, 5_207_996, 0, -5], crs: 'EPSG:26914' });
    expect(await headerOf({ 'a.tif': tagged, 'a.tif.aux.xml': PAM })).toMatchObject({
      affine: [500_000, 10, 0, 5_700_000, 0, -10],
      crs: UTM,
    });
  });

  it('that hold statistics alone change nothing', async () => {
    const statistics =
      '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">9</MDI></Metadata></PAMRasterBand></PAMDataset>';
    const header = await headerOf({ 'a.png': await IMAGES['png']!(), 'a.png.aux.xml': statistics });
    expect(header).toMatchObject({ affine: null, crs: null, warnings: [] });
  });

  it('that change pixels are named in a warning', async () => {
    const tif = await IMAGES['tif']!();
    const nodata = '<PAMDataset><PAMRasterBand band="1"><NoDataValue>0</NoDataValue></PAMRasterBand></PAMDataset>';
    const { warnings } = await headerOf({ 'a.tif': tif, 'a.tif.msk': tif, 'a.tif.ovr': tif, 'a.tif.aux.xml': nodata });
    expect(warnings).toEqual([
      'The mask a.tif.msk is ignored; store it inside the image.',
      'The overviews in a.tif.ovr are ignored.',
      'The nodata value in a.tif.aux.xml is ignored; store it inside the image.',
    ]);
  });
});
