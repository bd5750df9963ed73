import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { resizeLinear } from '../../src/raster/letterbox.ts';
import { sha256 } from '../inference/model-folder.ts';

const size = z.tuple([z.number(), z.number()]);
const references = z
  .array(z.object({ from: size, to: size, sha256: z.string() }))
  .min(1)
  .parse(JSON.parse(readFileSync(new URL('../fixtures/parity/opencv-resize.json', import.meta.url), 'utf8')));

it.each(references)('resizes $from to $to as OpenCV does, to the bit', ({ from, to, sha256: expected }) => {
  const pixels = Uint8Array.from({ length: from[0] * from[1] * 3 }, (_, k) => Math.imul(k, 2_654_435_761) >>> 13);
  expect(sha256(resizeLinear(pixels, ...from, ...to))).toBe(expected);
});
