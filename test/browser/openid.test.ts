import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { AUDIENCE, openProvider, type OpenidProvider } from '../identity/openid-provider.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';

/** What a page has beside what Node has. */
interface PageGlobals {
  readonly sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
  readonly location: { readonly href: string };
  readonly document: { readonly documentElement: { readonly scrollWidth: number } };
  readonly innerWidth: number;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures of the page are kept, to be looked at; unset: nowhere. */
const PICTURES = process.env['TERRAQL_TEST_PICTURES'];

describe.skipIf(NO_CHROMIUM !== null)('people who sign in at an OpenID provider', () => {
  let provider: OpenidProvider;
  let served: ServedApp;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    provider = await openProvider({ roles: ['admin'] });
    served = await openServedApp({
      TERRAQL_AUTH: 'required',
      TERRAQL_JWT_ISSUER: provider.issuer,
      TERRAQL_JWT_AUDIENCE: AUDIENCE,
      TERRAQL_JWT_ROLE_CLAIM: 'roles',
      TERRAQL_OPENID_CLIENT_ID: 'dashboard',
    });
    await served.segment(['bright']);
    browser = await openChromium();
    page = await open(1440, 900, 'light');
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await provider?.close();
  });

  async function open(width: number, height: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const opened = await (await browser.newContext({ viewport: { width, height }, colorScheme })).newPage();
    opened.setDefaultTimeout(20_000);
    opened.on('console', (message) => {
      // The pages of the provider are not ours; until somebody signs in, the first question of ours is refused.
      const isOurs = message.location().url.startsWith(served.url) && !message.text().includes('401');
      if (message.type() === 'error' && isOurs) problems.push(message.text());
    });
    opened.on('pageerror', (error) => problems.push(error.message));
    return opened;
  }

  async function picture(name: string, of = page): Promise<void> {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    await of.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  /** As a person does at the pages of the provider. */
  async function signIn(name: string, of = page): Promise<void> {
    await of.getByRole('button', { name: `Sign in with ${new URL(provider.issuer).host}` }).click();
    await of.locator('input[name=login]').fill(name);
    await of.locator('input[name=password]').fill('any');
    await of.locator('button[type=submit]').click();
    await of.getByRole('button', { name: 'Continue' }).click();
  }

  it('come back to the address that they opened, with their workspace and role', async () => {
    const wanted = `${served.url}/?panel=filter&order=AREA.ASC`;
    await page.goto(wanted);
    await picture('openid-sign-in');
    await signIn('anna');
    await page.getByText('Default · Administrator').waitFor();
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toMatchObject({ panel: 'filter', order: 'AREA.ASC' });
    expect([searchParams.get('code'), searchParams.get('state')]).toEqual([null, null]);
    await page.locator('.rows .row').first().waitFor();
    const viewer = await page.evaluate(async () => {
      const { sessionStorage } = globalThis as unknown as PageGlobals;
      const headers = { authorization: `Bearer ${sessionStorage.getItem('terraql-key')}` };
      const response = await fetch('/graphql?query={viewer{subject role}}', {
        headers: { ...headers, 'apollo-require-preflight': '1' },
      });
      return (await response.json()) as unknown;
    });
    expect(viewer).toMatchObject({ data: { viewer: { subject: 'anna', role: 'ADMIN' } } });
  });

  it('are told when the provider refuses, and when an answer belongs to another tab', async () => {
    const other = await open(390, 844, 'dark');
    await other.goto(served.url);
    await other.getByRole('button', { name: /^Sign in with/ }).waitFor();
    await picture('openid-sign-in-390-dark', other);
    await other.evaluate(() => {
      const { sessionStorage, location } = globalThis as unknown as PageGlobals;
      const pending = { state: 'mine', returnTo: location.href, settings: {} };
      sessionStorage.setItem('terraql-openid', JSON.stringify(pending));
    });
    await other.goto(`${served.url}/?code=x&state=theirs`);
    await other.getByRole('alert').getByText('does not belong to this tab').waitFor();
    expect(
      await other.evaluate(() => (globalThis as unknown as PageGlobals).sessionStorage.getItem('terraql-key')),
    ).toBeNull();
    await other.getByRole('button', { name: /^Sign in with/ }).click();
    await other.getByRole('link', { name: /Cancel|Abort/ }).click();
    await other.getByRole('alert').waitFor();
    await other.context().close();
  });

  it('keep keys: make one, use it, and revoke it', async () => {
    await page.getByRole('button', { name: 'Administration' }).click();
    await page.getByLabel('What it is for').fill('Harbour office');
    await page.getByLabel('Role').selectOption('ANALYST');
    await page.getByRole('button', { name: 'Create key' }).click();
    const secret = await page.locator('.secret code').textContent();
    await picture('admin-keys');
    const asked = async (): Promise<number> =>
      (await fetch(`${served.url}/features.csv`, { headers: { authorization: `Bearer ${secret}` } })).status;
    expect(await asked()).toBe(200);
    await page.getByRole('button', { name: 'Revoke Harbour office' }).click();
    await page.getByText(/^Revoked /).waitFor();
    expect(await asked()).toBe(401);
  });

  it('set quotas, which hold at once', async () => {
    await page.getByRole('button', { name: 'Quotas', exact: true }).click();
    await page.getByLabel('Requests per minute').fill('50000');
    await page.getByRole('button', { name: 'Save quotas' }).click();
    await page.getByText('Saved.').waitFor();
    await picture('admin-quotas');
    const { quotas } = served.services;
    expect((await quotas.list())[0]).toMatchObject({ name: 'REQUESTS_PER_MINUTE', maximum: 50_000, isSet: true });
  });

  it('see what was used and what was done', async () => {
    await page.getByRole('button', { name: 'Usage', exact: true }).click();
    await page.getByRole('table').getByRole('row').nth(1).waitFor();
    await picture('admin-usage');
    await page.getByRole('button', { name: 'By model' }).click();
    await page.getByRole('rowheader', { name: /brightness/ }).waitFor();
    await page.getByRole('button', { name: 'Audit', exact: true }).click();
    await page.locator('.admin-list li', { hasText: 'setQuotas' }).getByText('anna').waitFor();
    await page.getByLabel('Action').selectOption('UNAUTHENTICATED');
    await page.locator('.admin-list li', { hasText: 'The API key was revoked.' }).waitFor();
    await picture('admin-audit');
  });

  it.each([
    [1440, 900, 'dark'],
    [390, 844, 'light'],
    [390, 844, 'dark'],
  ] as const)('have every page of administration at %i × %i, %s', async (width, height, scheme) => {
    const other = await open(width, height, scheme);
    await other.goto(served.url);
    await signIn('bert', other);
    await other.getByRole('button', { name: 'Administration' }).click();
    for (const name of ['Keys', 'Quotas', 'Usage', 'Audit']) {
      await other.getByRole('button', { name, exact: true }).click();
      await other.locator('.administration-page').locator('li, label, table').first().waitFor();
      await picture(`admin-${name.toLowerCase()}-${width}-${scheme}`, other);
      const wide = await other.evaluate(() => {
        const { document, innerWidth } = globalThis as unknown as PageGlobals;
        return document.documentElement.scrollWidth > innerWidth;
      });
      expect([name, wide]).toEqual([name, false]);
    }
    await other.evaluate(AXE);
    const violations = await other.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(within: string): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const found = await axe.run('.administration');
      return found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
    });
    expect(violations).toEqual([]);
    await other.context().close();
  });

  it('leave no error in the console', () => {
    expect(problems).toEqual([]);
  });
});
