import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

const PAGE = path.resolve(import.meta.dirname, '../../docs/examples/map.html');
const MAPLIBRE = path.dirname(createRequire(import.meta.url).resolve('maplibre-gl/dist/maplibre-gl.css'));
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.css': 'text/css', '.mjs': 'text/javascript' };

/** The page of the docs on an origin of its own, beside the files of the map library. */
async function openOrigin(): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const name = path.basename(request.url?.split('?')[0] ?? '');
    const file = name === 'map.html' ? PAGE : path.join(MAPLIBRE, name);
    readFile(file).then(
      (bytes) => response.setHeader('content-type', TYPES[path.extname(name)] ?? 'text/plain').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(NO_CHROMIUM !== null)('a page of another origin, where authentication is required', () => {
  let server: Server;
  let origin: string;
  let served: ServedApp;
  let browser: Browser;
  let page: Page;
  let key: string;
  let imageUrl: string;
  let tilesUrl: string;

  beforeAll(async () => {
    ({ server, origin } = await openOrigin());
    served = await openServedApp({ TERRAQL_AUTH: 'required', TERRAQL_CORS_ORIGINS: origin });
    const { segmentationIds } = await served.segment(['bright']);
    const { apiKeys } = served.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' });
    key = (await apiKeys.create({ name: 'page', role: 'viewer', expiresAt: null })).secret;
    const response = await fetch(`${served.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'query($id: ID!) { segmentation(id: $id) { tilesUrl mask { overlayUrl } } }',
        variables: { id: segmentationIds[0] },
      }),
    });
    const { data } = (await response.json()) as {
      data: { segmentation: { tilesUrl: string; mask: { overlayUrl: string } } };
    };
    imageUrl = data.segmentation.mask.overlayUrl;
    tilesUrl = data.segmentation.tilesUrl;
    browser = await openChromium();
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    server?.close();
  });

  const told = async (query: string): Promise<string> => {
    await page.goto(`${origin}/map.html?service=${encodeURIComponent(served.url)}${query}`);
    const output = page.locator('#told', { hasText: /refused|drawn/ });
    await output.waitFor();
    return (await output.textContent()) ?? '';
  };

  it('asks and draws with a key', async () => {
    expect(await told(`&key=${key}`)).toMatch(/^29 features, [1-9]\d* drawn$/);
  });

  it('is refused with neither, and told so', async () => {
    expect(await told('')).toMatch(/^refused: A credential is required/);
  });

  it('shows a picture and draws tiles by signed links, and can do nothing else with them', async () => {
    await told('');
    const width = await page.evaluate(async (url) => {
      const { Image } = globalThis as unknown as {
        Image: new () => { src: string; decode(): Promise<void>; naturalWidth: number };
      };
      const image = new Image();
      image.src = url;
      await image.decode();
      return image.naturalWidth;
    }, imageUrl);
    expect(width).toBeGreaterThan(0);
    const statuses = await page.evaluate(
      async ([signed, tiles]) => {
        const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;
        const plain = signed!.split('?')[0]!;
        const { search } = new URL(signed!);
        const tile = tiles!.replace('{z}', '3').replace('{x}', '1').replace('{y}', '3');
        const other = new URL(`/features.geojson${search}`, signed!).href;
        return [await statusOf(tile), await statusOf(plain), await statusOf(other)];
      },
      [imageUrl, tilesUrl],
    );
    expect(statuses).toEqual([200, 401, 401]);
  });

  it('is refused on an origin that is not named, whatever it sends', async () => {
    const other = await openOrigin();
    try {
      await page.goto(`${other.origin}/map.html?service=${encodeURIComponent(served.url)}&key=${key}`);
      await page.locator('#told', { hasText: 'refused' }).waitFor();
    } finally {
      other.server.close();
    }
  });
});
