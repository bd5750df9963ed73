import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { createLogger } from '../../src/logging.ts';
import { BlobSweeper } from '../../src/scene/blob-sweeper.ts';
import { UploadService } from '../../src/scene/upload.service.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function tokenOf(path: string): string {
  return new URL(path, 'http://localhost').searchParams.get('token')!;
}

describe('uploads', () => {
  let folder: string;
  let now: Date;
  let uploads: UploadService;
  let otherProcess: UploadService;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    now = new Date('2030-01-01T00:00:00Z');
    const options = { maxBytes: 100, ttlS: 60 };
    uploads = new UploadService(new FolderBlobStore(folder), options, () => now);
    otherProcess = new UploadService(new FolderBlobStore(folder), options, () => now);
  });

  it('are received once, by any process, at the address that was given', async () => {
    const { id, path, expiresAt, maxBytes } = await uploads.createUpload('a.tif', 6);
    expect(path).toBe(`/uploads/${id}?token=${tokenOf(path)}`);
    expect({ expiresAt, maxBytes }).toEqual({ expiresAt: new Date('2030-01-01T00:01:00Z'), maxBytes: 6 });
    const written = await otherProcess.receive(id, tokenOf(path), chunks('abc', 'def'));
    expect(written).toEqual({
      sizeBytes: 6,
      sha256: 'bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721',
    });
    expect(await uploads.received(id)).toEqual({ ...written, filename: 'a.tif', blobKey: `uploads/${id}/content` });
    await expect(uploads.receive(id, tokenOf(path), chunks('abcdef'))).rejects.toMatchObject({ code: 'UPLOAD_USED' });
  });

  it('keep no token on disk', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 6);
    expect(await readFile(join(folder, 'uploads', id, 'ticket'), 'utf8')).not.toContain(tokenOf(path));
  });

  it('are refused with a wrong token or identifier', async () => {
    const { id } = await uploads.createUpload('a.tif', 6);
    for (const wrong of [id, id.replace(/^./, 'x'), '../../etc', '00000000-0000-4000-8000-000000000000']) {
      await expect(uploads.receive(wrong, 'guess', chunks('abcdef'))).rejects.toMatchObject({
        code: 'UPLOAD_NOT_FOUND',
      });
    }
  });

  it('are refused after their time', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 6);
    now = new Date('2030-01-01T00:01:01Z');
    await expect(uploads.receive(id, tokenOf(path), chunks('abcdef'))).rejects.toThrow(
      `Upload ${id} expired at 2030-01-01T00:01:00.000Z.`,
    );
  });

  it('stop at the first byte too many and can be tried again', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 6);
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++;
        yield Buffer.from('abcd');
      }
    }
    await expect(uploads.receive(id, tokenOf(path), endless())).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(asked).toBe(2);
    expect((await readdir(join(folder, 'uploads', id))).sort()).toEqual(['ticket']);
    await expect(uploads.receive(id, tokenOf(path), chunks('abc'))).rejects.toThrow(
      `has received 3 of 6 announced bytes`,
    );
    await expect(uploads.received(id)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    expect((await uploads.receive(id, tokenOf(path), chunks('abcdef'))).sizeBytes).toBe(6);
  });

  it('can be sent by one client at a time', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 6);
    const both = await Promise.allSettled([
      uploads.receive(id, tokenOf(path), chunks('abc', 'def')),
      otherProcess.receive(id, tokenOf(path), chunks('abc', 'def')),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('become a scene once', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 3);
    await uploads.receive(id, tokenOf(path), chunks('abc'));
    await uploads.moveTo(id, 'scenes/x/content');
    await expect(otherProcess.received(id)).rejects.toThrow('already been registered as a scene');
    await expect(otherProcess.moveTo(id, 'scenes/y/content')).rejects.toMatchObject({ code: 'UPLOAD_USED' });
    await uploads.moveBack(id, 'scenes/x/content');
    expect((await otherProcess.received(id)).sizeBytes).toBe(3);
  });

  it.each([
    ['', 5, 'UPLOAD_INVALID'],
    ['x'.repeat(256), 5, 'UPLOAD_INVALID'],
    ['a\nb', 5, 'UPLOAD_INVALID'],
    ['a.tif', 0, 'UPLOAD_INVALID'],
    ['a.tif', 1.5, 'UPLOAD_INVALID'],
    ['a.tif', Number.NaN, 'UPLOAD_INVALID'],
    ['a.tif', 101, 'FILE_TOO_LARGE'],
  ])('named %j of %d bytes are refused with %s', async (filename, sizeBytes, code) => {
    await expect(uploads.createUpload(filename, sizeBytes)).rejects.toMatchObject({ code });
  });

  it('are forgotten when twice their time has passed', async () => {
    const { id } = await uploads.createUpload('a.tif', 6);
    now = new Date('2030-01-01T00:01:59Z');
    await uploads.removeExpired();
    expect(await readdir(join(folder, 'uploads'))).toContain(id);
    now = new Date('2030-01-01T00:02:01Z');
    await uploads.removeExpired();
    expect(await readdir(join(folder, 'uploads'))).not.toContain(id);
  });
});

/** Where a process may be killed while it takes or registers an upload, and what it leaves there. */
const KILLS: readonly [string, (folder: string, id: string) => Promise<void>][] = [
  [
    'the bytes came',
    async (folder, id) => {
      await writeFile(join(folder, 'uploads', id, 'receiving'), '0123456789abcdef');
      await writeFile(join(folder, 'uploads', id, `content.0123456789abcdef.${randomUUID()}.partial`), 'ab');
    },
  ],
  ['its mark was written', (folder, id) => writeFile(join(folder, 'uploads', id, 'receiving'), '')],
  ['all bytes had come', (folder, id) => writeFile(join(folder, 'uploads', id, 'content'), 'abc')],
  ['the receipt was written', (folder, id) => writeFile(join(folder, 'uploads', id, 'received'), '{"size')],
];

describe('an upload whose process was killed', () => {
  let folder: string;
  let uploads: UploadService;
  const stored = new Set<string>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    const isStored = async (key: string): Promise<boolean> => stored.has(key);
    uploads = new UploadService(new FolderBlobStore(folder), { maxBytes: 1e15, ttlS: 60, isStored });
  });

  it.each(KILLS)('while %s is sent again at once to the same URL', async (_what, leave) => {
    const { id, path } = await uploads.createUpload('a.tif', 3);
    await leave(folder, id);
    await expect(uploads.received(id)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    expect((await uploads.receive(id, tokenOf(path), chunks('abc'))).sizeBytes).toBe(3);
    expect((await uploads.received(id)).sizeBytes).toBe(3);
    await uploads.removeExpired();
    expect((await readdir(join(folder, 'uploads', id))).toSorted()).toEqual(['content', 'received', 'ticket']);
  });

  it('while it was registered can be registered again, unless the scene was stored', async () => {
    const { id, path } = await uploads.createUpload('a.tif', 3);
    await uploads.receive(id, tokenOf(path), chunks('abc'));
    const claim = JSON.stringify({ key: 'scenes/x/content', process: '0123456789abcdef' });
    const registered = join(folder, 'uploads', id, 'registered');
    await writeFile(registered, claim); // killed before it moved the bytes
    expect((await uploads.received(id)).sizeBytes).toBe(3);
    await uploads.moveTo(id, 'scenes/x/content'); // and after
    await writeFile(registered, claim);
    expect((await uploads.received(id)).sizeBytes).toBe(3);
    await uploads.moveTo(id, 'scenes/x/content');
    await writeFile(registered, claim);
    stored.add('scenes/x/content');
    await expect(uploads.received(id)).rejects.toMatchObject({ code: 'UPLOAD_USED' });
    expect(await readFile(join(folder, 'scenes/x/content'), 'utf8')).toBe('abc');
  });

  it.each(['', '{"filename":"a', 'null', '{}'])('while its ticket was written (%j) holds up no other', async (text) => {
    const id = '00000000-0000-4000-8000-000000000000';
    await mkdir(join(folder, 'uploads', id), { recursive: true });
    await writeFile(join(folder, 'uploads', id, 'ticket'), text);
    const { id: other } = await uploads.createUpload('a', 5);
    await expect(uploads.receive(id, 'guess', chunks('abc'))).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    const long = new Date(Date.now() - 3600_000);
    await utimes(join(folder, 'uploads', id), long, long);
    await uploads.removeExpired();
    expect(await readdir(join(folder, 'uploads'))).toEqual([other]);
  });
});

describe('disk', () => {
  it('is promised once: an upload that does not fit beside the others is refused before it is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    const blobs = new FolderBlobStore(folder);
    blobs.freeBytes = async () => 164 * 1024 ** 2;
    let now = new Date();
    const uploads = new UploadService(blobs, { maxBytes: 1e15, ttlS: 60 }, () => now);
    const half = 50 * 1024 ** 2;
    const made = await Promise.allSettled([1, 2, 3].map(() => uploads.createUpload('a.tif', half)));
    expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(uploads.createUpload('a.tif', 1)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: `The file storage has no room for an upload of 1 bytes beside the ${2 * half} bytes promised to other uploads; retry later, or ask an operator to free space.`,
    });
    now = new Date(now.getTime() + 61_000);
    await uploads.createUpload('a.tif', half);
  });

  it('is free again when an upload has come', async () => {
    const blobs = new FolderBlobStore(await mkdtemp(join(tmpdir(), 'terraql-')));
    blobs.freeBytes = async () => 64 * 1024 ** 2 + 5;
    const uploads = new UploadService(blobs, { maxBytes: 100, ttlS: 60 });
    for (let round = 0; round < 3; round++) {
      const { id, path } = await uploads.createUpload('a.tif', 3);
      await uploads.receive(id, tokenOf(path), chunks('abc'));
    }
  });

  it('is promised to a thousand uploads at most', async () => {
    const blobs = new FolderBlobStore(await mkdtemp(join(tmpdir(), 'terraql-')));
    const uploads = new UploadService(blobs, { maxBytes: 100, ttlS: 60 });
    for (let open = 0; open < 1000; open++) {
      await blobs.claim(`upload-reservations/${Date.now() + 60_000}.1.${open}`, '');
    }
    await expect(uploads.createUpload('a.tif', 1)).rejects.toMatchObject({ code: 'TOO_MANY_UPLOADS' });
  });

  it('that is full makes no torn file, and the same call works when there is room', async () => {
    const blobs = new FolderBlobStore(await mkdtemp(join(tmpdir(), 'terraql-')));
    async function* full(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    }
    await expect(blobs.write('scenes/x/content', full(), 10)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await blobs.list('scenes')).toEqual([]);
    expect((await blobs.write('scenes/x/content', chunks('ab'), 10)).sizeBytes).toBe(2);
  });
});

describe('a lease', () => {
  it('is held by one living process, and passes on when that process is dead', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    const stores = Array.from({ length: 6 }, () => new FolderBlobStore(folder));
    for (let round = 0; round < 10; round++) {
      await mkdir(join(folder, 'a'), { recursive: true });
      await writeFile(join(folder, 'a', 'mark'), round % 2 === 0 ? '' : '0123456789abcdef');
      const taken = await Promise.all(stores.map((store) => store.lease('a/mark')));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await readdir(join(folder, 'a'))).toEqual(['mark']);
      const holder = stores[taken.indexOf(true)]!;
      expect(await stores[0]!.isLeased('a/mark')).toBe(true);
      await holder.close();
      expect(await holder.isLeased('a/mark')).toBe(false);
    }
  });
});

describe('the sweeper', () => {
  it('removes copies that a dead process was registering, and none that a scene or a living process has', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    const blobs = new FolderBlobStore(folder);
    const uploads = new UploadService(blobs, { maxBytes: 100, ttlS: 60 });
    const put = async (id: string, pending: string | null): Promise<void> => {
      await blobs.write(`scenes/${id}/content`, chunks('abc'), 3);
      if (pending !== null) await writeFile(join(folder, 'scenes', id, 'pending'), pending);
    };
    await put('dead', '0123456789abcdef');
    await put('torn', '');
    await put('stored', '0123456789abcdef');
    await put('living', await blobs.processToken());
    await put('other-database', null);
    await writeFile(join(folder, 'scenes', 'living', `content.${randomUUID()}.partial`), 'x');
    const storedBlobs = async (keys: readonly string[]): Promise<Set<string>> =>
      new Set(keys.filter((key) => key === 'scenes/stored/content'));
    const sweeper = new BlobSweeper(blobs, uploads, { storedBlobs }, createLogger('silent'));
    await sweeper.sweep();
    expect((await readdir(join(folder, 'scenes'))).toSorted()).toEqual(['living', 'other-database', 'stored']);
    expect(await readdir(join(folder, 'scenes', 'living'))).toHaveLength(2);
    await sweeper.close();
  });
});

describe('blobs', () => {
  it('have no keys that leave their folder', async () => {
    const blobs = new FolderBlobStore(await mkdtemp(join(tmpdir(), 'terraql-')));
    for (const key of ['../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/.hidden']) {
      await expect(blobs.localPath(key)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      await expect(blobs.write(key, chunks('x'), 10)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    }
  });
});
