import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fromArrayBuffer } from 'geotiff';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Affine } from '../../src/raster/affine.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { CrsNotWritableError } from '../../src/rendering/geotiff-keys.ts';
import { halvedMask } from '../../src/rendering/mask-overview.ts';
import { renderMaskGeoTiff } from '../../src/rendering/render-geotiff.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { maskWhere, randomMask } from './random-mask.ts';

const run = promisify(execFile);
const northUp: Affine = [500_000, 0.5, 0, 4_600_000, 0, -0.25];
const rotated: Affine = [500_000, 0.4, 0.3, 4_600_000, 0.3, -0.4];

const render = async (mask: MaskRuns, crs: string | null, affine: Affine | null): Promise<Buffer> =>
  Buffer.concat(await renderMaskGeoTiff(mask, { crs, affine }));

/** The Debian package gdal-bin; continuous integration installs it. */
const hasGdal = await run('gdalinfo', ['--version']).then(
  () => true,
  () => process.env['CI'] !== undefined,
);

describe('renderMaskGeoTiff', () => {
  it('holds the pixels, the size, the geotransform and the EPSG code of a scene', async () => {
    const { mask, bytes } = randomMask(1100, 600, 2);
    const file = await render(mask, 'EPSG:26914', northUp);
    const image = await (await fromArrayBuffer(new Uint8Array(file).buffer)).getImage();
    expect([image.getWidth(), image.getHeight()]).toEqual([1100, 600]);
    expect(image.getOrigin().slice(0, 2)).toEqual([500_000, 4_600_000]);
    expect(image.getResolution().slice(0, 2)).toEqual([0.5, -0.25]);
    expect(image.getGeoKeys()).toMatchObject({ GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 26914 });
    const [pixels] = (await image.readRasters()) as unknown as [Uint8Array];
    expect(
      Buffer.compare(
        pixels,
        bytes.map((inside) => 255 * inside),
      ),
    ).toBe(0);
  });

  it('has overviews by halves down to one tile, each as halvedMask makes it', async () => {
    const { mask } = randomMask(1500, 600, 7);
    const tiff = await fromArrayBuffer(new Uint8Array(await render(mask, null, null)).buffer);
    expect(await tiff.getImageCount()).toBe(3);
    const half = halvedMask(mask);
    for (const [index, level] of [mask, half, halvedMask(half)].entries()) {
      const image = await tiff.getImage(index);
      expect([image.getWidth(), image.getHeight()]).toEqual([level.widthPx, level.heightPx]);
      const [pixels] = (await image.readRasters()) as unknown as [Uint8Array];
      const inside = level.toBytes(0, level.heightPx);
      expect(
        Buffer.compare(
          pixels,
          inside.map((one) => 255 * one),
        ),
      ).toBe(0);
    }
  });

  it('takes the memory of the runs, not of the pixels: an empty mask of 1.6 billion pixels is a small file', async () => {
    const pieces = await renderMaskGeoTiff(new MaskRuns(40_000, 40_000), { crs: 'EPSG:3857', affine: northUp });
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBeLessThan(4e6);
  });

  it('refuses a projection without a GeoTIFF code and names it', async () => {
    const { mask } = randomMask(3, 3, 3);
    const rotatedPole = '+proj=ob_tran +o_proj=longlat +o_lon_p=-162 +o_lat_p=39.25 +lon_0=180 +datum=WGS84';
    const refused = render(mask, rotatedPole, northUp);
    await expect(refused).rejects.toThrow(CrsNotWritableError);
    await expect(refused).rejects.toThrow(/its projection has no GeoTIFF keys/);
  });
});

/** GDAL's own check of a Cloud Optimized GeoTIFF, of Debian's python3-gdal, which uses the system's Python. */
const CHECK = ['-m', 'osgeo_utils.samples.validate_cloud_optimized_geotiff', '--full-check=yes'];
const hasCheck = await run('/usr/bin/python3', ['-c', `import ${CHECK[1]}`]).then(
  () => true,
  () => process.env['CI'] !== undefined,
);

describe.skipIf(!hasCheck)(
  'renderMaskGeoTiff, checked by GDAL as cloud optimized (skipped where python3-gdal is not installed)',
  () => {
    it.each([
      ['one tile', 383, 232],
      ['exactly one tile', 512, 512],
      ['one level of overviews, odd sides', 513, 1023],
      ['four levels, wide', 4999, 700],
    ])('is valid, leaders and trailers of tiles included: %s', async (_name, width, height) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'terraql-cog-'));
      try {
        const file = path.join(folder, 'mask.tif');
        const { mask } = maskWhere(width, height, (x, y) => (x - 250) ** 2 + (y - 250) ** 2 < 40_000 || x % 700 === 3);
        await writeFile(file, await render(mask, 'EPSG:32631', northUp));
        const { stdout } = await run('/usr/bin/python3', [...CHECK, file]);
        expect(stdout).toMatch(/is a valid cloud optimized GeoTIFF/);
        expect(stdout).not.toMatch(/warning/i);
        expect((await run('gdalinfo', [file])).stdout).toContain('LAYOUT=COG');
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  },
);

interface GdalInfo {
  readonly size: [number, number];
  readonly geoTransform?: number[];
  readonly coordinateSystem?: { readonly wkt: string };
  readonly bands: { readonly type: string }[];
}

describe.skipIf(!hasGdal)('renderMaskGeoTiff, read back by GDAL', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'terraql-geotiff-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function written(mask: MaskRuns, crs: string | null, affine: Affine | null): Promise<string> {
    const file = path.join(folder, 'mask.tif');
    await writeFile(file, await render(mask, crs, affine));
    return file;
  }

  async function gdal(mask: MaskRuns, crs: string | null, affine: Affine | null) {
    const file = await written(mask, crs, affine);
    const { stdout, stderr } = await run('gdalinfo', ['-json', file]);
    expect(stderr).toBe('');
    await run('gdal_translate', ['-q', '-of', 'ENVI', file, path.join(folder, 'raw')]);
    return { info: JSON.parse(stdout) as GdalInfo, pixels: await readFile(path.join(folder, 'raw')) };
  }

  it.each([
    ['north up', 'EPSG:26914', northUp],
    ['rotated', 'EPSG:32759', rotated],
    ['south up', 'EPSG:28992', [1000, 2, 0, 500, 0, 2] as Affine],
    ['geographic', 'EPSG:4326', [-74.7, 0.0008, 0, -8.2, 0, -0.0008] as Affine],
    ['a position in unknown coordinates', null, northUp],
    ['no position', null, null],
  ])('has the same pixels and georeference: %s', async (_name, crs, affine) => {
    const { mask, bytes } = randomMask(300, 1100, 4);
    const { info, pixels } = await gdal(mask, crs, affine);
    expect(info.size).toEqual([300, 1100]);
    expect(info.bands.map(({ type }) => type)).toEqual(['Byte']);
    expect(
      Buffer.compare(
        pixels,
        bytes.map((inside) => 255 * inside),
      ),
    ).toBe(0);
    expect(info.geoTransform).toEqual(affine ?? undefined);
    const code = /ID\["EPSG",(\d+)\]\]$/.exec(info.coordinateSystem?.wkt ?? '')?.[1];
    expect(code === undefined ? null : `EPSG:${code}`).toBe(crs);
  });

  it.each<[definition: string, position: [number, number]]>([
    ['+proj=utm +zone=14 +south +ellps=GRS80 +towgs84=0,0,0 +units=us-ft', [-20, 60]],
    [
      '+proj=tmerc +lat_0=1 +lon_0=9 +k=0.9998 +x_0=3500000 +y_0=-10 +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7 +units=m',
      [-20, 60],
    ],
    [
      '+proj=lcc +lat_1=49 +lat_2=44 +lat_0=46.5 +lon_0=3 +x_0=700000 +y_0=6600000 +ellps=GRS80 +towgs84=0,0,0 +units=m',
      [-20, 60],
    ],
    [
      '+proj=lcc +lat_1=46.8 +lat_0=46.8 +lon_0=2 +k_0=0.99987742 +x_0=600000 +y_0=2200000 +ellps=GRS80 +towgs84=0,0,0 +units=m',
      [-20, 60],
    ],
    [
      '+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +x_0=100 +y_0=0 +ellps=GRS80 +towgs84=0,0,0 +units=m',
      [-20, 60],
    ],
    ['+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +towgs84=0,0,0 +units=m', [-20, 60]],
    ['+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +datum=WGS84 +units=m', [-20, 60]],
    ['+proj=merc +lon_0=10 +lat_ts=20 +x_0=100 +datum=WGS84 +units=m', [-20, 60]],
    [
      '+proj=cass +lat_0=10.4416666666667 +lon_0=-61.3333333333333 +x_0=86501 +y_0=65379 +datum=WGS84 +units=m',
      [-60.5, 11],
    ],
    ['+proj=sinu +lon_0=5 +datum=WGS84 +units=m', [-20, 60]],
    ['+proj=moll +lon_0=5 +datum=WGS84 +units=m', [-20, 60]],
    ['+proj=eqc +lat_ts=60 +datum=WGS84 +units=m', [-20, 60]],
    ['+proj=geos +h=35785831 +sweep=y +datum=WGS84', [-20, 40]],
    ['ESRI:54002', [-20, 60]],
    [
      'PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Meter",1.0]]',
      [-20, 60],
    ],
    ['+proj=longlat +ellps=clrk66 +towgs84=-8,160,176', [-20, 60]],
    [
      'PROJCS["Site grid",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",100.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",7.5],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",50.0],UNIT["Meter",1.0]]',
      [-20, 60],
    ],
  ])('means the same positions where the scene has its own definition: %s', async (definition, position) => {
    const { mask } = randomMask(20, 10, 5);
    const crs = await resolveCrs(definition);
    const [x, y] = crs.fromWgs84(position);
    const file = await written(mask, definition, [x, 1e-4, 0, y, 0, -1e-4]);
    const asked = run('gdaltransform', ['-t_srs', 'EPSG:4326', '-output_xy', file]);
    asked.child.stdin?.end('0 0\n');
    const [longitude, latitude] = (await asked).stdout.trim().split(/\s+/).map(Number);
    expect(longitude).toBeCloseTo(position[0], 6); // degrees: about 5 cm
    expect(latitude).toBeCloseTo(position[1], 6);
  });
});
