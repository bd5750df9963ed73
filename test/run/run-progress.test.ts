import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunProgress } from '../../src/run/run-progress.ts';
import type { SegmentationProgress } from '../../src/segmentation/segmentation.ts';

/** What was written, with the time in milliseconds since the start. */
const written: (SegmentationProgress & { readonly atMs: number })[] = [];
let beganAt = 0;

/** @param writeMs time that a write takes */
function progressOf(windowsTotal: number, writeMs = 0): RunProgress {
  return new RunProgress(windowsTotal, async (state) => {
    written.push({ ...state, atMs: performance.now() - beganAt });
    if (writeMs > 0) await new Promise((resolve) => setTimeout(resolve, writeMs));
  });
}
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  written.length = 0;
  beganAt = performance.now();
});
afterEach(() => void vi.useRealTimers());

describe('RunProgress', () => {
  it('writes at most twice a second, and always the newest state at last', async () => {
    const progress = progressOf(100);
    for (let window = 1; window <= 100; window++) {
      progress.windowDone(window, 30);
      await pass(30);
    }
    await pass(1000);
    const gaps = written.slice(1).map(({ atMs }, i) => atMs - written[i]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
    expect(written.length).toBeGreaterThan(5);
    expect(written.at(-1)).toMatchObject({ windowsDone: 100, windowsTotal: 100 });
  });

  it('begins no write before the last one is done', async () => {
    const progress = progressOf(9, 2000);
    progress.windowDone(1, 10);
    await pass(600);
    progress.windowDone(2, 10);
    await pass(1300);
    expect(written.map(({ windowsDone }) => windowsDone)).toEqual([1]);
    await pass(200);
    expect(written.map(({ windowsDone }) => windowsDone)).toEqual([1, 2]);
  });

  it('tells the remaining time from the windows that were asked about, the newest of which count most', async () => {
    const progress = progressOf(10);
    progress.windowDone(1, null);
    await pass(500);
    progress.windowDone(2, 1000);
    await pass(500);
    progress.windowDone(3, 2000);
    await pass(500);
    expect(written.map(({ etaS }) => etaS)).toEqual([null, 8, (7 * 1200) / 1000]);
  });

  it('shows each phase that lasts', async () => {
    const progress = progressOf(1);
    for (const phase of ['reading', 'encoding', 'reasoning', 'tracing', 'storing'] as const) {
      progress.enter(phase);
      await pass(600);
    }
    expect(written.map(({ phase }) => phase)).toEqual(['reading', 'encoding', 'reasoning', 'tracing', 'storing']);
  });

  it('waits for a phase to be written in a run that takes long, and holds a short one up by a twentieth at most', async () => {
    const short = progressOf(1);
    short.enter('reasoning');
    await pass(100);
    await short.enterAndShow('tracing');
    expect(written.map(({ phase }) => phase)).toEqual(['reasoning']);
    await short.end();

    const long = progressOf(1);
    long.enter('reasoning');
    await pass(20_000);
    long.enter('encoding');
    await pass(10);
    let shown = false;
    const showing = long.enterAndShow('tracing').then(() => (shown = true));
    await pass(480);
    expect(shown).toBe(false);
    await pass(20);
    await showing;
    expect(written.at(-1)!.phase).toBe('tracing');
  });

  it('writes nothing after its end, which waits for the current write', async () => {
    const progress = progressOf(2, 100);
    progress.windowDone(1, 10);
    await pass(10);
    progress.windowDone(2, 10);
    let ended = false;
    const end = progress.end().then(() => (ended = true));
    await pass(80);
    expect(ended).toBe(false);
    await pass(20);
    await end;
    progress.enter('storing');
    await pass(5000);
    expect(written).toHaveLength(1);
  });
});
