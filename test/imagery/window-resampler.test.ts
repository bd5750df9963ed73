import { describe, expect, it } from 'vitest';
import { WindowResampler } from '../../src/imagery/window-resampler.ts';

/** Random numbers that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Picture {
  readonly rgb: Uint8Array;
  readonly valid: Uint8Array;
}

function randomPicture(widthPx: number, heightPx: number, seed: number): Picture {
  const random = seeded(seed);
  const rgb = Uint8Array.from({ length: widthPx * heightPx * 3 }, () => Math.floor(random() * 256));
  return { rgb, valid: Uint8Array.from({ length: widthPx * heightPx }, () => (random() < 0.7 ? 1 : 0)) };
}

type Rectangle = { x: number; y: number; width: number; height: number };

/** The slow twin: for each target pixel, the overlap with every source pixel. */
function slowMean(source: Picture, widthPx: number, heightPx: number, from: Rectangle, out: [number, number]): Picture {
  const rgb = new Uint8Array(out[0] * out[1] * 3);
  const valid = new Uint8Array(out[0] * out[1]);
  const overlap = (a: number, size: number, pixel: number): number =>
    Math.max(0, Math.min(a + size, pixel + 1) - Math.max(a, pixel));
  for (let j = 0; j < out[1]; j++) {
    for (let i = 0; i < out[0]; i++) {
      const [w, h] = [from.width / out[0], from.height / out[1]];
      let weight = 0;
      const sums = [0, 0, 0];
      for (let y = 0; y < heightPx; y++) {
        for (let x = 0; x < widthPx; x++) {
          const part = overlap(from.x + i * w, w, x) * overlap(from.y + j * h, h, y) * source.valid[y * widthPx + x]!;
          weight += part;
          for (let c = 0; c < 3; c++) sums[c]! += part * source.rgb[(y * widthPx + x) * 3 + c]!;
        }
      }
      for (let c = 0; c < 3; c++) rgb[(j * out[0] + i) * 3 + c] = weight > 0 ? Math.round(sums[c]! / weight) : 0;
      valid[j * out[0] + i] = weight / (w * h) >= 0.5 - 1e-4 ? 1 : 0;
    }
  }
  return { rgb, valid };
}

function resampled(
  source: Picture,
  widthPx: number,
  heightPx: number,
  from: Rectangle,
  out: [number, number],
  rows: number,
) {
  const target = new WindowResampler(from, 0, 0, widthPx, heightPx, out[0], out[1]);
  for (let y = 0; y < heightPx; y += rows) {
    const end = Math.min(heightPx, y + rows);
    target.push(y, {
      rgb: source.rgb.subarray(y * widthPx * 3, end * widthPx * 3),
      valid: source.valid.subarray(y * widthPx, end * widthPx),
    });
  }
  return target.finish();
}

describe('resampling downwards', () => {
  it.each([
    [12, 9, { x: 0, y: 0, width: 12, height: 9 }, [4, 3]],
    [17, 13, { x: 0, y: 0, width: 17, height: 13 }, [5, 4]],
    [17, 13, { x: 0.3, y: 0.7, width: 16.2, height: 11.9 }, [7, 5]],
    [10, 10, { x: 0, y: 0, width: 10, height: 10 }, [10, 3]],
  ] as const)('of %d x %d pixels from %o to %o is the mean of the area covered', (width, height, from, out) => {
    const source = randomPicture(width, height, width * 100 + height);
    const slow = slowMean(source, width, height, from, [...out]);
    const fast = resampled(source, width, height, from, [...out], 4);
    expect(fast.valid).toEqual(slow.valid);
    fast.rgb.forEach((value, i) => expect(Math.abs(value - slow.rgb[i]!)).toBeLessThanOrEqual(1));
  });

  it('does not depend on how many rows are pushed at a time', () => {
    const source = randomPicture(31, 29, 7);
    const from = { x: 0, y: 0, width: 31, height: 29 };
    const whole = resampled(source, 31, 29, from, [11, 10], 29);
    for (const rows of [1, 3, 16]) expect(resampled(source, 31, 29, from, [11, 10], rows)).toEqual(whole);
  });
});

describe('resampling upwards', () => {
  it('is linear between pixel centres and constant outside them', () => {
    const source = { rgb: Uint8Array.of(0, 0, 0, 100, 100, 100), valid: Uint8Array.of(1, 1) };
    const { rgb } = resampled(source, 2, 1, { x: 0, y: 0, width: 2, height: 1 }, [8, 1], 1);
    // centres of the target at -0.375, -0.125, 0.125, ... of the source's centres
    expect([...rgb].filter((_, i) => i % 3 === 0)).toEqual([0, 0, 13, 38, 63, 88, 100, 100]);
  });

  it('keeps pixels without data empty', () => {
    const source = { rgb: Uint8Array.of(9, 9, 9, 100, 100, 100), valid: Uint8Array.of(0, 1) };
    const { rgb, valid } = resampled(source, 2, 1, { x: 0, y: 0, width: 2, height: 1 }, [8, 1], 1);
    expect([...valid]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect(rgb.slice(12)).toEqual(Uint8Array.from({ length: 12 }, () => 100));
  });
});
