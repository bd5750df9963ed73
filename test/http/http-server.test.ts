import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from './served-app.ts';

const SCHEMA_FILE = path.resolve(import.meta.dirname, '../../schema/schema.graphql');
const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
let test: ServedApp;
let bright = '';
let nothing = '';

beforeAll(async () => {
  test = await openServedApp();
  const { segmentationIds } = await test.segment(['bright', 'a <b>unicorn</b>']);
  [bright, nothing] = segmentationIds as [string, string];
});
afterAll(() => test.close());

const get = (route: string, headers: Record<string, string> = {}) => fetch(`${test.url}${route}`, { headers });
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Status for a client that has the file with that tag already; `fetch` would forbid caches to answer. */
function statusFor(route: string, etag: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request(`${test.url}${route}`, { headers: { 'if-none-match': etag } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    asking.on('error', reject).end();
  });
}

describe('masks over HTTP', () => {
  it('has the same pixels as PNG, as GeoTIFF and in the API', async () => {
    const answer = await test.ask('query($id: ID!) { segmentation(id: $id) { mask { pixelCount pngUrl } } }', {
      id: bright,
    });
    const { pixelCount, pngUrl } = answer.data.segmentation.mask;
    expect(pngUrl).toBe(`http://terraql.test/segmentations/${bright}/mask.png`);
    const png = await sharp(await bytes(await get(`/segmentations/${bright}/mask.png`)))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    const tiff = await fromArrayBuffer(await (await get(`/segmentations/${bright}/mask.tif`)).arrayBuffer());
    const image = await tiff.getImage();
    const [raster] = (await image.readRasters()) as unknown as [Uint8Array];
    expect(image.getGeoKeys()).toMatchObject({ ProjectedCSTypeGeoKey: 26_913 });
    expect(Buffer.compare(png, raster)).toBe(0);
    expect(png.reduce((count, value) => count + (value === 255 ? 1 : 0), 0)).toBe(pixelCount);
    expect(pixelCount).toBeGreaterThan(1000);
  });

  it('lays the answer over the scene', async () => {
    const response = await get(`/segmentations/${bright}/overlay.png`);
    expect(response.headers.get('content-type')).toBe('image/png');
    const picture = await bytes(response);
    expect(Number(response.headers.get('content-length'))).toBe(picture.length);
    expect(await sharp(picture).metadata()).toMatchObject({ format: 'png', width: 383, height: 232 });
  });

  it('may be kept for ever, and is not drawn again for who has it', async () => {
    const first = await get(`/segmentations/${nothing}/mask.png`);
    expect(first.headers.get('cache-control')).toMatch(/max-age=31536000, immutable/);
    const etag = first.headers.get('etag')!;
    expect(await statusFor(`/segmentations/${nothing}/mask.png`, etag)).toBe(304);
    expect(await statusFor(`/segmentations/${bright}/mask.png`, etag)).toBe(200);
  });

  it.each([UNKNOWN_ID, 'nonsense'])('is 404 with a code and a sentence for segmentation %s', async (id) => {
    const response = await get(`/segmentations/${id}/mask.png`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'SEGMENTATION_NOT_FOUND', message: expect.stringContaining(id) as string },
    });
  });

  it('gives the parts of a file that a reader of cloud optimised GeoTIFF asks for', async () => {
    const route = `/segmentations/${bright}/mask.tif`;
    const whole = await get(route);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    const file = await bytes(whole);
    const etag = whole.headers.get('etag')!;
    for (const [range, start, end] of [
      ['bytes=0-15', 0, 16],
      ['bytes=100-', 100, file.length],
      ['bytes=-20', file.length - 20, file.length],
    ] as const) {
      const part = await get(route, { range, 'if-range': etag });
      expect([part.status, part.headers.get('content-range')]).toEqual([
        206,
        `bytes ${start}-${end - 1}/${file.length}`,
      ]);
      expect(Buffer.compare(await bytes(part), file.subarray(start, end))).toBe(0);
    }
    expect((await get(route, { range: 'bytes=0-15', 'if-range': '"another"' })).status).toBe(200);
    expect((await get(route, { range: 'bytes=0-1,4-5' })).status).toBe(200);
    const beyond = await get(route, { range: `bytes=${file.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${file.length}`]);
  });

  it('is 404 until the segmentation has succeeded', async () => {
    const { sceneId } = await test.segment(['bright']);
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    try {
      const { data } = await test.ask('mutation($input: SegmentInput!) { segment(input: $input) { id } }', {
        input: { sceneId, prompts: ['dark'] },
      });
      const response = await get(`/segmentations/${data.segment[0].id}/overlay.png`);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: {
          code: 'MASK_NOT_FOUND',
          message: expect.stringMatching(/is (QUEUED|RUNNING); only SUCCEEDED/) as string,
        },
      });
      expect(response.headers.get('cache-control')).toBe('no-store');
    } finally {
      open();
    }
  });
});

describe('/graphql', () => {
  const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    fetch(`${test.url}/graphql`, { method: 'POST', headers, body });

  it('answers, with links to the address that the client used', async () => {
    const query = `{ segmentation(id: "${bright}") { mask { overlayUrl } } }`;
    const response = await post(JSON.stringify({ query }));
    expect(await response.json()).toMatchObject({
      data: { segmentation: { mask: { overlayUrl: `${test.url}/segmentations/${bright}/overlay.png` } } },
    });
  });

  it('refuses what a foreign web page could send without asking first', async () => {
    const response = await get('/graphql?query=%7B__typename%7D', { 'content-type': 'text/plain' });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/CSRF/);
  });

  it('refuses a body of more than 1 MiB', async () => {
    const response = await post(JSON.stringify({ query: '{ __typename }', pad: 'x'.repeat(1024 ** 2) }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });
});

describe('PUT /uploads', () => {
  async function createUpload(sizeBytes: number): Promise<{ id: string; url: string }> {
    const { data } = await test.ask(
      'mutation($sizeBytes: Float!) { createUpload(filename: "suburb.tif", sizeBytes: $sizeBytes) { id url } }',
      { sizeBytes },
    );
    return { id: data.createUpload.id, url: data.createUpload.url.replace('http://terraql.test', test.url) };
  }

  it('takes the bytes once, and they become a scene', async () => {
    const body = await readFile(SUBURB);
    const { id, url } = await createUpload(body.length);
    expect((await fetch(url, { method: 'PUT', body })).status).toBe(204);
    const again = await fetch(url, { method: 'PUT', body });
    expect([again.status, await again.json()]).toEqual([
      409,
      { error: expect.objectContaining({ code: 'UPLOAD_USED' }) as object },
    ]);
    const { data } = await test.ask(
      'mutation($id: ID!) { registerScene(input: { uploadId: $id }) { source widthPx crs } }',
      { id },
    );
    expect(data.registerScene).toEqual({ source: 'upload:suburb.tif', widthPx: 383, crs: 'EPSG:26913' });
  });

  it('is 404 with another token, and 413 for more bytes than were announced', async () => {
    const { url } = await createUpload(100);
    const wrong = await fetch(url.replace(/token=.*/, 'token=guess'), { method: 'PUT', body: 'x' });
    expect(wrong.status).toBe(404);
    expect(await put(url, 5_000_000)).toMatchObject({ status: 413, body: { error: { code: 'FILE_TOO_LARGE' } } });
  });

  /** Sends without giving up when the server answers early, as `fetch` does. */
  function put(url: string, sizeBytes: number): Promise<{ status: number | undefined; body: unknown }> {
    return new Promise((resolve, reject) => {
      const sending = request(url, { method: 'PUT' }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) as unknown }));
      });
      sending.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
      });
      sending.end(Buffer.alloc(sizeBytes));
    });
  }
});

describe('the other routes', () => {
  it('gives the schema as text, and only once to a client that has it', async () => {
    const first = await get('/schema.graphql');
    expect(first.headers.get('content-type')).toBe('application/graphql; charset=utf-8');
    expect(await first.text()).toBe(await readFile(SCHEMA_FILE, 'utf8'));
    expect(await statusFor('/schema.graphql', first.headers.get('etag')!)).toBe(304);
  });

  it('say that the process lives, and that database and model are ready', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ ok: true });
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { database: true, model: true }]);
  });

  it('are 404 where there is nothing', async () => {
    const response = await get('/admin');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'ROUTE_NOT_FOUND', message: 'GET /admin does not exist.' },
    });
  });

  it('show the dashboard, which may talk to this origin alone', async () => {
    const response = await get('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; .*connect-src 'self'; /,
    );
    const page = await response.text();
    const scripts = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(scripts.filter((address) => /^(https?:)?\/\//.test(address))).toEqual([]);
    const files = scripts.filter((address) => address.startsWith('./'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const answered = await get(file.slice(1));
      expect([file, answered.status]).toEqual([file, 200]);
      expect(answered.headers.get('cache-control')).toContain('immutable');
    }
  });

  it('show GraphiQL to browsers alone', async () => {
    const response = await get('/graphql', { accept: 'text/html' });
    expect(response.headers.get('content-type')).toMatch(/text\/html/);
    expect(await response.text()).toContain('GraphiQL');
  });
});
