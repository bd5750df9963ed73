import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { measureRedundancy, pictureCells, type RedundancyImage } from '../../src/evaluation/redundancy.ts';
import { redundancyPage } from '../../src/evaluation/redundancy-page.ts';
import { SimilarityTally, tallyNeighbours, tallyRandomPairs } from '../../src/evaluation/token-similarity.ts';
import { VisionStages, withOutputs } from '../../src/inference/vision-stages.ts';
import { CapturedTerminal } from '../cli/captured-terminal.ts';
import { seededRandom } from '../seeded.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/evaluation');
const WINDOW = 64;

const noise = (seed: number, length: number): Uint8Array => {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => Math.floor(256 * random()));
};

describe('token similarity', () => {
  const [channels, side] = [5, 9];
  const random = seededRandom(1);
  const values = Float32Array.from({ length: channels * side * side }, () => random() - 0.3);
  const features = { channels, side, values };

  /** Cosine of two cells straight from the formula. */
  function slowCosine(a: readonly [number, number], b: readonly [number, number]): number {
    const vector = ([x, y]: readonly [number, number]) =>
      Array.from({ length: channels }, (_, c) => values[(c * side + y) * side + x]!);
    const [u, v] = [vector(a), vector(b)];
    const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
    return dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v));
  }

  it('compares every pair at a distance in a row or column of the range, as the formula does', () => {
    const range = { left: 1, top: 2, right: 8, bottom: 9 };
    const tallies = [new SimilarityTally(), new SimilarityTally()];
    tallyNeighbours(features, range, [1, 3], tallies);
    [1, 3].forEach((distance, index) => {
      const found: number[] = [];
      for (let y = range.top; y < range.bottom; y++) {
        for (let x = range.left; x < range.right; x++) {
          if (x + distance < range.right) found.push(slowCosine([x, y], [x + distance, y]));
          if (y + distance < range.bottom) found.push(slowCosine([x, y], [x, y + distance]));
        }
      }
      const { pairs, mean, low, high } = tallies[index]!.result();
      const sorted = found.toSorted((a, b) => a - b);
      expect(pairs).toBe(found.length);
      expect(mean).toBeCloseTo(found.reduce((a, b) => a + b) / found.length, 5);
      expect(Math.abs(low! - sorted[Math.ceil(0.05 * pairs) - 1]!)).toBeLessThan(0.006);
      expect(Math.abs(high! - sorted[Math.ceil(0.95 * pairs) - 1]!)).toBeLessThan(0.006);
    });
  });

  it('never pairs a token with itself, and has nothing to say of one token', () => {
    const flat = { channels: 1, side: 2, values: Float32Array.of(1, -1, -1, 1) };
    const tally = new SimilarityTally();
    tallyRandomPairs(flat, { left: 0, top: 0, right: 2, bottom: 1 }, 50, seededRandom(2), tally);
    expect(tally.result()).toMatchObject({ pairs: 50, mean: -1 });
    const none = new SimilarityTally();
    tallyRandomPairs(flat, { left: 0, top: 0, right: 1, bottom: 1 }, 50, seededRandom(2), none);
    expect(none.result()).toEqual({ pairs: 0, mean: null, low: null, high: null });
  });
});

describe('stages of the vision graph', () => {
  it('become outputs of the model without another export', async () => {
    const stages = await VisionStages.load(FIXTURES, 'stages.onnx', WINDOW, 1);
    try {
      const image = noise(3, WINDOW * WINDOW * 3);
      const { res2, res5 } = await stages.of(image);
      expect([res2.channels, res2.side, res5.side]).toEqual([3, 16, 2]);
      const mean = (x0: number, y0: number, size: number, channel: number) => {
        let sum = 0;
        for (let y = y0; y < y0 + size; y++) {
          for (let x = x0; x < x0 + size; x++) sum += image[(y * WINDOW + x) * 3 + channel]!;
        }
        return sum / size ** 2 - 127.5;
      };
      expect(res2.values[(1 * 16 + 5) * 16 + 7]).toBeCloseTo(mean(28, 20, 4, 1), 3);
      expect(res5.values[(2 * 2 + 1) * 2]).toBeCloseTo(mean(0, 32, 32, 2), 3);
    } finally {
      await stages.close();
    }
  });

  it('are asked for with what to do where the export did not name them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-stages-'));
    try {
      const named = await readFile(path.join(FIXTURES, 'stages.onnx'));
      const unnamed = Buffer.from(named.toString('latin1').replaceAll('res4', 'resX'), 'latin1');
      await writeFile(path.join(folder, 'vision.onnx'), unnamed);
      await expect(VisionStages.load(folder, 'vision.onnx', WINDOW, 1)).rejects.toThrow(
        /vision\.onnx does not provide res2, res3, res4, res5 \(it has no output named res4\); .*python -m segmenter export/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
    // A name of 200 bytes needs lengths of two bytes.
    expect(withOutputs(Uint8Array.of(), ['x'.repeat(200)]).length).toBe(200 + 3 + 3 + 3);
  });
});

describe('redundancy', () => {
  it('leaves out cells that show the bars of the letterbox', () => {
    expect(pictureCells(200, 100, 64, 16)).toEqual({ left: 0, top: 4, right: 16, bottom: 12 });
    expect(pictureCells(100, 200, 64, 2)).toEqual({ left: 1, top: 0, right: 2, bottom: 2 });
    expect(pictureCells(1000, 10, 64, 2)).toEqual({ left: 0, top: 0, right: 2, bottom: 1 });
  });

  it('has nothing to say without an image', async () => {
    const stages = await VisionStages.load(FIXTURES, 'stages.onnx', WINDOW, 1);
    async function* none(): AsyncGenerator<RedundancyImage> {}
    const measured = measureRedundancy(stages, { id: 'means/1', windowPx: WINDOW }, none());
    await expect(measured).rejects.toThrow('None of the images could be read.');
    await stages.close();
  });

  it('finds neighbours of a smooth image alike, and those of noise not', async () => {
    const stages = await VisionStages.load(FIXTURES, 'stages.onnx', WINDOW, 1);
    const smooth = Uint8Array.from({ length: WINDOW * WINDOW * 3 }, (_, i) => {
      const [pixel, channel] = [Math.floor(i / 3), i % 3];
      return channel === 0 ? 4 * (pixel % WINDOW) : channel === 1 ? 4 * Math.floor(pixel / WINDOW) : 200;
    });
    async function* one(name: string, rgb: Uint8Array): AsyncGenerator<RedundancyImage> {
      yield { name, widthPx: WINDOW, heightPx: WINDOW, rgb };
    }
    try {
      const model = { id: 'means/1', windowPx: WINDOW };
      const even = await measureRedundancy(stages, model, one('smooth', smooth));
      const uneven = await measureRedundancy(stages, model, one('noise', noise(4, WINDOW * WINDOW * 3)));
      const first = (report: typeof even) => report.stages[0]!;
      expect(first(even)).toMatchObject({ stage: 'res2', strideWindowPx: 4, tokens: 256 });
      expect(first(even).neighbours['1']!.pairs).toBe(2 * 16 * 15);
      expect(first(even).neighbours['1']!.mean).toBeGreaterThan(0.98);
      expect(first(even).neighbours['8']!.mean).toBeLessThan(first(even).neighbours['1']!.mean!);
      expect(Math.abs(first(uneven).neighbours['1']!.mean!)).toBeLessThan(0.15);
      expect(even.images).toEqual([
        { name: 'smooth', neighbours: expect.objectContaining({ res2: first(even).neighbours['1']!.mean }) },
      ]);
      const page = redundancyPage({ ...even, images: [{ ...even.images[0]!, name: '<i>' }] });
      expect(page).toContain('<svg');
      expect(page).toContain('&lt;i&gt;');
      expect(page.match(/<polyline/g)).toHaveLength(4);
      expect(page).not.toContain('NaN');
    } finally {
      await stages.close();
    }
  });
});

describe('terraql redundancy', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'terraql-redundancy-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    [['redundancy', '/nowhere.tif'], 2, /\/nowhere\.tif: ENOENT/],
    [['redundancy'], 2, /missing required argument 'scenes'/],
  ])('refuses %j', async (words, code, message) => {
    const terminal = new CapturedTerminal();
    expect(await runCli(words, terminal, {})).toBe(code);
    expect(terminal.notes.join('\n')).toMatch(message);
  });

  it('refuses a folder without images', async () => {
    const terminal = new CapturedTerminal();
    expect(await runCli(['redundancy', folder], terminal, {})).toBe(2);
    expect(terminal.notes).toEqual([`terraql: ${folder} has no image (TIFF, PNG, JPEG or WebP).`]);
  });
});
