import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRanges } from '../../src/imagery/open-image.ts';
import { type OpenRemoteFiles, openRemoteFiles } from '../../src/remote/open-remote-files.ts';
import type { S3Access } from '../../src/remote/remote-files.ts';
import { s3AccessOf } from '../../src/remote/s3-access.ts';
import { isUnderS3, parseS3 } from '../../src/remote/s3-address.ts';
import { readConfig } from '../../src/config.ts';
import { imagePath, MAX_PIXELS } from '../imagery/imagery.ts';
import { S3Server } from './s3-server.ts';

const cog = readFileSync(imagePath('naip_prairie_utm14n_5m_rgbn_cog.tif'));
const jpeg = readFileSync(imagePath('pasture_no_georef.jpg'));

let server: S3Server;
const opened: OpenRemoteFiles[] = [];

beforeAll(async () => {
  server = await S3Server.start();
  await server.put('a b/ä+%41.tif', cog);
  await server.put('own/secret.tif', cog);
  await server.put('field.jpg', jpeg);
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  server.close();
});

function files(access: Partial<S3Access> = {}): OpenRemoteFiles['files'] {
  const s3 = s3AccessOf(readConfig({ TERRAQL_S3_ENDPOINT: server.endpoint }));
  const remote = openRemoteFiles({ maxBytes: 1e8, s3: s3 && { ...s3, ...access } });
  opened.push(remote);
  return remote.files;
}

describe('a COG in S3', () => {
  it('is read by range, whatever its key is spelt like', async () => {
    const found = await files().find('s3://imagery/a b/ä+%41.tif');
    if (found.kind !== 'RANGES') throw new Error('the object was copied');
    const image = await openRanges(found.source, MAX_PIXELS);
    expect(image.header.overviews.length).toBeGreaterThan(0);
    expect(cog.subarray(700_000, 700_100).equals(await found.source.read(700_000, 100))).toBe(true);
    expect(found.source.name).toBe('s3://imagery/a b/ä+%41.tif');
  });

  it('that is replaced is refused', async () => {
    await server.put('changing.tif', cog);
    const remote = files();
    const found = await remote.find('s3://imagery/changing.tif');
    if (found.kind !== 'RANGES') throw new Error('the object was copied');
    await server.put('changing.tif', Buffer.concat([cog, Buffer.alloc(10)]));
    const source = await remote.source(found.reference);
    await expect(source.read(700_000, 100)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });
});

describe('an object in S3', () => {
  it('of another format is copied', async () => {
    const found = await files().find('s3://imagery/field.jpg');
    if (found.kind !== 'WHOLE') throw new Error('the object is read by range');
    const parts: Uint8Array[] = [];
    for await (const part of found.bytes) parts.push(part);
    expect(Buffer.concat(parts).equals(jpeg)).toBe(true);
  });

  it.each([
    ['that is missing', 's3://imagery/none.tif', 'SOURCE_REFUSED'],
    ['of a bucket that is missing', 's3://other-bucket/a.tif', 'SOURCE_REFUSED'],
    ['without a key', 's3://imagery', 'URL_NOT_ALLOWED'],
    ['of an impossible bucket', 's3://UP/x', 'URL_NOT_ALLOWED'],
    ['with credentials', 's3://key:secret@imagery/x', 'URL_NOT_ALLOWED'],
    ["of the service's own files", 's3://imagery/own/secret.tif', 'URL_NOT_ALLOWED'],
  ])('%s is refused', async (_, url, code) => {
    await expect(files({ own: parseS3('s3://imagery/own') }).find(url)).rejects.toMatchObject({ code });
  });

  it('outside the sources is refused, and any without a setting of S3', async () => {
    const sources = [parseS3('s3://imagery/partner')];
    await expect(files({ sources }).find('s3://imagery/field.jpg')).rejects.toMatchObject({ code: 'URL_NOT_ALLOWED' });
    expect(s3AccessOf(readConfig({}))).toBeNull();
    expect(isUnderS3(parseS3('s3://b-1/ab/x'), parseS3('s3://b-1/a'))).toBe(false);
    expect(isUnderS3(parseS3('s3://b-1/a/x'), parseS3('s3://b-1/a'))).toBe(true);
  });
});
