import { seededRandom } from '../seeded.ts';
import { writeUtmScene } from '../utm-scene.ts';

/**
 * Writes a picture of blocks of 16 pixels, a quarter of them bright and the others dark, 10 m a pixel in UTM 32N.
 * @param sidePx with windows of 64 pixels, 208 makes 16 of them
 */
export async function writeBlocks(file: string, sidePx: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const blocks = Math.ceil(sidePx / 16);
  const bright = Array.from({ length: blocks ** 2 }, () => random() < 0.25);
  const pixels = new Uint8Array(sidePx ** 2 * 3);
  for (let i = 0; i < pixels.length; i++) {
    const [column, row] = [Math.floor(i / 3) % sidePx, Math.floor(i / 3 / sidePx)];
    pixels[i] = bright[Math.floor(row / 16) * blocks + Math.floor(column / 16)] ? 235 : 20;
  }
  await writeUtmScene(file, pixels, sidePx, sidePx);
}
