import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeUtmScene } from '../utm-scene.ts';
import { openTestApp, type TestApp } from './test-app.ts';

const [WIDTH, HEIGHT] = [160, 120];

let test: TestApp;
beforeAll(async () => {
  test = await openTestApp();
});
afterAll(() => test.close());

it('answers nothing in the white fill around a turned picture, and says so', async () => {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3).fill(255);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = Math.ceil(40 - y / 4); x < 150 - y / 4; x++) {
      const bright = x >= 60 && x < 80 && y >= 40 && y < 60;
      pixels.fill(bright ? 235 : 20 + ((x * 7 + y * 3) % 40), (y * WIDTH + x) * 3, (y * WIDTH + x + 1) * 3);
    }
  }
  await writeUtmScene(path.join(test.root, 'turned.tif'), pixels, WIDTH, HEIGHT);
  const warnings: string[] = [];
  const scene = await test.services.scenes.register({ path: path.join(test.root, 'turned.tif') }, (warning) =>
    warnings.push(warning),
  );
  expect(warnings).toEqual([
    expect.stringMatching(/^The image is surrounded by the value 255 \(3\d\.\d % of its pixels\)/),
  ]);
  const { data } = await test.ask(
    `mutation($input: SegmentInput!) { segment(input: $input) { mask { pixelCount } } }`,
    { input: { sceneId: scene.id, prompts: ['bright'], scale: 'WINDOWS', waitS: 60 } },
  );
  // The block, and what the model, which answers for 4 x 4 pixels, sees of the fill beside the picture.
  expect(data.segment[0]!.mask!.pixelCount).toBeGreaterThanOrEqual(400);
  expect(data.segment[0]!.mask!.pixelCount).toBeLessThan(600);
});
