import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelRejectedError } from '../../src/inference/segmentation-model.ts';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { NO_CHROMIUM, openChromium } from './chromium.ts';
import { CutProxy } from './cut-proxy.ts';

/** Where pictures of the page are kept, to be looked at; unset: nowhere. */
const PICTURES = process.env['TERRAQL_TEST_PICTURES'];

/** Evaluated by the debugger, which the content security policy of the page does not bind. */
const FOCUSED = `(() => {
  const control = document.activeElement;
  const { outlineStyle, boxShadow } = getComputedStyle(control);
  const label = control.getAttribute('aria-label') ?? control.labels?.[0]?.textContent ?? control.textContent ?? '';
  return { label: (control.closest('nav') ? 'nav ' : '') + label.trim(), isMarked: outlineStyle !== 'none' || boxShadow !== 'none' };
})()`;
/** Names of the controls that are covered or outside the page, even where the page scrolls to them. */
const UNREACHABLE = `[...document.querySelectorAll('button, input, select, textarea, a[href]')]
  .filter((control) => control.checkVisibility({ visibilityProperty: true }) && !control.matches(':disabled'))
  .filter((control) => {
    control.scrollIntoView({ block: 'center', inline: 'center' });
    const { left, top, width, height } = control.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return !hit || !(control.contains(hit) || hit.contains(control) || hit.closest('label')?.contains(control));
  })
  .map((control) => control.getAttribute('aria-label') ?? control.textContent)`;

describe.skipIf(NO_CHROMIUM !== null)('runs in the dashboard', () => {
  let served: ServedApp;
  let proxy: CutProxy;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    served = await openServedApp();
    await served.segment(['bright']);
    proxy = await CutProxy.to(served.url);
    browser = await openChromium();
    page = await openPage(1440, 900);
    await page.goto(proxy.url);
    await page.getByRole('combobox', { name: 'Image' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.close();
    await served?.close();
  });

  async function openPage(width: number, height: number, deviceScaleFactor = 1): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor });
    const opened = await context.newPage();
    opened.setDefaultTimeout(20_000);
    return opened;
  }

  async function picture(name: string, of = page): Promise<void> {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    await of.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  /** Holds the model until the returned function is called. */
  function hold(): () => void {
    let open = (): void => undefined;
    served.model.gate = new Promise((resolve) => (open = resolve));
    return open;
  }

  const card = (prompt: string) =>
    page.locator('.card', { has: page.getByRole('heading', { name: prompt, exact: true }) });
  async function ask(prompt: string): Promise<void> {
    await page.getByLabel('What do you want to find?').fill(prompt);
    await page.getByRole('button', { name: 'Ask 1 question' }).click();
  }

  it('go on where the connection is cut in the middle, and the page says since when it is', async () => {
    const open = hold();
    await ask('dark');
    await card('dark').getByRole('progressbar').waitFor();
    proxy.cut();
    const notice = page.getByText('Connection lost.');
    await notice.waitFor();
    await picture('offline');
    proxy.restore();
    open();
    await card('dark').getByRole('button', { name: 'Show' }).waitFor();
    await notice.waitFor({ state: 'detached' });
  });

  it('are cancelled, and asked again', async () => {
    const open = hold();
    await ask('bright things');
    await card('bright things').getByRole('button', { name: 'Cancel' }).click();
    await card('bright things').getByText('Cancelled.').waitFor();
    open();
    await card('bright things').getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('Nothing found for “bright things”.').waitFor();
  });

  it('that failed say why, and are tried again', async () => {
    served.model.failure = new ModelRejectedError('brightness/1', 'no such tensor');
    await ask('dark roofs');
    await card('dark roofs').getByText('no such tensor').waitFor();
    await picture('failed');
    served.model.failure = null;
    await card('dark roofs').getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Nothing found for “dark roofs”.').waitFor();
  });

  describe('by the keyboard alone', () => {
    let keyboard: Page;
    beforeAll(async () => {
      keyboard = await openPage(1440, 900);
      await keyboard.goto(served.url);
      await keyboard.getByRole('combobox', { name: 'Image' }).waitFor();
    });
    afterAll(() => keyboard.context().close());

    /** Presses Tab until the focus is on a control of that name, marked as such; "nav " is before those of the navigation. */
    async function tabTo(name: string | RegExp): Promise<void> {
      const seen: string[] = [];
      for (let presses = 0; presses < 250; presses++) {
        await keyboard.keyboard.press('Tab');
        const focused = (await keyboard.evaluate(FOCUSED)) as {
          label: string;
          isMarked: boolean;
        };
        seen.push(focused.label.slice(0, 40));
        if (typeof name === 'string' ? focused.label !== name : !name.test(focused.label)) continue;
        expect(focused.isMarked).toBe(true);
        return;
      }
      throw new Error(`Tab does not reach ${String(name)}: ${seen.join(' | ')}`);
    }

    it('a question is asked', async () => {
      await tabTo(/^What do you want to find/);
      await keyboard.keyboard.type('a yeti');
      await tabTo('Ask 1 question');
      await keyboard.keyboard.press('Enter');
      await keyboard.getByText('Nothing found for “a yeti”.').waitFor();
    });

    it('the features are filtered', async () => {
      await tabTo('nav Filter');
      await keyboard.keyboard.press('Enter');
      await tabTo('Question');
      await keyboard.keyboard.press('Enter');
      await tabTo('Words of the question');
      await keyboard.keyboard.type('dark');
      await keyboard.keyboard.press('Enter');
      await expect.poll(() => new URL(keyboard.url()).searchParams.get('filter')).toBe('{"promptContains":"dark"}');
    });

    it('they are reviewed with j, k, a and r', async () => {
      await tabTo('nav Review');
      await keyboard.keyboard.press('Enter');
      await keyboard.getByText(/^Review \d+$/).waitFor();
      const counts = async (): Promise<unknown> => {
        const { data } = await served.ask(
          '{ accepted: features(filter: { review: [ACCEPTED] }) { totalCount } rejected: features(filter: { review: [REJECTED] }) { totalCount } }',
        );
        return data;
      };
      await keyboard.keyboard.press('j');
      await keyboard.locator('.measures').waitFor();
      const selected = (): string | null => new URL(keyboard.url()).searchParams.get('f');
      const first = selected();
      await keyboard.keyboard.press('j');
      await expect.poll(selected).not.toBe(first);
      await keyboard.keyboard.press('k');
      await expect.poll(selected).toBe(first);
      await keyboard.keyboard.press('a');
      await expect.poll(counts).toEqual({ accepted: { totalCount: 1 }, rejected: { totalCount: 0 } });
      await expect.poll(() => ![first, null].includes(selected())).toBe(true);
      await keyboard.locator('.measures').waitFor();
      await keyboard.keyboard.press('r');
      await expect.poll(counts).toEqual({ accepted: { totalCount: 1 }, rejected: { totalCount: 1 } });
    });
  });

  it.each(['ask', 'filter', 'review', 'share'])(
    'at 200 % on a screen of 1280 px, every control of the panel %s can be reached',
    async (panel) => {
      const zoomed = await openPage(640, 360, 2);
      await zoomed.goto(`${served.url}/?panel=${panel}`);
      await zoomed.locator('.maplibregl-canvas').waitFor();
      await zoomed.locator('.rows .row').first().waitFor({ state: 'attached' });
      await picture(`zoom-200-${panel}`, zoomed);
      expect(await zoomed.evaluate(UNREACHABLE)).toEqual([]);
      expect(await zoomed.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await zoomed.context().close();
    },
  );
});
