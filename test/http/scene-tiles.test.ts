import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squarePosition } from '../../src/tiles/tile-grid.ts';
import { openServedApp, type ServedApp, SUBURB } from './served-app.ts';

let served: ServedApp;
let sceneId: string;
/** Middle of the scene, longitude and latitude. */
let centre: readonly [number, number];

const REGISTER = 'mutation ($path: String!) { registerScene(input: { path: $path }) { id footprint } }';

beforeAll(async () => {
  served = await openServedApp();
  const { data } = await served.ask(REGISTER, { path: SUBURB });
  sceneId = data.registerScene.id;
  const [ring] = data.registerScene.footprint.coordinates;
  const mean = (axis: number): number => ring.reduce((sum, position) => sum + position[axis]!, 0) / ring.length;
  centre = [mean(0), mean(1)];
});
afterAll(() => served.close());

function tileAt(z: number): string {
  const [x, y] = squarePosition(...centre);
  return `${z}/${Math.floor(x * 2 ** z)}/${Math.floor(y * 2 ** z)}`;
}
/** Pixel of that tile at the middle of the scene. */
function centreIn(z: number): [number, number] {
  const [x, y] = squarePosition(...centre).map((value) => Math.floor(((value * 2 ** z) % 1) * 256));
  return [x!, y!];
}
async function pixelsOf(path: string) {
  const response = await fetch(`${served.url}${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  const { data, info } = await sharp(Buffer.from(await response.arrayBuffer()))
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, ...info, type: response.headers.get('content-type') };
}
const at = ({ data, width }: { data: Buffer; width: number }, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4),
];

describe('a tile of imagery', () => {
  it.each([
    ['webp', 'image/webp'],
    ['png', 'image/png'],
    ['jpg', 'image/jpeg'],
  ])('is %s of 256 pixels, and of 512 for @2x', async (extension, type) => {
    const one = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(19)}.${extension}`);
    expect([one.width, one.height, one.type]).toEqual([256, 256, type]);
    const two = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(19)}@2x.${extension}`);
    expect([two.width, two.height]).toEqual([512, 512]);
  });

  it('shows each pixel of the scene where it lies, as the scene itself does', async () => {
    const z = 21;
    const tile = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(z)}.png`);
    const [x, y] = centreIn(z);
    const scene = await sharp(SUBURB).raw().toBuffer({ resolveWithObject: true });
    const [column, row] = [Math.floor(scene.info.width / 2), Math.floor(scene.info.height / 2)];
    // Within the spread of the pixels around: centres differ by less than two pixels.
    const around = [-2, -1, 0, 1, 2].flatMap((dx) =>
      [-2, -1, 0, 1, 2].map((dy) => {
        const start = ((row + dy) * scene.info.width + column + dx) * scene.info.channels;
        return [...scene.data.subarray(start, start + 3)];
      }),
    );
    const drawn = at(tile, x, y);
    expect(drawn[3]).toBe(255);
    for (const channel of [0, 1, 2]) {
      const values = around.map((pixel) => pixel[channel]!);
      expect(drawn[channel]).toBeGreaterThanOrEqual(Math.min(...values) - 2);
      expect(drawn[channel]).toBeLessThanOrEqual(Math.max(...values) + 2);
    }
  });

  it('is transparent beside the scene', async () => {
    const tile = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(12)}.png`);
    const opaque = Array.from({ length: 256 * 256 }, (_, pixel) => tile.data[pixel * 4 + 3]!).filter(
      (alpha) => alpha > 0,
    ).length;
    expect(opaque).toBeGreaterThan(0);
    expect(opaque).toBeLessThan(20 * 20);
    const elsewhere = await pixelsOf(`/tiles/scenes/${sceneId}/12/0/0.png`);
    expect(elsewhere.data.every((value) => value === 0)).toBe(true);
  });

  it('shows other bands and values when asked', async () => {
    const grey = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(19)}.png?bands=1`);
    const [red, green, blue] = at(grey, ...centreIn(19));
    expect([green, blue]).toEqual([red, red]);
    expect(red).toBeGreaterThan(0);
    const white = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(19)}.png?rescale=-2,-1`);
    expect(at(white, ...centreIn(19))).toEqual([255, 255, 255, 255]);
  });

  it('is one of all scenes that match, too', async () => {
    const single = await pixelsOf(`/tiles/scenes/${sceneId}/${tileAt(19)}.png`);
    const mosaic = await pixelsOf(`/tiles/scenes/${tileAt(19)}.png`);
    expect(mosaic.data.equals(single.data)).toBe(true);
    const none = await pixelsOf(`/tiles/scenes/${tileAt(19)}.png?filter=${encodeURIComponent('{"name":"nothing"}')}`);
    expect(none.data.every((value) => value === 0)).toBe(true);
  });

  it.each([
    ['/tiles/scenes/nonsense/0/0/0.webp', 404, 'SCENE_NOT_FOUND'],
    ['/tiles/scenes/0/0/0.gif', 400, 'TILE_STYLE_INVALID'],
    ['/tiles/scenes/0/1/0.png', 404, 'TILE_NOT_FOUND'],
    ['/tiles/scenes/0/0/0.png?filter=1', 400, 'BAD_USER_INPUT'],
    ['/tiles/scenes/0/0/0.png?filter={"colour":1}', 400, 'BAD_USER_INPUT'],
    ['/tiles/scenes/0/0/0.png?colour=1', 400, 'BAD_USER_INPUT'],
  ])('%s is refused', async (path, status, code) => {
    const response = await fetch(`${served.url}${path}`);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      status,
      code,
    ]);
  });

  it.each(['bands=9', 'bands=1,2', 'bands=x', 'rescale=1', 'rescale=5,1'])('with %s is refused', async (query) => {
    const response = await fetch(`${served.url}/tiles/scenes/${sceneId}/${tileAt(19)}.png?${query}`);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      'TILE_STYLE_INVALID',
    ]);
  });
});
