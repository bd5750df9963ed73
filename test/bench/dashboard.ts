/**
 * The dashboard with many features in view: `DATABASE_URL=postgresql://… npm run bench -- dashboard`.
 *
 * Stores 100,000 seeded features, opens the dashboard at 3840 × 2160 with all of them in view, and drags the map and moves the
 * pointer over it. Prints first paint, and the time of the page's own code a frame: what the profiler of the browser samples
 * in any script but the map library's, which draws. TERRAQL_BENCH_FEATURES (100000), TERRAQL_BENCH_DATABASE, a database that
 * is kept, as for `query`; TERRAQL_TEST_CHROMIUM.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { openChromium } from '../browser/chromium.ts';
import { openBenchDatabase } from './query/bench-database.ts';
import { gridOf, ORIGIN, STEP } from './query/seed-city.ts';
import { start } from './query/start-contenders.ts';

const FEATURES = Number(process.env['TERRAQL_BENCH_FEATURES'] ?? 100_000);
const VIEWPORT = { width: 3840, height: 2160 };
const ZOOM = 11.3;
const SAMPLING_US = 200;
const MOVES = 60;
const PORT = 4814;

/** As the profiler of Chromium gives it. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly url: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface OwnTime {
  readonly totalMs: number;
  /** Longest stretch without a break. */
  readonly longestMs: number;
}

/** Time in scripts of the page, but for those of the map library. */
function ownTime({ nodes, samples, timeDeltas }: Profile): OwnTime {
  const own = new Set(
    nodes.filter(({ callFrame: { url } }) => url.includes('/assets/') && !/maplibre/.test(url)).map(({ id }) => id),
  );
  let [totalUs, stretchUs, longestUs] = [0, 0, 0];
  for (const [index, sample] of samples.entries()) {
    if (own.has(sample)) {
      totalUs += timeDeltas[index]!;
      stretchUs += timeDeltas[index]!;
      longestUs = Math.max(longestUs, stretchUs);
    } else stretchUs = 0;
  }
  return { totalMs: totalUs / 1000, longestMs: longestUs / 1000 };
}

/** Does something on the page. @returns the page's own time meanwhile, and how many frames were drawn */
async function profiled(page: Page, cdp: CDPSession, work: () => Promise<void>): Promise<OwnTime & { frames: number }> {
  await page.evaluate('window.frames_ = 0; (function count() { window.frames_++; requestAnimationFrame(count); })()');
  await cdp.send('Profiler.start');
  await work();
  const { profile } = (await cdp.send('Profiler.stop')) as { profile: Profile };
  return { ...ownTime(profile), frames: (await page.evaluate('window.frames_')) as number };
}

function told(what: string, { totalMs, longestMs, frames }: OwnTime & { frames: number }): string {
  const perFrame = (totalMs / Math.max(1, frames)).toFixed(2);
  return `${what}: ${perFrame} ms of own code a frame (${frames} frames), longest stretch ${longestMs.toFixed(1)} ms`;
}

const serverUrl = process.env['DATABASE_URL'];
if (serverUrl === undefined) throw new Error('set DATABASE_URL to a PostgreSQL server with PostGIS');
const database = await openBenchDatabase(serverUrl, FEATURES, process.env['TERRAQL_BENCH_DATABASE'] ?? null);
const dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-bench-'));
const server = await start(
  process.execPath,
  ['--import', 'tsx', 'src/main.ts', 'serve', '--port', String(PORT), '--no-worker', '--json'],
  { DATABASE_URL: database.url, TERRAQL_DATA_DIR: dataDir, TERRAQL_LOG_LEVEL: 'warn' },
);
const browser = await openChromium();
try {
  const page = await (await browser.newContext({ viewport: VIEWPORT })).newPage();
  page.setDefaultTimeout(120_000);
  const { columns, rows } = gridOf(FEATURES);
  const middle = [ORIGIN.north + (STEP.north * rows) / 2, ORIGIN.east + (STEP.east * columns) / 2];
  await page.goto(`http://127.0.0.1:${PORT}/?map=${ZOOM}/${middle.join('/')}`);
  await page.locator('.maplibregl-canvas').waitFor();
  await page.locator(`[role=grid][aria-rowcount="${FEATURES + 1}"]`).waitFor();
  const paint = (await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime')) as number;
  console.log(`first paint: ${paint.toFixed(0)} ms`);
  await page.waitForTimeout(20_000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Profiler.enable');
  await cdp.send('Profiler.setSamplingInterval', { interval: SAMPLING_US });
  const box = (await page.locator('main').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  const hovering = await profiled(page, cdp, async () => {
    for (let move = 0; move < MOVES; move++) await page.mouse.move(x + 5 * move, y + 3 * move);
  });
  console.log(told('pointer over features', hovering));
  await page.mouse.down();
  const dragging = await profiled(page, cdp, async () => {
    for (let move = 0; move < MOVES; move++) await page.mouse.move(x + 295 - 4 * move, y + 177 - 2 * move);
  });
  await page.mouse.up();
  console.log(told('dragging the map', dragging));
} finally {
  await browser.close();
  await server.stop();
  await database.release();
  await rm(dataDir, { recursive: true, force: true });
}
