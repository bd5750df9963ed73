import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLabel } from '../../src/evaluation/label.ts';
import { openDataset } from '../../src/evaluation/open-dataset.ts';
import {
  HEIGHT,
  inBlock,
  WIDTH,
  writeEarthReason,
  writeFolder,
  writeGrey,
  writeJson,
  writeLabel,
} from './small-datasets.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'terraql-dataset-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('EarthReason', () => {
  it('is joined by stem, and says what has no partner', async () => {
    const folder = await writeEarthReason(root);
    const { name, split, samples, problems } = await openDataset(root, 'val');
    expect({ name, split, problems }).toEqual({ name: 'EarthReason', split: 'val', problems: ['2 is not in labels'] });
    expect(samples.map((sample) => [sample.name, sample.questions, sample.task])).toEqual([
      ['0', ['bright', 'dark'], 'REASONING'],
      ['1', ['bright'], 'REASONING'],
    ]);
    expect((await openDataset(folder, 'val')).samples).toEqual(samples);
  });

  it('leaves out samples whose questions cannot be read', async () => {
    const folder = await writeEarthReason(root);
    await writeFile(path.join(folder, 'QAs', '0.json'), '{');
    const { samples, problems } = await openDataset(root, 'val');
    expect(samples.map(({ name }) => name)).toEqual(['1']);
    expect(problems[0]).toMatch(/0\.json is not JSON/);
    await writeJson(path.join(folder, 'QAs', '1.txt'), { questions: ['  '] });
    await expect(openDataset(root, 'val')).rejects.toThrow(/has no usable sample; the first of 3 problems: /);
  });

  it('is refused when two files have one stem', async () => {
    const folder = await writeEarthReason(root);
    await writeLabel(path.join(folder, 'images', '0.jpg'));
    await expect(openDataset(root, 'val')).rejects.toThrow(/0\.jpg and 0\.png in .*images have the same stem/);
  });
});

describe('a folder of one’s own', () => {
  it('names image, mask and questions of each sample', async () => {
    await writeFolder(root);
    const { name, samples, problems } = await openDataset(root, 'val');
    expect({ name, problems }).toEqual({ name: 'Blocks', problems: [] });
    expect(samples.map((sample) => [sample.name, sample.task, sample.category, sample.mask === null])).toEqual([
      ['block', 'REASONING', 'block', false],
      ['samples[1]', 'REFERRING', 'block', false],
      ['samples[2]', 'REASONING', 'unicorn', true],
    ]);
  });

  it.each([
    [{ image: '../a.png' }, /^samples\[0\]\.image: \.\.\/a\.png leaves /],
    [{ mask: 'masks/none.png' }, /^samples\[0\]\.mask: masks\/none\.png does not exist$/],
    [{ mask: 3 }, /^samples\[0\]: .*mask/],
    [{ questions: [] }, /^samples\[0\]: .*there must be a question/],
    [{ task: 'GUESSING' }, /^samples\[0\]: .*REASONING/],
    [{ colour: 'red' }, /^samples\[0\]: .*colour/],
  ])('leaves out a sample with %o', async (change, message) => {
    await writeFolder(root, change);
    const { samples, problems } = await openDataset(root, 'val');
    expect(samples).toHaveLength(2);
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it('is refused when it is something else', async () => {
    await expect(openDataset(root, 'val')).rejects.toThrow(/has neither dataset\.json nor all of images, labels, QAs/);
    await writeJson(path.join(root, 'dataset.json'), { samples: 1 });
    await expect(openDataset(root, 'val')).rejects.toThrow(/dataset\.json: .*samples/);
  });
});

describe('a label', () => {
  it('is 1 where any colour is not 0, and leaves unlabelled pixels out', async () => {
    await writeFolder(root);
    const [sample] = (await openDataset(root, 'val')).samples;
    const coloured = path.join(root, 'coloured.png');
    const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return inBlock(pixel % WIDTH, Math.floor(pixel / WIDTH)) && i % 3 === 1 ? 128 : 0;
    });
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    await sharp(rgb, { raw }).png({ palette: true }).toFile(coloured);
    const unlabelled = path.join(root, 'masks', 'left.png');
    const { target, counts } = await readLabel({ ...sample!, mask: coloured, unlabelled }, WIDTH, HEIGHT);
    const places = Array.from({ length: WIDTH * HEIGHT }, (_, i) => [i % WIDTH, Math.floor(i / WIDTH)] as const);
    expect([...target]).toEqual(places.map(([x, y]) => Number(inBlock(x, y))));
    expect([...counts]).toEqual(places.map(([x]) => Number(x >= 4)));
  });

  it('is refused in another size, with deep samples, and when it is no image', async () => {
    await writeFolder(root);
    const [sample] = (await openDataset(root, 'val')).samples;
    const mask = path.join(root, 'wrong.png');
    const read = () => readLabel({ ...sample!, mask }, WIDTH, HEIGHT);
    await writeGrey(mask, () => 1, [5, 4]);
    await expect(read()).rejects.toThrow(`${mask} is 5 x 4 pixels, the image ${WIDTH} x ${HEIGHT}`);
    await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'red' } })
      .toColourspace('rgb16')
      .png()
      .toFile(mask);
    await expect(read()).rejects.toThrow('has samples of type ushort; a mask has at most 8 bits');
    await writeFile(mask, 'no image');
    await expect(read()).rejects.toThrow('cannot be read as an image');
  });
});
