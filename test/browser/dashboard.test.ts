import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures of the page are kept, to be looked at; unset: nowhere. */
const PICTURES = process.env['TERRAQL_TEST_PICTURES'];

if (NO_CHROMIUM !== null) console.warn(`dashboard: ${NO_CHROMIUM}`);

describe.skipIf(NO_CHROMIUM !== null)('the dashboard', () => {
  let served: ServedApp;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    served = await openServedApp();
    browser = await openChromium();
    page = await openPage(1440, 900);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  async function openPage(width: number, height: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, acceptDownloads: true });
    const opened = await context.newPage();
    opened.setDefaultTimeout(30_000);
    opened.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    opened.on('pageerror', (error) => problems.push(error.message));
    opened.on('request', (request) => {
      const url = new URL(request.url());
      if (/^(http|ws)/.test(url.protocol) && url.host !== new URL(served.url).host) foreign.push(request.url());
    });
    return opened;
  }

  async function picture(name: string, of = page): Promise<void> {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    await of.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  it('begins empty and takes an image', async () => {
    await page.goto(served.url);
    await page.getByText('No images yet.').waitFor();
    await picture('empty');
    await page.setInputFiles('input[type=file]', SUBURB);
    await page.getByRole('combobox', { name: 'Image' }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Image' }).textContent()).toContain('suburb');
  });

  it('asks two questions and shows what they found', async () => {
    await page.getByLabel('What do you want to find?').fill('bright\ndark');
    await page.getByRole('button', { name: 'Ask 2 questions' }).click();
    await page.getByRole('button', { name: 'Show' }).first().waitFor();
    await page.locator('.card', { hasText: 'dark' }).getByRole('button', { name: 'Show' }).waitFor();
    await page.locator('.card', { hasText: 'bright' }).getByRole('button', { name: 'Show' }).click();
    await page.locator('.legend').getByText('bright').waitFor();
    await picture('answers');
  });

  it('says why nothing was found', async () => {
    await page.getByLabel('What do you want to find?').fill('nothing of the kind');
    await page.getByRole('button', { name: 'Ask 1 question' }).click();
    await page.getByText('Nothing found for “nothing of the kind”.').waitFor();
    await page.getByRole('button', { name: 'Ask at 30 %' }).waitFor();
  });

  it('shows the same number in the filter, in the table and as the file holds', async () => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('button', { name: 'Question', exact: true }).click();
    await page.getByLabel('Words of the question').fill('bright');
    await page.getByRole('button', { name: 'Apply' }).click();
    const { data } = await served.ask('{ features(filter: { promptContains: "bright" }) { totalCount } }');
    const { totalCount } = data.features;
    await page.locator('.summary', { hasText: `${totalCount.toLocaleString('en')} feature` }).waitFor();
    await page.locator(`[role=grid][aria-rowcount="${totalCount + 1}"]`).waitFor();
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'GeoJSON', exact: true }).click(),
    ]);
    const file = JSON.parse(readFileSync(await download.path(), 'utf8')) as { features: unknown[] };
    expect(file.features).toHaveLength(totalCount);
  });

  it('selects a feature in the table, with its measures and neighbours', async () => {
    await page.locator('.rows .row').first().click();
    await page.getByRole('heading', { name: 'bright' }).waitFor();
    expect(await page.locator('.measures').textContent()).toMatch(/Area[\d.,]+ m²/);
    expect(new URL(page.url()).searchParams.get('f')).toMatch(/^[0-9a-f-]{36}$/);
    await picture('feature');
  });

  it('goes back to the filter before, by Back', async () => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.goBack();
    await page.getByRole('button', { name: 'Clear all' }).waitFor();
    expect(new URL(page.url()).searchParams.get('filter')).toBe('{"promptContains":"bright"}');
  });

  it('reviews by keys and takes a verdict back', async () => {
    await page.getByRole('button', { name: 'Review', exact: true }).first().click();
    await page.getByRole('button', { name: 'Accept' }).waitFor();
    const rejected = async (): Promise<number> =>
      (await served.ask('{ features(filter: { review: [REJECTED] }) { totalCount } }')).data.features.totalCount;
    await page.locator('main').click({ position: { x: 5, y: 5 } });
    await page.keyboard.press('j');
    await page.locator('.measures').waitFor();
    await page.keyboard.press('r');
    await expect.poll(rejected).toBe(1);
    await page.keyboard.press('z');
    await expect.poll(rejected).toBe(0);
    await picture('review');
  });

  it('saves a view whose address shows the same', async () => {
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await page.getByLabel('Save as a view').fill('Bright roofs');
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByText('Saved. Tiles, files and API follow it.').waitFor();
    const address = page.url();
    expect(new URL(address).searchParams.get('view')).toBe('bright-roofs');
    await page.goto(address);
    const { data } = await served.ask('{ view(slug: "bright-roofs") { features { totalCount } } }');
    await page.locator(`[role=grid][aria-rowcount="${data.view.features.totalCount + 1}"]`).waitFor();
  });

  it('gives the address of a view for OGC clients, and tells others of its features', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy the OGC API address of Bright roofs' }).click();
    await page.getByText('Copied.').waitFor();
    const collection = (await page.evaluate('navigator.clipboard.readText()')) as string;
    const items = await (await fetch(`${collection}/items?f=json`)).json();
    const { data } = await served.ask('{ view(slug: "bright-roofs") { features { totalCount } } }');
    expect(items).toMatchObject({ type: 'FeatureCollection', numberMatched: data.view.features.totalCount });
    await page.getByRole('button', { name: 'Webhooks of Bright roofs' }).click();
    await page.getByLabel('Address that is told of new and reviewed features').fill('https://example.org/hook');
    await page.getByRole('button', { name: 'Make webhook' }).click();
    await page.locator('code', { hasText: /^whsec_/ }).waitFor();
    const made = await served.ask('{ webhooks { url events } }');
    expect(made.data.webhooks).toEqual([
      { url: 'https://example.org/hook', events: ['FEATURES_ADDED', 'FEATURES_REVIEWED'] },
    ]);
    await picture('share');
    await page.getByRole('button', { name: 'Delete the webhook https://example.org/hook' }).click();
    await expect.poll(async () => (await served.ask('{ webhooks { url } }')).data.webhooks).toEqual([]);
  });

  it.each([
    ['wide', 3840, 2160, 'dark'],
    ['laptop', 1024, 768, 'light'],
    ['telephone', 390, 844, 'dark'],
  ] as const)('has no serious fault of accessibility when %s', async (name, width, height, scheme) => {
    const other = await openPage(width, height, scheme);
    await other.goto(served.url);
    await other.getByRole('combobox', { name: 'Image' }).waitFor();
    await other.locator('.maplibregl-canvas').waitFor();
    await picture(name, other);
    // Evaluated by the debugger, which the content security policy of the page does not bind.
    await other.evaluate(AXE);
    const found = (await other.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 160)}`)).toEqual([]);
    await other.context().close();
  });

  it('left no error in the console and asked no other origin', () => {
    expect(problems).toEqual([]);
    expect(foreign).toEqual([]);
  });

  it('has a GraphQL page that works without the network', async () => {
    const graphiql = await openPage(1280, 800);
    await graphiql.goto(`${served.url}/graphql`);
    await graphiql.locator('.graphiql-query-editor').waitFor();
    await graphiql.getByRole('button', { name: /^Execute query/ }).click();
    await graphiql.locator('.result-window', { hasText: '"totalCount"' }).waitFor();
    await picture('graphiql', graphiql);
    expect(foreign).toEqual([]);
  });
});
