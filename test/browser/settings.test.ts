import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

const STYLE = {
  version: 8,
  sources: {},
  layers: [{ id: 'imagery', type: 'background', paint: { 'background-color': '#123456' } }],
};

describe.skipIf(NO_CHROMIUM !== null)(
  'the dashboard of a service that answers known operations, over a background',
  () => {
    let folder: string;
    let basemap: Server;
    let served: ServedApp;
    let browser: Browser;
    let page: Page;
    const problems: string[] = [];
    let stylesSent = 0;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'terraql-manifest-'));
      const manifest = path.join(folder, 'operations.json');
      await writeFile(manifest, '{"format":"apollo-persisted-query-manifest","version":1,"operations":[]}');
      basemap = createServer((_request, response) => {
        stylesSent++;
        response
          .setHeader('access-control-allow-origin', '*')
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify(STYLE));
      });
      await new Promise<void>((resolve) => void basemap.listen(0, '127.0.0.1', resolve));
      const { port } = basemap.address() as AddressInfo;
      served = await openServedApp({
        TERRAQL_PERSISTED_OPERATIONS: manifest,
        TERRAQL_MAX_BYTES: '2000000',
        TERRAQL_BASEMAP_STYLE: `http://127.0.0.1:${port}/style.json`,
      });
      browser = await openChromium();
      page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
      page.setDefaultTimeout(30_000);
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
    });
    afterAll(async () => {
      await browser?.close();
      await served?.close();
      basemap?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('uploads, asks and shows, as its own operations are known', async () => {
      await page.goto(served.url);
      await page.setInputFiles('input[type=file]', SUBURB);
      await page.getByRole('combobox', { name: 'Image' }).waitFor();
      await page.getByLabel('What do you want to find?').fill('bright');
      await page.getByRole('button', { name: 'Ask 1 question' }).click();
      await page.locator('.card').getByRole('button', { name: 'Show', exact: true }).waitFor();
      await page.locator('.maplibregl-canvas').waitFor();
      expect(stylesSent).toBe(1);
    });

    it('refuses a file that is too large before anything of it is sent', async () => {
      const asked: string[] = [];
      page.on('request', (request) => void asked.push(`${request.method()} ${request.postData() ?? ''}`));
      const buffer = Buffer.alloc(3_000_000);
      await page.setInputFiles('input[type=file]', { name: 'field.tif', mimeType: 'image/tiff', buffer });
      await page.getByText('field.tif is 3 MB; the most is 2 MB.').waitFor();
      expect(asked.filter((request) => /^PUT|createUpload/.test(request))).toEqual([]);
    });

    it('answers no other operation, and no file but of a saved view', async () => {
      const answer = await fetch(`${served.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ scenes { totalCount } }"}',
      });
      expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'OPERATION_NOT_PERSISTED' } }] });
      expect((await fetch(`${served.url}/features.geojson?filter={}`)).status).toBe(403);
      await page.getByRole('button', { name: 'Share', exact: true }).click();
      await page.getByText('This service gives files of saved views only.').waitFor();
      await page.getByLabel('Save as a view').fill('All');
      await page.getByRole('button', { name: 'Save view' }).click();
      const link = page.getByRole('link', { name: 'GeoJSON', exact: true });
      await link.waitFor();
      const file = await fetch((await link.getAttribute('href'))!);
      expect([file.status, ((await file.json()) as { features: unknown[] }).features.length > 0]).toEqual([200, true]);
    });

    it('has a sheet whose height a drag and a press change', async () => {
      const handle = page.getByRole('button', { name: /Height of the panel/ });
      const heightPx = async (): Promise<number> => (await page.locator('.left').boundingBox())!.height;
      const before = await heightPx();
      const box = (await handle.boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + 10);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + 300, { steps: 4 });
      await page.mouse.up();
      await page.getByRole('button', { name: /Height of the panel: low/ }).waitFor();
      expect(await heightPx()).toBeLessThan(before);
      await handle.click();
      await page.getByRole('button', { name: /Height of the panel: half/ }).waitFor();
    });

    it('left no error in the console', () => {
      expect(problems).toEqual([]);
    });

    it('says when the connection is lost, and that it is back', async () => {
      await page.context().setOffline(true);
      await page.getByText('Connection lost.').waitFor();
      await page.context().setOffline(false);
      await page.getByText('Connection lost.').waitFor({ state: 'detached' });
    });
  },
);
