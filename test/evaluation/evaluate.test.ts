import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localService } from '../../src/cli/application/ask.ts';
import { runCli } from '../../src/cli/program.ts';
import { type AskOptions, askSamples } from '../../src/evaluation/ask-samples.ts';
import { casePicture } from '../../src/evaluation/case-picture.ts';
import { evaluationPage } from '../../src/evaluation/evaluation-page.ts';
import { evaluationReport, reportTables } from '../../src/evaluation/evaluation-report.ts';
import { openDataset } from '../../src/evaluation/open-dataset.ts';
import type { Picture } from '../../src/evaluation/read-picture.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { CapturedTerminal } from '../cli/captured-terminal.ts';
import { HEIGHT, WIDTH, writeEarthReason, writeFolder } from './small-datasets.ts';

let test: TestApp;
beforeAll(async () => {
  test = await openTestApp();
});
afterAll(() => test.close());

const images: string[] = [];
const options = (changes: Partial<AskOptions> = {}): AskOptions => ({
  modelId: undefined,
  windowPx: 64,
  scale: 'WHOLE',
  everyQuestion: true,
  maxPrompts: 20,
  signal: new AbortController().signal,
  onImage: (_, __, image) => images.push(path.basename(image)),
  ...changes,
});

const subject = {
  model: { id: 'brightness/1', sha256: 'c'.repeat(64), windowPx: 64 },
  dataset: { name: '<Blocks>', split: '', complete: true, leftOut: ['x: no'] },
  scale: 'WHOLE',
};

/** A grey picture of the samples' size. */
const grey = async (): Promise<Picture> => {
  const size = { width: WIDTH, height: HEIGHT, widthPx: WIDTH, heightPx: HEIGHT };
  return { ...size, rgb: new Uint8Array(WIDTH * HEIGHT * 3).fill(100) };
};

describe('asking the service about labelled images', () => {
  it('compares its masks with the labels, and leaves no scene behind', async () => {
    const folder = path.join(test.root, 'blocks');
    await writeFolder(folder);
    const dataset = await openDataset(folder, 'val');
    const { answered, problems } = await askSamples(localService(test.app), dataset, null, options());
    expect(problems).toEqual([]);
    const found = new Map(answered.map(({ asked }) => [asked.question, asked]));
    // The model looks at blocks of 4 x 4 pixels of the window, so the outline is off by a pixel or so.
    expect(found.get('bright')!.targetPixels).toBe(16 * 8);
    expect(found.get('bright')!.scene.intersection).toBeGreaterThan(16 * 8 * 0.7);
    expect(found.get('dark')!.scene.intersection).toBeLessThan(16 * 8 * 0.3);
    expect(found.get('dark')!.pixels).toBe((WIDTH - 4) * HEIGHT);
    expect(found.get('a unicorn')).toMatchObject({ targetPixels: 0, scene: { predicted: 0, union: 0 } });
    expect((await test.ask('{ scenes { totalCount } }')).data.scenes.totalCount).toBe(0);
  });

  it('asks as many questions at once as the service takes, or only the first of each sample', async () => {
    const dataset = await openDataset(await writeEarthReason(test.root), 'val');
    const all = await askSamples(localService(test.app), dataset, null, options({ maxPrompts: 1 }));
    expect(all.answered.map(({ asked }) => [asked.sample, asked.question, asked.first])).toEqual([
      ['0', 'bright', true],
      ['0', 'dark', false],
      ['1', 'bright', true],
    ]);
    const first = await askSamples(localService(test.app), dataset, 1, options({ everyQuestion: false }));
    expect(first.answered.map(({ asked }) => asked.question)).toEqual(['bright']);
    expect(images.slice(-1)).toEqual(['0.png']);
  });

  it('leaves out what the service refuses and says why; refuses when nothing is left', async () => {
    const folder = path.join(test.root, 'broken');
    await writeFolder(folder, { mask: 'masks/left.png', questions: ['x'.repeat(501)] });
    const { answered, problems } = await askSamples(
      localService(test.app),
      await openDataset(folder, ''),
      null,
      options(),
    );
    expect(answered.map(({ asked }) => asked.question)).toEqual(['dark']);
    expect(problems[0]).toMatch(/^block, x+: The prompt has at least 501 tokens/);
    await writeFile(path.join(folder, 'images', 'a.png'), 'no image');
    const again = askSamples(localService(test.app), await openDataset(folder, ''), null, options());
    await expect(again).rejects.toThrow(/No sample of .*broken could be evaluated; first reason: block: /);
  });

  it('stops between images when it is interrupted', async () => {
    const stopped = AbortSignal.abort(new Error('stopped'));
    const dataset = await openDataset(await writeEarthReason(test.root), 'val');
    const asking = askSamples(localService(test.app), dataset, null, options({ signal: stopped }));
    await expect(asking).rejects.toThrow('stopped');
  });
});

describe('the report', () => {
  it('has scores for groups and categories, and escapes what a data set says', async () => {
    const folder = path.join(test.root, 'report');
    await writeFolder(folder, { id: '<b>block</b>' });
    const { answered } = await askSamples(localService(test.app), await openDataset(folder, ''), null, options());
    const asked = answered.map((answer) => answer.asked);
    const report = evaluationReport(subject, asked);
    expect(Object.keys(report.groups)).toEqual(['explicit']);
    expect(Object.keys(report.groups['explicit']!.categories)).toEqual(['block', 'unicorn']);
    expect(report.groups['explicit']!.absent).toMatchObject({ questions: 1, emptyAccuracy: 1, falseAlarmArea: 0 });
    const [scores, absence, breakdown] = reportTables(report);
    expect(scores!.rows.map(([questions, frame]) => `${questions} ${frame}`)).toEqual([
      'first 64 px window',
      'first original size',
      'all 64 px window',
      'all original size',
    ]);
    expect(absence!.rows[0]).toContain('100.0');
    expect(breakdown!.rows.map(([group, category]) => `${group} ${category}`)).toEqual([
      'explicit all',
      'explicit block',
      'explicit unicorn',
    ]);
    const page = await evaluationPage(report, answered, grey);
    expect(page).toContain('&lt;Blocks&gt;');
    expect(page).not.toContain('<b>block</b>');
    expect(page).toContain('Not set beside published scores');
    expect(page.match(/data:image\/jpeg;base64,/g)).toHaveLength(2);
  });

  it('paints hits, false alarms and misses over the image', async () => {
    const folder = path.join(test.root, 'picture');
    await writeFolder(folder);
    const [sample] = (await openDataset(folder, '')).samples;
    // Everything left of column 16 is answered; the block spans columns 8 to 24.
    const counts = [0, 16 * HEIGHT, (WIDTH - 16) * HEIGHT];
    const { answered } = await askSamples(localService(test.app), await openDataset(folder, ''), null, options());
    const uri = await casePicture({ asked: answered[0]!.asked, sample: sample!, counts }, grey);
    const { data } = await sharp(Buffer.from(uri.split(',')[1]!, 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number) => [0, 1, 2].map((channel) => data[(y * WIDTH + x) * 3 + channel]!);
    const strongest = (x: number, y: number) => at(x, y).indexOf(Math.max(...at(x, y)));
    expect([strongest(12, 16), strongest(3, 3), strongest(20, 16)]).toEqual([1, 0, 2]);
    expect(Math.max(...at(40, 28)) - Math.min(...at(40, 28))).toBeLessThan(12);
  });

  it('leaves pixels that nobody labelled as they are', async () => {
    const folder = path.join(test.root, 'unlabelled');
    await writeFolder(folder);
    const dataset = await openDataset(folder, '');
    const { answered } = await askSamples(localService(test.app), dataset, null, options());
    const unlabelled = path.join(folder, 'unlabelled.png');
    const white = { width: WIDTH, height: HEIGHT, channels: 3 as const, background: 'white' };
    await sharp({ create: white }).png().toFile(unlabelled);
    const sample = { ...dataset.samples[0]!, unlabelled };
    const counts = [0, WIDTH * HEIGHT];
    const painted = await casePicture({ asked: answered[0]!.asked, sample, counts }, grey);
    const untouched = await casePicture({ asked: answered[0]!.asked, sample, counts: [WIDTH * HEIGHT] }, grey);
    expect(painted).toBe(untouched);
  });
});

describe('terraql evaluate', () => {
  it('measures the bundled model on a database of its own', { timeout: 600_000 }, async () => {
    const folder = path.join(test.root, 'command');
    await writeFolder(folder);
    const html = path.join(test.root, 'report.html');
    const terminal = new CapturedTerminal();
    const words = ['evaluate', folder, '--limit', '1', '--html', html, '--json'];
    const environment = { TERRAQL_LOG_LEVEL: 'silent', DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };
    const exitCode = await runCli(words, terminal, environment);
    expect({ exitCode, errors: terminal.notes.filter((line) => line.startsWith('terraql:')) }).toEqual({
      exitCode: 0,
      errors: [],
    });
    const report = JSON.parse(terminal.output);
    expect(report).toMatchObject({
      dataset: { name: 'Blocks', complete: false, leftOut: [] },
      allQuestions: { questions: 3, images: 1, absent: { questions: 1 } },
      scale: 'AUTO',
    });
    expect(await readFile(html, 'utf8')).toContain('Numbers are percent');
  });

  it.each([
    [['evaluate', '/nowhere'], 1, /\/nowhere is not a folder/],
    [['evaluate', 'src'], 1, /has neither dataset\.json nor all of images, labels, QAs/],
    [['evaluate', '.', '--scale', 'huge'], 2, /Allowed are auto, whole, windows/],
    [['evaluate', '.', '--limit', '0'], 2, /must be a whole number of at least 1/],
    [['evaluate'], 2, /missing required argument 'folder'/],
  ])('refuses %j', async (words, code, message) => {
    const terminal = new CapturedTerminal();
    expect(await runCli(words, terminal, {})).toBe(code);
    expect(terminal.notes.join('\n')).toMatch(message);
  });
});
