import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { ByteMask } from './seeded-masks.ts';

/** A mask of a real picture; origin and licence are in `test/fixtures/masks/README.md`. */
export const REAL_MASK_PATH = fileURLToPath(
  new URL('../fixtures/masks/naip_prairie_greener_than_infrared.png', import.meta.url),
);

export async function realMask(): Promise<ByteMask> {
  const { data, info } = await sharp(REAL_MASK_PATH).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  return {
    name: 'NAIP prairie',
    widthPx: info.width,
    heightPx: info.height,
    bytes: Uint8Array.from(data, (value) => (value > 0 ? 1 : 0)),
  };
}
