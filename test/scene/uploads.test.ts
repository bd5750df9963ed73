import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
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
      `upload ${id} expired at 2030-01-01T00:01:00.000Z`,
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
    await uploads.createUpload('b.tif', 6);
    expect(await readdir(join(folder, 'uploads'))).toContain(id);
    now = new Date('2030-01-01T00:02:01Z');
    await uploads.createUpload('c.tif', 6);
    expect(await readdir(join(folder, 'uploads'))).not.toContain(id);
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
