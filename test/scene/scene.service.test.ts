import { copyFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeArrayBuffer } from 'geotiff';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { openRemoteFiles } from '../../src/remote/open-remote-files.ts';
import { isGeoreferenced } from '../../src/scene/scene.ts';
import { openImage, openRanges } from '../../src/imagery/open-image.ts';
import { SceneLocator } from '../../src/scene/scene-locator.ts';
import { SourceFingerprints } from '../../src/scene/source-fingerprint.ts';
import { SceneService } from '../../src/scene/scene.service.ts';
import { UploadService } from '../../src/scene/upload.service.ts';
import { imagePath, MAX_PIXELS } from '../imagery/imagery.ts';
import { MemorySceneStore } from './memory-scene-store.ts';
import { noTiles } from './no-tiles.ts';

describe('registering', () => {
  let root: string;
  let blobFolder: string;
  let store: MemorySceneStore;
  let uploads: UploadService;
  let scenes: SceneService;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'terraql-root-'));
    blobFolder = await mkdtemp(join(tmpdir(), 'terraql-blobs-'));
    store = new MemorySceneStore();
    const blobs = new FolderBlobStore(blobFolder);
    uploads = new UploadService(blobs, { maxBytes: 1e7, ttlS: 60 });
    const locator = new SceneLocator(blobs, uploads, openRemoteFiles({ maxBytes: 1e7 }).files, {
      roots: [root],
      maxBytes: 1e7,
      fingerprints: new SourceFingerprints(),
      tiles: noTiles,
    });
    scenes = new SceneService(store, locator, {
      open: (file) => (typeof file === 'string' ? openImage(file, MAX_PIXELS) : openRanges(file, MAX_PIXELS)),
    });
  });

  async function inRoot(name: string, as = 'image'): Promise<string> {
    await copyFile(imagePath(name), join(root, as));
    return join(root, as);
  }

  async function uploaded(name: string): Promise<string> {
    const bytes = await readFile(imagePath(name));
    const { id, path } = await uploads.createUpload('../my image.tif', bytes.length);
    const token = new URL(path, 'http://localhost').searchParams.get('token')!;
    await uploads.receive(
      id,
      token,
      (async function* () {
        yield bytes;
      })(),
    );
    return id;
  }

  it('a path records what the file says, its hash and its place on the ground', async () => {
    const path = await inRoot('naip_prairie_utm14n_5m_rgbn_cog.tif', 'prairie.tif');
    const scene = await scenes.register({ path, acquiredAt: new Date('2020-08-31') });
    expect(scene).toMatchObject({
      name: 'prairie.tif',
      source: path,
      sha256: createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
      widthPx: 934,
      heightPx: 723,
      bands: 4,
      dtype: 'uint8',
      nodata: 0,
      crs: 'EPSG:26914',
      affine: [485_899, 5, 0, 5_209_246, 0, -5],
      rgbBands: [1, 2, 3],
      stretch: null,
      acquiredAt: new Date('2020-08-31'),
      blobKey: null,
      remote: null,
      attribution: null,
    });
    expect(isGeoreferenced(scene)).toBe(true);
    expect(scene.gsdM).toBeCloseTo(5.002, 3);
    expect(scene.footprint!.type).toBe('Polygon');
  });

  it('an upload keeps the bytes as the scene’s own, until the scene is deleted', async () => {
    const uploadId = await uploaded('forest_utm17n_0m10_rgb.tif');
    const scene = await scenes.register({ uploadId });
    expect(scene).toMatchObject({ source: 'upload:../my image.tif', name: '../my image.tif', widthPx: 400 });
    const image = await scenes.open(scene);
    expect(image.header.crs).toBe('EPSG:32617');
    await image.close();
    await expect(scenes.register({ uploadId })).rejects.toMatchObject({ code: 'UPLOAD_USED' });
    await scenes.delete(scene.id);
    expect(await readdir(join(blobFolder, 'scenes'))).toEqual([]);
    await expect(scenes.delete(scene.id)).rejects.toMatchObject({ code: 'SCENE_NOT_FOUND' });
  });

  it('an upload that is refused, or not stored, can be registered again', async () => {
    const uploadId = await uploaded('pasture_no_georef.jpg');
    await expect(scenes.register({ uploadId, bounds: [0, 0, 0, 1] })).rejects.toMatchObject({ code: 'BOUNDS_INVALID' });
    store.refuses = true;
    await expect(scenes.register({ uploadId })).rejects.toThrow('the database is away');
    store.refuses = false;
    expect((await scenes.register({ uploadId })).widthPx).toBe(1024);
  });

  it('deleting a scene at a path leaves the file', async () => {
    const path = await inRoot('odd/alpha.tif');
    const { id } = await scenes.register({ path });
    await scenes.delete(id);
    expect((await readFile(path)).length).toBeGreaterThan(0);
  });

  it('more than 8 bits records the percentiles 2 and 98 of each shown band', async () => {
    const path = await inRoot('sentinel2_wadden_epsg4326_uint16_4band.tif');
    const { stretch, rgbBands } = await scenes.register({ path, bands: [3, 2, 1] });
    expect(rgbBands).toEqual([3, 2, 1]);
    const image = await openImage(path, MAX_PIXELS);
    const [red] = await image.sampleBands([3], 1e6);
    await image.close();
    const sorted = red!.toSorted();
    expect(sorted.length).toBe(343 * 206);
    expect(stretch![0]).toEqual({
      min: sorted[Math.ceil(0.02 * sorted.length) - 1],
      max: sorted[Math.ceil(0.98 * sorted.length) - 1],
    });
  });

  it('fewer than 8 bits records their whole range', async () => {
    const { stretch } = await scenes.register({ path: await inRoot('odd/bits4.tif') });
    expect(stretch).toEqual([{ min: 0, max: 15 }]);
  });

  it('an image without georeference has no metres, unless bounds are given', async () => {
    const path = await inRoot('pasture_no_georef.jpg');
    const without = await scenes.register({ path });
    expect(without).toMatchObject({ crs: null, affine: null, gsdM: null, footprint: null });
    const { gsdM, affine, crs } = await scenes.register({ path, bounds: [179.999, 10, -179.999, 10.002] });
    expect(crs).toBe('EPSG:4326');
    expect(affine![1] * 1024).toBeCloseTo(0.002, 12);
    expect(gsdM).toBeCloseTo(0.2146, 3);
  });

  it.each([
    [[0, 0, 1], 'four numbers'],
    [[0, 0, 0, 1], 'west and east are equal'],
    [[180, 0, -180, 1], 'west and east are equal'],
    [[0, 0, 1e-300, 1e-300], 'pixels would have no area'],
    [[0, 2, 1, 1], 'south must be less than north'],
    [[0, 0, 1, 91], 'latitudes must be within -90 to 90'],
    [[0, 0, 181, 1], 'longitudes must be within -180 to 180'],
    [[0, Number.NaN, 1, 1], 'four numbers'],
  ])('bounds %j are refused: %s', async (bounds, reason) => {
    const path = await inRoot('pasture_no_georef.jpg');
    await expect(scenes.register({ path, bounds })).rejects.toThrow(reason);
  });

  it('bounds for an image that knows its place are refused', async () => {
    const path = await inRoot('odd/alpha.tif');
    await expect(scenes.register({ path, bounds: [0, 0, 1, 1] })).rejects.toThrow(
      'the file is already georeferenced (EPSG:26914)',
    );
  });

  it.each([
    [[5], 'BAND_NOT_FOUND'],
    [[0], 'BAND_NOT_FOUND'],
    [[1, 2], 'SCENE_INPUT_INVALID'],
    [[], 'SCENE_INPUT_INVALID'],
  ])('bands %j are refused with %s', async (bands, code) => {
    const path = await inRoot('odd/alpha.tif');
    await expect(scenes.register({ path, bands })).rejects.toMatchObject({ code });
  });

  it('a geotransform without area is refused', async () => {
    const bytes = writeArrayBuffer(new Uint8Array(16), {
      width: 4,
      height: 4,
      ModelPixelScale: [0, 1, 0],
      ModelTiepoint: [0, 0, 0, 500_000, 5_000_000, 0],
      GTModelTypeGeoKey: 1,
      ProjectedCSTypeGeoKey: 32_633,
    });
    await writeFile(join(root, 'singular.tif'), Buffer.from(bytes));
    await expect(scenes.register({ path: join(root, 'singular.tif') })).rejects.toMatchObject({
      code: 'SINGULAR_GEOTRANSFORM',
    });
  });

  it('anything but exactly one reference is refused, naming what was given', async () => {
    await expect(scenes.register({})).rejects.toThrow('Give exactly one of path, url, uploadId, tiles; given: none.');
    await expect(scenes.register({ path: 'a', url: 'b' })).rejects.toThrow('given: path, url');
  });

  it('s3 is refused with what is missing', async () => {
    await expect(scenes.register({ url: 's3://bucket/key.tif' })).rejects.toThrow(
      's3://bucket/key.tif cannot be read because no S3 endpoint and credentials are configured',
    );
  });

  it('a path outside the roots is refused, also when a scene is opened later', async () => {
    await expect(scenes.register({ path: '/etc/hostname' })).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' });
    const scene = await scenes.register({ path: await inRoot('odd/alpha.tif') });
    await expect(scenes.open({ ...scene, source: '/etc/hostname' })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE_ROOTS',
    });
  });

  it('a file that was replaced is refused, whatever is the same of it', async () => {
    const path = await inRoot('odd/alpha.tif');
    const scene = await scenes.register({ path });
    const bytes = await readFile(path);
    const { mtime } = await stat(path);
    const refused = {
      code: 'SOURCE_CHANGED',
      message: `The file ${path} has changed since it was registered (SHA-256 ${scene.sha256}). Register it again.`,
    };
    await writeFile(path, Buffer.from(bytes).fill(0, bytes.length - 1)); // same size, same header
    await utimes(path, mtime, mtime);
    await expect(scenes.open(scene)).rejects.toMatchObject(refused);
    await rm(path);
    await writeFile(path, await readFile(imagePath('forest_utm17n_0m10_rgb.tif')));
    await expect(scenes.open(scene)).rejects.toMatchObject(refused);
    await writeFile(path, bytes);
    await (await scenes.open(scene)).close();
  });

  it('a file that is replaced while it is read gives no window', async () => {
    const path = await inRoot('odd/alpha.tif');
    const image = await scenes.open(await scenes.register({ path }));
    const read = () => image.readRgb({ x: 0, y: 0, width: 9, height: 9 }, 9, 9, { rgbBands: [1], stretch: null });
    expect((await read()).rgb.length).toBe(243);
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0, bytes.length - 1));
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await image.close();
  });

  it('files beside an image that are not read are named', async () => {
    const path = await inRoot('odd/alpha.tif');
    await writeFile(`${path}.msk`, '');
    const warnings: string[] = [];
    await scenes.register({ path }, (warning) => warnings.push(warning));
    expect(warnings).toEqual(['The mask image.msk is ignored; store it inside the image.']);
  });

  it('a private address is refused and leaves nothing behind', async () => {
    await expect(scenes.register({ url: 'https://127.0.0.1/a.tif' })).rejects.toMatchObject({
      code: 'ADDRESS_NOT_ALLOWED',
    });
    expect(await readdir(blobFolder)).toEqual([]);
  });
});
