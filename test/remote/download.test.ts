import { readFileSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { AppError } from '../../src/errors.ts';
import { Downloader } from '../../src/remote/download.ts';
import { type OpenRemoteFiles, openRemoteFiles, type RemoteOptions } from '../../src/remote/open-remote-files.ts';
import { isPublicAddress } from '../../src/remote/public-address.ts';
import { SourceFingerprints } from '../../src/scene/source-fingerprint.ts';
import { SceneLocator } from '../../src/scene/scene-locator.ts';
import { UploadService } from '../../src/scene/upload.service.ts';
import { noTiles } from '../scene/no-tiles.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
/** A certificate for files.example and other.example that only these tests trust. */
const cert = readFileSync(join(FIXTURES, 'localhost-cert.pem'), 'utf8');
const key = readFileSync(join(FIXTURES, 'localhost-key.pem'), 'utf8');

describe('downloads', () => {
  let server: Server;
  let port: number;
  let served: string[];
  const made: OpenRemoteFiles[] = [];

  beforeAll(async () => {
    served = [];
    server = createServer({ cert, key }, (request, response) => {
      served.push(`${request.headers.host!.replace(/:.*/, '')}${request.url}`);
      const redirect = /^\/to\?(.*)$/.exec(request.url!)?.[1];
      if (redirect !== undefined) response.writeHead(302, { location: decodeURIComponent(redirect) }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (request.url === '/large') response.writeHead(200, { 'content-length': 1000 }).end(Buffer.alloc(1000));
      else if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': 50 });
        response.write('abc');
        setTimeout(() => response.destroy(), 20);
      } else if (request.url === '/drip') {
        const drip = setInterval(() => response.write('a'), 10);
        response.once('close', () => clearInterval(drip));
      } else if (request.url === '/file.tif' || request.url!.startsWith('/named/')) response.end('the bytes');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(async () => {
    await Promise.all(made.map((each) => each.close()));
    server.close();
  });

  /** Remote files for which 127.0.0.1 is allowed and the given names have the given addresses. */
  function remote(hosts: Record<string, string[]>, options: Partial<RemoteOptions> = {}): OpenRemoteFiles {
    const opened = openRemoteFiles({
      maxBytes: 100,
      ca: cert,
      isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
      resolver: async (host) => (hosts[host] ?? []).map((address) => ({ address, family: 4 })),
      ...options,
    });
    made.push(opened);
    return opened;
  }

  function downloader(hosts: Record<string, string[]>, options: Partial<RemoteOptions> = {}): Downloader {
    return new Downloader(remote(hosts, options).http, { maxBytes: 100, ...options });
  }

  async function bytesOf(download: Promise<AsyncIterable<Uint8Array>>): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const part of await download) parts.push(part);
    return Buffer.concat(parts).toString();
  }

  const here = { 'files.example': ['127.0.0.1'], 'other.example': ['127.0.0.1'] };

  it('follow redirects to other allowed hosts', async () => {
    const target = encodeURIComponent(`https://other.example:${port}/file.tif`);
    const url = `https://files.example:${port}/to?${target}`;
    expect(await bytesOf(downloader(here).fetch(url))).toBe('the bytes');
  });

  it.each([
    ['a name with a private address', 'https://inside.example/x', 'ADDRESS_NOT_ALLOWED'],
    ['a private address', 'https://10.0.0.7/x', 'ADDRESS_NOT_ALLOWED'],
    ['an address written as a number', 'https://167772167/x', 'ADDRESS_NOT_ALLOWED'],
    ['an IPv6 loopback', 'https://[::1]/x', 'ADDRESS_NOT_ALLOWED'],
    ['a mapped address', 'https://[::ffff:10.0.0.7]/x', 'ADDRESS_NOT_ALLOWED'],
    ['plain http', 'http://files.example/x', 'URL_NOT_ALLOWED'],
    ['a file', 'file:///etc/passwd', 'URL_NOT_ALLOWED'],
    ['credentials', 'https://user:secret@files.example/x', 'URL_NOT_ALLOWED'],
    ['no URL', 'files.example/x', 'URL_NOT_ALLOWED'],
    ['a name without address', 'https://nowhere.example/x', 'HOST_NOT_FOUND'],
  ])('from %s are refused, directly and after a redirect', async (_, url, code) => {
    const fetcher = downloader({ ...here, 'inside.example': ['10.0.0.7'] });
    await expect(fetcher.fetch(url)).rejects.toMatchObject({ code });
    if (url.startsWith('files.example')) return; // as a Location it is a relative path
    const redirecting = `https://files.example:${port}/to?${encodeURIComponent(url)}`;
    await expect(fetcher.fetch(redirecting)).rejects.toMatchObject({ code });
  });

  it('connect to the address that was checked, not to what the name says a moment later', async () => {
    let answers = 0;
    const resolver = async () => [{ address: answers++ === 0 ? '127.0.0.1' : '10.0.0.7', family: 4 }];
    expect(await bytesOf(downloader({}, { resolver }).fetch(`https://files.example:${port}/file.tif`))).toBe(
      'the bytes',
    );
    expect(answers).toBe(1);
  });

  it('never reach a host that is not allowed', async () => {
    const before = served.length;
    const fetcher = downloader(here, { isAllowed: isPublicAddress });
    await expect(fetcher.fetch(`https://files.example:${port}/file.tif`)).rejects.toMatchObject({
      code: 'ADDRESS_NOT_ALLOWED',
    });
    expect(served.length).toBe(before);
  });

  it('are refused by announced size, by status, and after five redirects', async () => {
    const fetcher = downloader(here);
    await expect(fetcher.fetch(`https://files.example:${port}/large`)).rejects.toThrow(
      'has 1000 bytes; the limit is 100',
    );
    await expect(fetcher.fetch(`https://files.example:${port}/none?signature=secret`)).rejects.toThrow(
      `URL https://files.example:${port}/none could not be fetched: the server answered 404.`,
    );
    await expect(fetcher.fetch(`https://files.example:${port}/loop`)).rejects.toThrow('more than 5 redirects');
  });

  it('that break off say so', async () => {
    await expect(bytesOf(downloader(here).fetch(`https://files.example:${port}/broken`))).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
  });

  it('need a certificate of the host', async () => {
    const fetcher = downloader({ 'wrong.example': ['127.0.0.1'] });
    await expect(fetcher.fetch(`https://wrong.example:${port}/file.tif`)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
  });

  it('end when their time is over, however steadily bytes come', async () => {
    const slow = downloader({ 'files.example': ['127.0.0.1'] }, { totalMs: 300, maxBytes: 1e6 });
    const started = performance.now();
    await expect(bytesOf(slow.fetch(`https://files.example:${port}/drip`))).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: `URL https://files.example:${port}/drip could not be fetched: it took too long.`,
    });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  describe('of a scene', () => {
    let folder: string;
    let locator: SceneLocator;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'terraql-download-'));
      const blobs = new FolderBlobStore(folder);
      const uploads = new UploadService(blobs, { maxBytes: 100, ttlS: 60 });
      const { files } = remote({ 'files.example': ['127.0.0.1'] });
      locator = new SceneLocator(blobs, uploads, files, {
        roots: [],
        fingerprints: new SourceFingerprints(),
        tiles: noTiles,
        maxBytes: 100,
      });
    });
    const copies = (): Promise<string[]> => readdir(join(folder, 'scenes')).catch(() => []);

    it.each([
      ['100%.tif', '100%.tif'],
      ['%zz.tif', '%zz.tif'],
      ['%E0%A4%A.tif', '%E0%A4%A.tif'],
      ['%00.tif', '.tif'],
      ['name%0Aline.tif', 'name line.tif'],
      ['%F0%9F%9B%B0.tif?X-Amz-Signature=SECRET', '\u{1f6f0}.tif'],
      [`${'x'.repeat(5000)}.tif`, `${'x'.repeat(199)}…`],
      ['', 'named'],
    ])('named %s is taken as %s, and given up without a trace', async (name, expected) => {
      const located = await locator.locate({ url: `https://files.example:${port}/named/${name}` });
      expect(located.filename).toBe(expected);
      expect(located.source).not.toContain('SECRET');
      expect(await copies()).toHaveLength(1);
      await located.release();
      expect(await copies()).toEqual([]);
    });

    it.each(['/broken', '/large', '/nothing'])('that fails at %s leaves nothing', async (path) => {
      await expect(locator.locate({ url: `https://files.example:${port}${path}` })).rejects.toBeInstanceOf(AppError);
      expect(await copies()).toEqual([]);
    });

    it.each([
      's3://key:SECRET@bucket/x?sig=SECRET',
      'https://user:SECRET@files.example/x',
      'no url SECRET',
      'http://h/x?s=SECRET',
    ])('is refused without showing secrets: %s', async (url) => {
      const refused: unknown = await locator.locate({ url }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(AppError);
      expect((refused as AppError).message).not.toContain('SECRET');
    });
  });
});
