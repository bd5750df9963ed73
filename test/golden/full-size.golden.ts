import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { EncodedWindow } from '../../src/inference/image-cache.ts';
import { verifyModel } from '../../src/inference/manifest.ts';
import { ModelGraphs } from '../../src/inference/model-graphs.ts';
import type { TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { letterbox } from '../../src/raster/letterbox.ts';
import { sha256 } from '../inference/model-folder.ts';

/**
 * The full-size network in ONNX Runtime against what the published code computes with the same weights, which are drawn
 * by a rule. Python draws, converts and exports them first, as it would a release (`docs/model.md`).
 *
 * SEGEARTH_GOLDEN: folder with golden.npz and its image. SEGEARTH_PYTHON: a Python with the package `segmenter`'s
 * dependencies. SEGEARTH_GOLDEN_WORK: folder for 13 GB, kept and used again.
 */
const VECTORS = process.env['SEGEARTH_GOLDEN'];
const PYTHON = process.env['SEGEARTH_PYTHON'] ?? 'python3';
const ROOT = path.resolve(import.meta.dirname, '../..');
const WORK = path.resolve(process.env['SEGEARTH_GOLDEN_WORK'] ?? path.join(ROOT, 'node_modules/.cache/terraql/golden'));
const WINDOW = 1024;

const Probes = z.object({ at: z.array(z.number()).min(1), value: z.array(z.number()) });
const Golden = z.object({
  letterbox: z.object({ sha256: z.string() }),
  limits: z.object({ tokens: z.number(), mask_features: z.number(), d: z.number(), logits: z.number() }),
  image_tokens: Probes,
  mask_features: Probes,
  prompts: z
    .array(
      z.object({
        task: z.enum(['REASONING', 'REFERRING']),
        ids: z.array(z.number()),
        description: z.array(z.number()),
        logits: z.base64(),
        mask: z.base64(),
      }),
    )
    .length(3),
});
type Golden = z.infer<typeof Golden>;

/** Largest absolute difference of a tensor at the places of the probes. */
function largestDifference(found: Float32Array, { at, value }: z.infer<typeof Probes>): number {
  return at.reduce((most, place, i) => Math.max(most, Math.abs(found[place]! - value[i]!)), 0);
}

const everywhere = (value: readonly number[]): z.infer<typeof Probes> => ({ at: [...value.keys()], value: [...value] });

const floats = (base64: string): number[] => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
};

/** Logits four times as large, bilinearly with half-pixel centres (`align_corners=False`), and whether they are above 0. */
function maskOf(logits: Float32Array): Uint8Array {
  const side = WINDOW / 4;
  const mask = new Uint8Array(WINDOW * WINDOW);
  const place = (i: number) => {
    const position = Math.max(0, (i + 0.5) / 4 - 0.5);
    const low = Math.floor(position);
    return { low, high: Math.min(side - 1, low + 1), share: position - low };
  };
  for (let y = 0; y < WINDOW; y++) {
    const row = place(y);
    for (let x = 0; x < WINDOW; x++) {
      const column = place(x);
      const line = (r: number) =>
        logits[r * side + column.low]! * (1 - column.share) + logits[r * side + column.high]! * column.share;
      mask[y * WINDOW + x] = Number(line(row.low) * (1 - row.share) + line(row.high) * row.share > 0);
    }
  }
  return mask;
}

function overlap(found: Uint8Array, packed: Buffer): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    const expected = (packed[i >> 3]! >> (7 - (i & 7))) & 1;
    both += found[i]! & expected;
    either += found[i]! | expected;
  }
  return both / either;
}

async function prepare(): Promise<void> {
  if (existsSync(path.join(WORK, 'golden.json'))) return;
  if (VECTORS === undefined) throw new Error('SEGEARTH_GOLDEN must name the folder with golden.npz and its image');
  const words = ['-m', 'segmenter', 'golden-full', '--vectors', path.resolve(VECTORS), '--out', WORK];
  const child = spawn(PYTHON, words, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PYTHONPATH: path.join(ROOT, 'models') },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${PYTHON} ${words.join(' ')} ended with code ${code}`);
}

describe('the full-size network through conversion, export and ONNX Runtime', () => {
  let golden: Golden;
  let graphs: ModelGraphs;
  let image: Uint8Array;
  let window: EncodedWindow;
  let questions: TokenizedQuestion[];

  beforeAll(async () => {
    await prepare();
    golden = Golden.parse(JSON.parse(readFileSync(path.join(WORK, 'golden.json'), 'utf8')));
    const { folder, manifest } = await verifyModel(path.join(WORK, 'model'));
    graphs = await ModelGraphs.load(folder, manifest);
    const { data, info } = await sharp(path.join(WORK, 'image.png'))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    image = letterbox(data, info.width, info.height, WINDOW);
    window = await graphs.encode(image);
    questions = golden.prompts.map(({ task, ids }) => ({ task, ids }));
  });

  const report = (name: string, difference: number, limit: number): void => {
    console.log(`${name}: largest difference ${difference.toExponential(1)}, limit ${limit.toExponential(0)}`);
    expect(difference, name).toBeLessThanOrEqual(limit);
  };

  it('letterboxes to the bit', () => {
    expect(sha256(image)).toBe(golden.letterbox.sha256);
  });

  it('gives the image tokens and mask features', () => {
    const features = (name: string) => window.features[name]!.data as Float32Array;
    report('image_tokens', largestDifference(features('image_tokens'), golden.image_tokens), golden.limits.tokens);
    report(
      'mask_features',
      largestDifference(features('mask_features'), golden.mask_features),
      golden.limits.mask_features,
    );
  });

  it('gives the description of each prompt', async () => {
    for (const [index, { task, ids, description }] of golden.prompts.entries()) {
      const found = (await graphs.describe(window, task, [ids])).data as Float32Array;
      report(`prompt ${index} description`, largestDifference(found, everywhere(description)), golden.limits.d);
    }
  });

  it('gives the logits and the mask of each prompt, asked together', async () => {
    const answers = await graphs.infer(image, questions);
    for (const [index, { logits, mask }] of golden.prompts.entries()) {
      report(
        `prompt ${index} logits`,
        largestDifference(answers[index]!, everywhere(floats(logits))),
        golden.limits.logits,
      );
      const iou = overlap(maskOf(answers[index]!), Buffer.from(mask, 'base64'));
      console.log(`prompt ${index} mask: IoU ${iou.toFixed(6)}`);
      expect(iou).toBeGreaterThanOrEqual(0.9999);
    }
  });
});
