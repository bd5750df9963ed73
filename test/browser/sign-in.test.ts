import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

/** Where pictures of the page are kept, to be looked at; unset: nowhere. */
const PICTURES = process.env['TERRAQL_TEST_PICTURES'];

describe.skipIf(NO_CHROMIUM !== null)('the dashboard where a login is required', () => {
  let served: ServedApp;
  let browser: Browser;
  let page: Page;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    served = await openServedApp({ TERRAQL_AUTH: 'required' });
    const { apiKeys } = served.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' });
    for (const role of ['viewer', 'admin'] as const) {
      keys[role] = (await apiKeys.create({ name: role, role, expiresAt: null })).secret;
    }
    await served.segment(['bright']);
    browser = await openChromium();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
    page.setDefaultTimeout(15_000);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  async function picture(name: string): Promise<void> {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  async function signIn(key: string): Promise<void> {
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  it('asks for a key, and says why it takes none', async () => {
    await page.goto(served.url);
    await page.getByLabel('API key').waitFor();
    await picture('sign-in');
    await signIn('tql_nonsense');
    await page.getByRole('alert').getByText('The API key does not exist.').waitFor();
  });

  it('shows workspace and role, and to a viewer nothing that changes what is stored', async () => {
    await signIn(keys['viewer']!);
    await page.getByText('Default · Viewer').waitFor();
    await page.getByRole('button', { name: 'Filter', exact: true }).waitFor();
    expect(await page.getByRole('navigation').getByRole('button', { name: 'Review', exact: true }).count()).toBe(0);
    expect(await page.getByLabel('What do you want to find?').count()).toBe(0);
    await page.locator('.rows .row').first().waitFor();
    await picture('viewer');
  });

  it('takes no verdict of a viewer, by button or by key, and offers no view to save', async () => {
    await page.locator('.rows .row').first().click();
    await page.locator('.measures').waitFor();
    for (const key of ['a', 'r', 'u', 'z']) await page.keyboard.press(key);
    for (const name of ['Accept', 'Reject', 'Clear', 'Undo', 'Administration', 'Choose file', 'Cancel']) {
      expect([name, await page.getByRole('button', { name, exact: true }).count()]).toEqual([name, 0]);
    }
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await page.getByRole('link', { name: 'GeoJSON', exact: true }).waitFor();
    expect(await page.getByRole('button', { name: /Save view|Delete|Webhook/ }).count()).toBe(0);
    await page.goto(`${served.url}/?panel=review`);
    await page.locator('.rows .row').first().waitFor();
    expect(await page.getByRole('button', { name: 'Accept' }).count()).toBe(0);
    const { data } = await served.ask('{ features(filter: { review: [ACCEPTED, REJECTED] }) { totalCount } }');
    expect(data.features.totalCount).toBe(0);
  });

  it('downloads files with the key', async () => {
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'GeoJSON', exact: true }).click(),
    ]);
    const { features } = JSON.parse(readFileSync(await file.path(), 'utf8')) as { features: unknown[] };
    expect(features.length).toBeGreaterThan(0);
  });

  it('forgets the key, and takes that of an administrator', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(keys['admin']!);
    await page.getByText('Default · Administrator').waitFor();
    await page.getByRole('navigation').getByRole('button', { name: 'Review', exact: true }).first().waitFor();
  });
});
