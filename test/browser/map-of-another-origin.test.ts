import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.css': 'text/css', '.mjs': 'text/javascript' };

/** Names that no loopback rule lets pass; the browser is told where they are. */
const HOSTS = ['maps.example.org', 'elsewhere.example.org'] as const;

/** Serves the example beside the files of MapLibre, as its head says, on an origin of its own. */
async function serveExample(host: string): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    if (request.url === '/favicon.ico') {
      response.writeHead(204).end();
      return;
    }
    const name = path.basename(new URL(request.url!, 'http://localhost').pathname);
    const folder = name === 'map.html' ? 'docs/examples' : 'node_modules/maplibre-gl/dist';
    readFile(path.join(ROOT, folder, name)).then(
      (bytes) => response.setHeader('content-type', TYPES[path.extname(name)] ?? 'application/octet-stream').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://${host}:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(NO_CHROMIUM !== null)('docs/examples/map.html, a map of another origin', () => {
  let allowed: Awaited<ReturnType<typeof serveExample>>;
  let other: Awaited<ReturnType<typeof serveExample>>;
  let served: ServedApp;
  let browser: Browser;

  beforeAll(async () => {
    [allowed, other] = await Promise.all([serveExample(HOSTS[0]), serveExample(HOSTS[1])]);
    served = await openServedApp({ TERRAQL_CORS_ORIGINS: allowed.origin });
    browser = await openChromium(`--host-resolver-rules=${HOSTS.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    allowed?.server.close();
    other?.server.close();
  });

  async function open(origin: string): Promise<{ page: Page; problems: string[] }> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(30_000);
    const problems: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    page.on('pageerror', (error) => void problems.push(error.message));
    await page.goto(`${origin}/map.html?service=${served.url}`);
    return { page, problems };
  }

  it('uploads, follows a question to its end and draws the tiles, where its origin is allowed', async () => {
    const { page, problems } = await open(allowed.origin);
    await page.getByText('0 features, 0 drawn').waitFor();
    const frames: string[] = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => void frames.push(payload.toString())));
    await page.setInputFiles('input[type=file]', SUBURB);
    await page.getByLabel('Question').fill('bright');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText(/^[1-9]\d* features, [1-9]\d* drawn$/).waitFor();
    const { data } = await served.ask('{ features { totalCount } scenes { totalCount } }');
    expect(await page.locator('#told').textContent()).toContain(`${data.features.totalCount} features, `);
    expect(data.scenes.totalCount).toBe(1);
    expect(frames.some((frame) => frame.includes('"SUCCEEDED"'))).toBe(true);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('is refused by the browser where its origin is not: what it asks, uploads, and subscribes to', async () => {
    const { page, problems } = await open(other.origin);
    await page.getByText('refused: Failed to fetch').waitFor();
    expect(problems.join()).toContain(`from origin '${other.origin}' has been blocked by CORS policy`);
    const { data } = await served.ask('mutation { createUpload(filename: "a.tif", sizeBytes: 3) { url } }');
    const tried = await page.evaluate(
      async ({ upload, service }) => {
        const failed = (work: Promise<unknown>): Promise<boolean> =>
          work.then(
            () => false,
            () => true,
          );
        const socket = new WebSocket(`${service.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const refused = new Promise((resolve) => {
          socket.addEventListener('open', () => resolve(false));
          socket.addEventListener('error', () => resolve(true));
        });
        return {
          upload: await failed(fetch(upload, { method: 'PUT', body: 'abc' })),
          tiles: await failed(fetch(`${service}/tiles/features/0/0/0.mvt`)),
          file: await failed(fetch(`${service}/features.geojson`)),
          socket: await refused,
        };
      },
      { upload: data.createUpload.url as string, service: served.url },
    );
    expect(tried).toEqual({ upload: true, tiles: true, file: true, socket: true });
    await page.context().close();
  });
});
