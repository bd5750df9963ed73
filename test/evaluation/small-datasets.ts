import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

export const WIDTH = 48;
export const HEIGHT = 32;

/** Dark but for a bright block of 16 x 8 pixels with its top left corner at (8, 12). */
async function writeImage(file: string): Promise<void> {
  await writeGrey(file, (x, y) => (inBlock(x, y) ? 235 : 20));
}

/** The block as a label; `value` inside. */
export async function writeLabel(file: string, value = 255): Promise<void> {
  await writeGrey(file, (x, y) => (inBlock(x, y) ? value : 0));
}

export const inBlock = (x: number, y: number): boolean => x >= 8 && x < 24 && y >= 12 && y < 20;

export async function writeGrey(
  file: string,
  value: (x: number, y: number) => number,
  [width, height] = [WIDTH, HEIGHT],
): Promise<void> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  await mkdir(path.dirname(file), { recursive: true });
  await sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(file);
}

export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(value));
}

/** EarthReason's layout: `0` has two questions, `1` no target, `2` no label. @returns folder of the split */
export async function writeEarthReason(root: string): Promise<string> {
  const folder = path.join(root, 'rs_reason_seg', 'RSReasonSeg', 'val');
  for (const stem of ['0', '1', '2']) await writeImage(path.join(folder, 'images', `${stem}.png`));
  await writeLabel(path.join(folder, 'labels', '0.png'));
  await writeLabel(path.join(folder, 'labels', '1.png'), 0);
  await writeJson(path.join(folder, 'QAs', '0.json'), { questions: ['bright', ' dark '], answer: ['There.'] });
  await writeJson(path.join(folder, 'QAs', '1.txt'), { questions: ['bright'], answer: [] });
  await writeJson(path.join(folder, 'QAs', '2.json'), { questions: ['bright'], answer: [] });
  return folder;
}

/** A folder of one's own with three samples of one image. */
export async function writeFolder(root: string, change: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await writeImage(path.join(root, 'images', 'a.png'));
  await writeLabel(path.join(root, 'masks', 'a.png'), 1);
  await writeGrey(path.join(root, 'masks', 'left.png'), (x) => (x < 4 ? 9 : 0));
  const block = { image: 'images/a.png', mask: 'masks/a.png', category: 'block', group: 'explicit' };
  await writeJson(path.join(root, 'dataset.json'), {
    name: 'Blocks',
    samples: [
      { ...block, id: 'block', questions: ['bright'], ...change },
      { ...block, questions: ['dark'], task: 'REFERRING', unlabelled: 'masks/left.png' },
      { image: 'images/a.png', mask: null, questions: ['a unicorn'], category: 'unicorn', group: 'explicit' },
    ],
  });
}
