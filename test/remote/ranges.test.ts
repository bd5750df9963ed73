import { readFileSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { LocalAndRemoteDecoders } from '../../src/decoding/image-decoders.ts';
import { openImage, openRanges } from '../../src/imagery/open-image.ts';
import { type OpenRemoteFiles, openRemoteFiles, type RemoteOptions } from '../../src/remote/open-remote-files.ts';
import type { FoundFile } from '../../src/remote/remote-files.ts';
import { SceneLocator } from '../../src/scene/scene-locator.ts';
import { SourceFingerprints } from '../../src/scene/source-fingerprint.ts';
import { UploadService } from '../../src/scene/upload.service.ts';
import { imagePath, MAX_PIXELS } from '../imagery/imagery.ts';
import { RangeServer } from './range-server.ts';
import { noTiles } from '../scene/no-tiles.ts';

const COG = 'naip_prairie_utm14n_5m_rgbn_cog.tif';
const cog = readFileSync(imagePath(COG));
const show = { rgbBands: [1, 2, 3], stretch: null };

type RangesFound = Extract<FoundFile, { kind: 'RANGES' }>;

let server: RangeServer;
const opened: OpenRemoteFiles[] = [];

beforeAll(async () => {
  server = await new RangeServer().start();
});
beforeEach(() => {
  server.reset();
  server.files.set('/image.tif', { bytes: cog, etag: '"v1"' });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});
afterAll(() => server.close());

function remote(options: Partial<RemoteOptions> = {}): OpenRemoteFiles {
  const files = openRemoteFiles(server.client(options));
  opened.push(files);
  return files;
}

async function found(options: Partial<RemoteOptions> = {}): Promise<RangesFound> {
  const file = await remote(options).files.find(`${server.origin}/image.tif?signature=SECRET`);
  if (file.kind !== 'RANGES') throw new Error('the file was copied');
  return file;
}

describe('a COG over https', () => {
  it('gives the pixels of the file, from a part of its bytes', async () => {
    const { source } = await found();
    const there = await openRanges(source, MAX_PIXELS);
    const here = await openImage(imagePath(COG), MAX_PIXELS);
    expect(there.header).toEqual(here.header);
    const window = { x: 100, y: 100, width: 256, height: 256 };
    const [read, expected] = await Promise.all([there, here].map((image) => image.readRgb(window, 64, 64, show)));
    expect(Buffer.compare(read!.rgb, expected!.rgb)).toBe(0);
    expect(server.sentBytes).toBeLessThan(cog.length / 4);
    expect(server.requests.every(({ range }) => range !== undefined)).toBe(true);
    await here.close();
  });

  it('is decoded in a process that has no network, also in parts', async () => {
    const decoders = new LocalAndRemoteDecoders(1, { maxPixels: MAX_PIXELS, memoryBytes: 2 ** 30, timeoutS: 60 });
    const { source } = await found();
    const [there, here] = await Promise.all([decoders.open(source), decoders.open(imagePath(COG))]);
    expect(there.header).toEqual(here.header);
    const window = { x: 3, y: 5, width: 300, height: 200 };
    const [read, expected] = await Promise.all([there, here].map((image) => image.readRgb(window, 300, 200, show)));
    expect(Buffer.compare(read!.rgb, expected!.rgb)).toBe(0);
    server.files.set('/image.tif', { bytes: cog, etag: '"v2"' });
    const { widthPx, heightPx } = there.header;
    const rest = there.readRgb({ x: widthPx - 300, y: heightPx - 300, width: 300, height: 300 }, 300, 300, show);
    await expect(rest).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await decoders.close();
  });

  it('is read once, however many want the same part at the same time', async () => {
    const { source } = await found();
    const before = server.requests.length;
    const parts = await Promise.all([1, 2, 3].map(() => source.read(1_000_000, 5000)));
    for (const part of parts) expect(Buffer.from(part)).toEqual(cog.subarray(1_000_000, 1_005_000));
    expect(server.requests.length).toBe(before + 1);
    expect(await source.read(cog.length - 10, 100)).toHaveLength(10);
  });

  it('is named by ETag, size and first bytes, never by its signature', async () => {
    const first = await found();
    const again = await found();
    server.files.set('/image.tif', { bytes: cog, etag: '"v2"' });
    const other = await found();
    expect(again.contentKey).toBe(first.contentKey);
    expect(other.contentKey).not.toBe(first.contentKey);
    expect(first.contentKey).toMatch(/^[0-9a-f]{64}$/);
    expect(first.source.name).toBe(`${server.origin}/image.tif`);
    expect(first.reference).toEqual({
      url: `${server.origin}/image.tif?signature=SECRET`,
      etag: '"v1"',
      sizeBytes: cog.length,
    });
  });
});

describe('a file over https is copied', () => {
  it.each([
    ['has no ETag', (): void => void server.files.set('/image.tif', { bytes: cog, etag: null })],
    ['has a weak ETag', (): void => void server.files.set('/image.tif', { bytes: cog, etag: 'W/"v1"' })],
    ['is small', (): void => void server.files.set('/image.tif', { bytes: cog.subarray(0, 100_000), etag: '"v1"' })],
    [
      'is a JPEG',
      (): void =>
        void server.files.set('/image.tif', { bytes: readFileSync(imagePath('pasture_no_georef.jpg')), etag: '"v1"' }),
    ],
    [
      'is refused by range',
      (): void => {
        server.trouble = (_, response) => Boolean(response.writeHead(200, { etag: '"v1"' }).end(cog));
      },
    ],
    [
      'is compressed on its way',
      (): void => {
        server.trouble = (request, response) => {
          if (!request.headers.range) return false;
          response.writeHead(206, {
            etag: '"v1"',
            'content-encoding': 'gzip',
            'content-range': 'bytes 0-16383/999999',
          });
          return Boolean(response.end(cog.subarray(0, 16_384)));
        };
      },
    ],
  ])('when it %s', async (_, arrange) => {
    arrange();
    const file = await remote().files.find(`${server.origin}/image.tif`);
    if (file.kind !== 'WHOLE') throw new Error('the file is read by range');
    const parts: Uint8Array[] = [];
    for await (const part of file.bytes) parts.push(part);
    expect(Buffer.concat(parts).equals(server.files.get('/image.tif')!.bytes)).toBe(true);
  });
});

/** Trouble of all requests but those for the first bytes. */
function later(trouble: RangeServer['trouble']): RangeServer['trouble'] {
  return (request, response, range) => range.start > 0 && trouble(request, response, range);
}

describe('a source that', () => {
  const part = cog.subarray(500_000, 600_000);
  const read = async (options: Partial<RemoteOptions> = {}): Promise<Buffer> => {
    const { source } = await found(options);
    return Buffer.from(await source.read(500_000, 100_000));
  };
  const partial = (headers: Record<string, string | number> = {}): Record<string, string | number> => ({
    etag: '"v1"',
    'content-range': `bytes 500000-599999/${cog.length}`,
    ...headers,
  });

  it.each<[string, RangeServer['trouble']]>([
    ['stalls', (_, response) => response.writeHead(206, partial()).write(part.subarray(0, 10))],
    ['never answers', () => true],
    ['resets', (request) => Boolean(request.socket.destroy())],
    [
      'resets in the middle',
      (request, response) => {
        response.writeHead(206, partial()).write(part.subarray(0, 10), () => request.socket.destroy());
        return true;
      },
    ],
    ['answers 503', (_, response) => Boolean(response.writeHead(503, { 'retry-after': '0' }).end())],
    ['answers 429', (_, response) => Boolean(response.writeHead(429).end())],
    [
      'sends less than it says',
      (_, response) => Boolean(response.writeHead(206, partial()).end(part.subarray(0, 99_999))),
    ],
    [
      'sends more than it says',
      (_, response) => Boolean(response.writeHead(206, partial()).end(cog.subarray(500_000, 600_001))),
    ],
  ])('%s once is asked again; one that does it for ever is unavailable', async (_, trouble) => {
    let times = 1;
    server.trouble = later((...request) => times-- > 0 && trouble(...request));
    expect((await read()).equals(part)).toBe(true);
    times = Infinity;
    await expect(read()).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringContaining('/image.tif could not be read after 2 attempts: ') as unknown,
    });
  });

  it.each<[string, string, RangeServer['trouble']]>([
    [
      'changes its ETag',
      'SOURCE_CHANGED',
      () => {
        server.files.set('/image.tif', { bytes: cog, etag: '"v2"' });
        return false;
      },
    ],
    [
      'changes its size under the same ETag',
      'SOURCE_CHANGED',
      (_, response) =>
        Boolean(response.writeHead(206, partial({ 'content-range': 'bytes 500000-599999/7000000' })).end(part)),
    ],
    ['answers 412', 'SOURCE_CHANGED', (_, response) => Boolean(response.writeHead(412).end())],
    [
      'answers 416 with another size',
      'SOURCE_CHANGED',
      (_, response) => Boolean(response.writeHead(416, { 'content-range': 'bytes */1000' }).end()),
    ],
    [
      'answers 416 with the same size',
      'SOURCE_REFUSED',
      (_, response) => Boolean(response.writeHead(416, { 'content-range': `bytes */${cog.length}` }).end()),
    ],
    [
      'answers 200 to a range',
      'SOURCE_REFUSED',
      (_, response) => Boolean(response.writeHead(200, { etag: '"v1"' }).end(cog)),
    ],
    [
      'sends another range',
      'SOURCE_REFUSED',
      (_, response) =>
        Boolean(response.writeHead(206, partial({ 'content-range': `bytes 0-99999/${cog.length}` })).end(part)),
    ],
    ['is gone', 'SOURCE_REFUSED', (_, response) => Boolean(response.writeHead(404).end())],
    [
      'redirects to a private address',
      'ADDRESS_NOT_ALLOWED',
      (_, response) => Boolean(response.writeHead(302, { location: 'https://10.0.0.7/x' }).end()),
    ],
    [
      'redirects to plain http',
      'URL_NOT_ALLOWED',
      (_, response) => Boolean(response.writeHead(302, { location: 'http://files.example/x' }).end()),
    ],
  ])('%s is an error at once: %s', async (_, code, trouble) => {
    server.trouble = later(trouble);
    await expect(read()).rejects.toMatchObject({ code });
    expect(server.requests).toHaveLength(2);
  });

  it('asks to be left alone for long is not waited for', async () => {
    server.trouble = later((_, response) => Boolean(response.writeHead(503, { 'retry-after': '3600' }).end()));
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    expect(server.requests).toHaveLength(2);
  });

  it('gets a private address in the meantime is not asked again', async () => {
    let address = '127.0.0.1';
    const { source } = await found({ resolver: async () => [{ address, family: 4 }] });
    address = '10.0.0.7';
    // The server closes the connection whose address was checked; a new one is checked anew.
    server.trouble = later((request) => Boolean(request.socket.destroy()));
    await expect(source.read(500_000, 10)).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' });
  });

  it('signs addresses for a time gives a new one through its STAC item', async () => {
    let signature = 'old';
    server.other = (_, response) =>
      response.end(JSON.stringify({ assets: { visual: { href: `./image.tif?s=${signature}` } } }));
    server.trouble = (request, response) =>
      !request.url!.endsWith(`s=${signature}`) && Boolean(response.writeHead(403).end());
    const item = { url: `${server.origin}/item.json`, asset: 'visual' };
    const { files } = remote();
    const file = await files.find(`${server.origin}/image.tif?s=old`, item);
    signature = 'new';
    const source = await files.source((file as RangesFound).reference);
    expect(part.equals(await source.read(500_000, 100_000))).toBe(true);
    expect(server.requests.map(({ url }) => url)).toEqual(['/image.tif?s=old', '/image.tif?s=old', '/image.tif?s=new']);
  });
});

describe('a scene that is read by range', () => {
  it('leaves no copy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-ranges-'));
    const blobs = new FolderBlobStore(folder);
    const uploads = new UploadService(blobs, { maxBytes: 100, ttlS: 60 });
    const options = { roots: [], fingerprints: new SourceFingerprints(), maxBytes: 100, tiles: noTiles };
    const located = await new SceneLocator(blobs, uploads, remote().files, options).locate({
      url: `${server.origin}/image.tif`,
    });
    expect(located.remote).toMatchObject({ etag: '"v1"', sizeBytes: cog.length });
    expect(await located.keep()).toBeNull();
    expect(await readdir(folder)).toEqual([]);
  });
});
