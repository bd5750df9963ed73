import { describe, expect, it } from 'vitest';
import {
  GsdTooFineError,
  GsdWithoutGeoreferenceError,
  letterboxGeometry,
  isTooCoarse,
  planWindows,
  TooManyWindowsError,
  type PlanRequest,
} from '../../src/raster/window-plan.ts';

const request = (over: Partial<PlanRequest>): PlanRequest => ({
  widthPx: 1000,
  heightPx: 700,
  modelPx: 256,
  mode: 'WINDOWS',
  sceneGsdM: 1,
  modelGsdRangeM: { min: 0.3, max: 10 },
  maxWindows: 10_000,
  ...over,
});

describe('planWindows', () => {
  it.each([
    [1000, 700, 1],
    [257, 255, 1],
    [256, 256, 1],
    [3000, 90, 2.5],
    [511, 2000, 0.7],
  ])('covers every pixel of %i x %i at %f m and stays inside', (widthPx, heightPx, gsdM) => {
    const plan = planWindows(request({ widthPx, heightPx, gsdM }));
    const covered = (starts: Set<number>, length: number): number =>
      [...starts].reduce((reached, start) => (start <= reached ? Math.max(reached, start + length) : reached), 0);
    const columns = new Set(plan.windows.map(({ window }) => window.x));
    const rows = new Set(plan.windows.map(({ window }) => window.y));
    const { width, height } = plan.windows[0]!.window;
    expect(new Set(plan.windows.map(({ window }) => `${window.width} x ${window.height}`)).size).toBe(1);
    expect(new Set(plan.windows.map(({ window }) => `${window.x}, ${window.y}`)).size).toBe(columns.size * rows.size);
    expect([covered(columns, width), covered(rows, height)]).toEqual([widthPx, heightPx]);
    expect(plan.windows.map(({ index }) => index)).toEqual(plan.windows.map((_, i) => i));
  });

  it('lets neighbouring windows overlap by a quarter at least', () => {
    const { windows } = planWindows(request({}));
    const columns = [...new Set(windows.map(({ window }) => window.x))];
    columns.slice(1).forEach((x, i) => expect(x - columns[i]!).toBeLessThanOrEqual(192));
    expect(columns).toEqual([0, 186, 372, 558, 744]);
  });

  it('keeps the scale of a scene smaller than one window and centres it', () => {
    const [only, ...rest] = planWindows(request({ widthPx: 100, heightPx: 40 })).windows;
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ shownWidthPx: 100, shownHeightPx: 40, padLeftPx: 78, padTopPx: 108 });
  });

  it('plans only the pixels asked for', () => {
    const plan = planWindows(request({ within: { x: 300, y: 200, width: 300, height: 100 } }));
    expect(plan.windows.map(({ window }) => window)).toEqual([
      { x: 300, y: 200, width: 256, height: 100 },
      { x: 344, y: 200, width: 256, height: 100 },
    ]);
  });

  it.each([
    [
      'a fine scene that fits one window at a GSD the model knows',
      { widthPx: 600, heightPx: 500, sceneGsdM: 0.1 },
      'WHOLE',
    ],
    ['a scene that one window would blur', { widthPx: 2048, heightPx: 2048, sceneGsdM: 0.1 }, 'WINDOWS'],
    ['a picture without georeference that hardly shrinks', { widthPx: 480, heightPx: 400, sceneGsdM: null }, 'WHOLE'],
    ['a large picture without georeference', { widthPx: 1024, heightPx: 1024, sceneGsdM: null }, 'WINDOWS'],
  ] as const)('AUTO shows %s: %o as %s', (_, over, mode) => {
    expect(planWindows(request({ ...over, mode: 'AUTO' })).mode).toBe(mode);
  });

  it('AUTO brings a scene finer than the model knows to its finest GSD', () => {
    expect(planWindows(request({ widthPx: 4000, sceneGsdM: 0.1, mode: 'AUTO' })).scale).toBeCloseTo(3);
  });

  it('refuses a GSD for a scene without ground', () => {
    expect(() => planWindows(request({ sceneGsdM: null, gsdM: 2 }))).toThrow(new GsdWithoutGeoreferenceError(2));
  });

  it('refuses to enlarge pixels more than 16 times', () => {
    expect(() => planWindows(request({ sceneGsdM: 8, gsdM: 0.4 }))).toThrow(new GsdTooFineError(0.4, 0.5));
    expect(planWindows(request({ sceneGsdM: 8, gsdM: 0.5 })).scale).toBe(1 / 16);
  });

  it('AUTO enlarges at most twice; a coarser scene keeps its own resolution', () => {
    const [range, size] = [
      { min: 0.3, max: 10 },
      { widthPx: 697, heightPx: 377, modelPx: 256 },
    ];
    const plan = (sceneGsdM: number) =>
      planWindows(request({ ...size, sceneGsdM, modelGsdRangeM: range, mode: 'AUTO' }));
    expect(plan(15).scale).toBeCloseTo(10 / 15);
    expect(plan(20).scale).toBe(0.5);
    expect(plan(20.1).scale).toBe(1);
    expect(plan(89)).toMatchObject({ mode: 'WINDOWS', scale: 1 });
    expect(plan(89).windows.length).toBe(8);
    expect([isTooCoarse(20, range), isTooCoarse(20.1, range), isTooCoarse(null, range)]).toEqual([false, true, false]);
  });

  it('AUTO never enlarges more than twice, whatever the scene', () => {
    for (const sceneGsdM of [null, 0.01, 0.1, 1, 5, 9, 15, 30, 1000]) {
      for (const side of [1, 10, 100, 127, 128, 129, 255, 300, 5000]) {
        const plan = planWindows(request({ widthPx: side, heightPx: side, modelPx: 256, sceneGsdM, mode: 'AUTO' }));
        expect(plan.scale).toBeGreaterThanOrEqual(0.5);
      }
    }
  });

  it('refuses a run of too many windows', () => {
    // 60 000 px: (60 000 - 256) / 192 is 311.2, so 312 steps of at most 192 px and 313 windows a row.
    expect(() => planWindows(request({ widthPx: 60_000, heightPx: 60_000, maxWindows: 20_000 }))).toThrow(
      new TooManyWindowsError(313 * 313, 20_000),
    );
  });
});

describe('letterboxGeometry', () => {
  it('truncates the shorter side as the published evaluation does', () => {
    expect(letterboxGeometry(640, 427, 1024)).toEqual({
      shownWidthPx: 1024,
      shownHeightPx: 683,
      padLeftPx: 0,
      padTopPx: 170,
    });
    expect(letterboxGeometry(480, 600, 1024)).toMatchObject({ shownWidthPx: 819, shownHeightPx: 1024, padLeftPx: 102 });
  });
});
