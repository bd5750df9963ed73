import { describe, expect, it } from 'vitest';
import { LogitMosaic, type RowBand } from '../../src/raster/logit-mosaic.ts';
import { planWindows, type WindowPlan } from '../../src/raster/window-plan.ts';
import { seededRandom } from '../seeded.ts';

const LOGITS_PX = 16;

const REQUEST = { modelPx: 64, sceneGsdM: 1, modelGsdRangeM: { min: 0.1, max: 100 }, maxWindows: 1000 };

const plan = (widthPx: number, heightPx: number, gsdM: number): WindowPlan =>
  planWindows({ ...REQUEST, widthPx, heightPx, gsdM, mode: 'WINDOWS' });

/** Largest distance of the values from one number. */
const farthest = (values: Iterable<number>, from: number): number =>
  [...values].reduce((most, value) => Math.max(most, Math.abs(value - from)), 0);

const allValid = (p: WindowPlan) =>
  p.windows.map(({ shownWidthPx, shownHeightPx }) => new Uint8Array(shownWidthPx * shownHeightPx).fill(1));

function blend(
  p: WindowPlan,
  logits: Float32Array[],
  valid = allValid(p),
): { probability: Float32Array; bands: RowBand[] } {
  const mosaic = new LogitMosaic(p, LOGITS_PX, 1);
  const bands = p.windows.flatMap((window, i) => [...mosaic.add(window, [logits[i]!], valid[i]!)]);
  bands.push(...mosaic.finish());
  const probability = new Float32Array(p.covered.width * p.covered.height);
  for (const band of bands) probability.set(band.probabilities[0]!, (band.y - p.covered.y) * p.covered.width);
  return { probability, bands };
}

const randomLogits = (p: WindowPlan, random: () => number) =>
  p.windows.map(() => Float32Array.from({ length: LOGITS_PX ** 2 }, () => random() * 8 - 4));

describe('LogitMosaic', () => {
  it.each([
    [150, 130, 1],
    [90, 200, 2.3],
    [40, 30, 1],
  ])('gives every pixel of %i x %i at scale %f the one answer that all windows agree on', (width, height, gsdM) => {
    const p = plan(width, height, gsdM);
    const { probability } = blend(
      p,
      p.windows.map(() => new Float32Array(LOGITS_PX ** 2).fill(1.5)),
    );
    expect(farthest(probability, 1 / (1 + Math.exp(-1.5)))).toBeLessThan(1e-6);
  });

  it('stays between the lowest and the highest answer of the windows that see a pixel', () => {
    const p = plan(200, 170, 1);
    const levels = p.windows.map((_, i) => (i % 5) - 2);
    const { probability } = blend(
      p,
      levels.map((level) => new Float32Array(LOGITS_PX ** 2).fill(level)),
    );
    const outside: string[] = [];
    for (let y = 0; y < 170; y++) {
      for (let x = 0; x < 200; x++) {
        const seen = p.windows.flatMap(({ window: w }, i) =>
          x >= w.x && x < w.x + w.width && y >= w.y && y < w.y + w.height ? [levels[i]!] : [],
        );
        const logit = Math.log(probability[y * 200 + x]! / (1 - probability[y * 200 + x]!));
        if (logit < Math.min(...seen) - 1e-4 || logit > Math.max(...seen) + 1e-4) outside.push(`${x}, ${y}: ${logit}`);
      }
    }
    expect(outside).toEqual([]);
  });

  it('passes gradually from one window to the next', () => {
    const p = plan(110, 40, 1);
    expect(p.windows.length).toBe(2);
    const { probability } = blend(
      p,
      [-3, 3].map((level) => new Float32Array(LOGITS_PX ** 2).fill(level)),
    );
    const row = probability.subarray(20 * 110, 21 * 110);
    const logits = Array.from(row, (value) => Math.log(value / (1 - value)));
    // Windows at 0 and 46 share the 18 columns 46 to 63: the logit rises by 6 / 18 a column.
    expect(logits[45]).toBeCloseTo(-3, 4);
    expect(logits[64]).toBeCloseTo(3, 4);
    const steps = logits.slice(47, 64).map((logit, i) => logit - logits[46 + i]!);
    expect(farthest(steps, 6 / 18)).toBeLessThan(1e-4);
  });

  it('resizes one window as bilinear interpolation of cell centres does', () => {
    const p = plan(64, 64, 1);
    const [grid] = randomLogits(p, seededRandom(3)) as [Float32Array];
    const { probability } = blend(p, [grid]);
    for (const [x, y] of [
      [0, 0],
      [5, 9],
      [31, 62],
      [63, 63],
    ] as const) {
      const u = Math.min(Math.max((x + 0.5) / 4 - 0.5, 0), 15);
      const v = Math.min(Math.max((y + 0.5) / 4 - 0.5, 0), 15);
      const at = (c: number, r: number) => grid[Math.min(r, 15) * 16 + Math.min(c, 15)]!;
      const [c, r, fc, fr] = [Math.floor(u), Math.floor(v), u % 1, v % 1];
      const logit =
        (at(c, r) * (1 - fc) + at(c + 1, r) * fc) * (1 - fr) + (at(c, r + 1) * (1 - fc) + at(c + 1, r + 1) * fc) * fr;
      expect(probability[y * 64 + x]).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
    }
  });

  it('never lets the answer about padding into the picture', () => {
    const p = plan(64, 24, 1);
    const grid = new Float32Array(LOGITS_PX ** 2).fill(9);
    grid.fill(-9, 5 * LOGITS_PX, 11 * LOGITS_PX);
    const { probability } = blend(p, [grid]);
    expect(Math.max(...probability)).toBeLessThan(0.01);
  });

  it('releases rows in order, once, as soon as no later window needs them', () => {
    const p = plan(64, 300, 1);
    const { bands } = blend(p, randomLogits(p, seededRandom(5)));
    expect(bands.length).toBe(p.windows.length);
    let next = 0;
    for (const band of bands) {
      expect(band.y).toBe(next);
      next += band.height;
    }
    expect(next).toBe(300);
  });

  it('shows a large scene in one window through bands of bounded size', () => {
    const p = planWindows({ ...REQUEST, widthPx: 1500, heightPx: 1450, mode: 'WHOLE' });
    const mosaic = new LogitMosaic(p, LOGITS_PX, 1);
    expect([...mosaic.add(p.windows[0]!, randomLogits(p, seededRandom(8)), allValid(p)[0]!)]).toEqual([]);
    let next = 0;
    let largest = 0;
    for (const band of mosaic.finish()) {
      expect(band.y).toBe(next);
      next += band.height;
      largest = Math.max(largest, band.width * band.height);
    }
    expect(next).toBe(1450);
    expect(largest).toBeLessThanOrEqual(2 ** 20);
  });

  it('refuses windows out of order and a plan that is not complete', () => {
    const p = plan(110, 40, 1);
    const [first, second] = p.windows;
    const add = (mosaic: LogitMosaic, window: typeof first) => [
      ...mosaic.add(window!, [new Float32Array(LOGITS_PX ** 2)], allValid(p)[0]!),
    ];
    expect(() => add(new LogitMosaic(p, LOGITS_PX, 1), second)).toThrow('Window 1 was added; window 0 is next.');
    const mosaic = new LogitMosaic(p, LOGITS_PX, 1);
    add(mosaic, first);
    expect(() => [...mosaic.finish()]).toThrow('1 of 2 windows were added');
  });

  it('answers 0 where no window has data', () => {
    const p = plan(64, 64, 1);
    const valid = new Uint8Array(64 * 64).fill(1);
    valid.fill(0, 0, 64 * 10);
    const { probability, bands } = blend(p, [new Float32Array(LOGITS_PX ** 2).fill(5)], [valid]);
    expect(probability[64 * 9 + 63]).toBe(0);
    expect(probability[64 * 10]).toBeGreaterThan(0.99);
    expect(bands[0]!.valid.reduce((sum, value) => sum + value, 0)).toBe(64 * 54);
  });
});
