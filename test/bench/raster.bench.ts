import { bench, describe } from 'vitest';
import { AreaMask, type PixelRing } from '../../src/raster/area-mask.ts';
import { padToWindow, resizeLinear } from '../../src/raster/letterbox.ts';
import { LogitMosaic } from '../../src/raster/logit-mosaic.ts';
import { letterboxGeometry, planWindows } from '../../src/raster/window-plan.ts';
import { seededRandom } from '../seeded.ts';

const seededBytes = (length: number): Uint8Array => {
  const random = seededRandom(1);
  return Uint8Array.from({ length }, () => random() * 256);
};

// Each group has its floor beside it: a copy of the bytes that the step has to write or read anyway.

describe('25 windows of 256 px blended into a scene of 1024 x 1024, one question', () => {
  const plan = planWindows({
    widthPx: 1024,
    heightPx: 1024,
    modelPx: 256,
    mode: 'WINDOWS',
    sceneGsdM: 1,
    modelGsdRangeM: { min: 0.1, max: 10 },
    maxWindows: 25,
  });
  const random = seededRandom(2);
  const logits = plan.windows.map(() => [Float32Array.from({ length: 64 * 64 }, () => random() * 8 - 4)]);
  const valid = new Uint8Array(256 * 256).fill(1);
  const spotted = Uint8Array.from(valid, (_, i) => (i % 97 === 0 ? 0 : 1));
  const run = (shownValid: Uint8Array): number => {
    const mosaic = new LogitMosaic(plan, 64, 1);
    let rows = 0;
    for (const [index, planned] of plan.windows.entries()) {
      for (const band of mosaic.add(planned, logits[index]!, shownValid)) rows += band.height;
    }
    for (const band of mosaic.finish()) rows += band.height;
    return rows;
  };
  const probabilities = new Float32Array(1024 * 1024);
  bench('LogitMosaic', () => {
    run(valid);
  });
  bench('LogitMosaic, windows with holes', () => {
    run(spotted);
  });
  bench('floor: copy of the probabilities', () => {
    probabilities.slice();
  });
});

describe('1024 x 1024 RGB to one window of 256', () => {
  const pixels = seededBytes(1024 * 1024 * 3);
  bench('resizeLinear', () => {
    resizeLinear(pixels, 1024, 1024, 256, 256);
  });
  bench('floor: copy of the pixels', () => {
    pixels.slice();
  });
});

describe('197 x 256 RGB put into a window of 256', () => {
  const place = letterboxGeometry(163, 211, 256);
  const picture = seededBytes(197 * 256 * 3);
  const window = new Uint8Array(256 * 256 * 3);
  bench('padToWindow', () => {
    padToWindow(picture, place, 256);
  });
  bench('floor: copy of the window', () => {
    window.slice();
  });
});

describe('4096 rows of 4096 columns cleared outside a polygon of 1000 vertices', () => {
  const random = seededRandom(3);
  const ring: [number, number][] = Array.from({ length: 1000 }, (_, i) => {
    const [radius, angle] = [1200 + 700 * random(), (i / 1000) * 2 * Math.PI];
    return [2048 + radius * Math.cos(angle), 2048 + radius * Math.sin(angle)];
  });
  const mask = new AreaMask([[...ring, ring[0]!] satisfies PixelRing], 4096, 4096);
  const values = new Uint8Array(4096);
  bench('AreaMask.clearOutside', () => {
    for (let row = 0; row < 4096; row++) mask.clearOutside(values, 0, row);
  });
  bench('floor: fill of the rows', () => {
    for (let row = 0; row < 4096; row++) values.fill(0);
  });
});
