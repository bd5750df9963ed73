import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { imagePath } from '../imagery/imagery.ts';
import { BUCKET, hasMoto, MotoServer } from './moto-server.ts';

const image = await readFile(imagePath('suburb_utm13n_0m15_rgb_cog.tif'));
const sha256 = createHash('sha256').update(image).digest('hex');

interface Created {
  readonly id: string;
  readonly url: string;
  readonly direct: { readonly url: string; readonly headers: readonly { name: string; value: string }[] };
}

describe.skipIf(!hasMoto)('an upload straight to the bucket', () => {
  let moto: MotoServer;
  let test: TestApp;
  beforeAll(async () => {
    moto = await MotoServer.start();
    test = await openTestApp({
      TERRAQL_BLOBS: `s3://${BUCKET}/direct`,
      TERRAQL_S3_ENDPOINT: moto.endpoint,
      TERRAQL_S3_PUBLIC_ENDPOINT: moto.endpoint.replace('127.0.0.1', 'localhost'),
    });
  });
  afterAll(async () => {
    await test?.close();
    moto?.close();
  });

  async function create(variables: { sizeBytes?: number; sha256?: string } = {}): Promise<Created> {
    const { data, error } = await test.ask(
      `mutation($sizeBytes: Float!, $sha256: String) {
        createUpload(filename: "suburb.tif", sizeBytes: $sizeBytes, sha256: $sha256) { id url direct { url headers { name value } } } }`,
      { sizeBytes: image.length, ...variables },
    );
    expect(error).toBeNull();
    return data.createUpload as unknown as Created;
  }
  const put = ({ direct }: Created, bytes: Uint8Array): Promise<Response> =>
    fetch(direct.url, {
      method: 'PUT',
      headers: Object.fromEntries(direct.headers.map(({ name, value }) => [name, value])),
      body: new Uint8Array(bytes),
    });
  const register = ({ id }: Created) =>
    test.ask('mutation($id: ID!) { registerScene(input: { uploadId: $id }) { id sha256 source widthPx } }', { id });

  it('becomes a scene, counted and hashed when it is registered', async () => {
    const created = await create();
    expect((await put(created, image)).status).toBe(200);
    const { data, error } = await register(created);
    expect(error).toBeNull();
    expect(data.registerScene).toMatchObject({ sha256, source: 'upload:suburb.tif' });
    expect((await register(created)).error).toMatchObject({ code: 'UPLOAD_USED' });
    expect(await moto.keys(`direct/uploads/${created.id}/content`)).toEqual([]);
  });

  it('goes to the address by which clients reach the bucket; size, type and that it is new are signed', async () => {
    const { direct, url } = await create();
    const { hostname, pathname, searchParams } = new URL(direct.url);
    expect(hostname).toBe('localhost');
    expect(pathname).toMatch(new RegExp(`^/${BUCKET}/direct/uploads/[0-9a-f-]{36}/content$`));
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host;if-none-match');
    expect(Number(searchParams.get('X-Amz-Expires'))).toBeGreaterThan(0);
    expect(direct.headers).toEqual([
      { name: 'content-type', value: 'application/octet-stream' },
      { name: 'if-none-match', value: '*' },
    ]);
    expect(url).toMatch(/^http:\/\/terraql\.test\/uploads\//);
  });

  it('writes once: what came is not replaced', async () => {
    const created = await create({ sizeBytes: 5 });
    expect((await put(created, Buffer.from('first'))).status).toBe(200);
    expect((await put(created, Buffer.from('other'))).status).toBe(412);
  });

  it('is refused where its size or hash is another than announced, and can be sent again', async () => {
    const created = await create({ sha256 });
    await put(created, image.subarray(1));
    expect((await register(created)).error).toEqual({
      code: 'UPLOAD_INCOMPLETE',
      message: `Upload ${created.id} has received ${image.length - 1} of ${image.length} announced bytes.`,
    });
    await put(created, Buffer.concat([image, image]));
    expect((await register(created)).error).toMatchObject({ code: 'FILE_TOO_LARGE' });
    await put(created, Buffer.alloc(image.length));
    expect((await register(created)).error).toMatchObject({ code: 'UPLOAD_HASH_MISMATCH' });
    expect((await register(created)).error).toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    expect((await put(created, image)).status).toBe(200);
    expect((await register(created)).error).toBeNull();
  });

  it('leaves the way through the service as it was, which also checks the hash', async () => {
    const created = await create({ sha256 });
    const token = new URL(created.url).searchParams.get('token')!;
    const send = (bytes: Uint8Array) =>
      test.services.uploads.receive(
        created.id,
        token,
        (async function* () {
          yield bytes;
        })(),
      );
    await expect(send(Buffer.alloc(image.length))).rejects.toMatchObject({ code: 'UPLOAD_HASH_MISMATCH' });
    expect(await send(image)).toEqual({ sizeBytes: image.length, sha256 });
    expect((await put(created, image)).status).toBe(412);
    expect((await register(created)).error).toBeNull();
  });

  it('takes no hash that is none', async () => {
    const { services } = test;
    await expect(services.uploads.createUpload('a.tif', 10, 'ABC')).rejects.toMatchObject({ code: 'UPLOAD_INVALID' });
  });
});
