import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { VerifiedModel } from '../../src/inference/manifest.ts';
import type { EncodedWindow } from '../../src/inference/image-cache.ts';
import { ModelGraphs } from '../../src/inference/model-graphs.ts';
import type { TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { QuestionTokenizer } from '../../src/inference/question-tokenizer.ts';
import { letterbox } from '../../src/raster/letterbox.ts';
import { letterboxGeometry } from '../../src/raster/window-plan.ts';
import { sha256, testModel } from '../inference/model-folder.ts';

/** Some values of a tensor, at places of its flattened form. */
const probes = z.object({ absMax: z.number().positive(), at: z.array(z.number()).min(1), value: z.array(z.number()) });
const goldenSchema = z.object({
  model: z.object({ sha256: z.string() }),
  image: z.object({ path: z.string(), widthPx: z.number(), heightPx: z.number() }),
  letterbox: z.object({
    heightPx: z.number(),
    widthPx: z.number(),
    topPx: z.number(),
    leftPx: z.number(),
    sha256: z.string(),
  }),
  vision: z.record(z.string(), probes),
  questions: z
    .array(
      z.object({
        task: z.enum(['REASONING', 'REFERRING']),
        text: z.string(),
        ids: z.array(z.number()),
        description: probes,
        logits: probes.extend({ positives: z.number() }),
      }),
    )
    .min(1),
});

const FIXTURES = new URL('../fixtures/parity/', import.meta.url);
const golden = goldenSchema.parse(JSON.parse(readFileSync(new URL('golden.json', FIXTURES), 'utf8')));

/** Allowed difference of a value, as a share of the tensor's largest. */
const TOLERANCE = 1e-4;
/** A logit nearer to 0 than this may fall on either side. */
const UNDECIDED = 1e-3;

function difference(found: Float32Array, { absMax, at, value }: z.infer<typeof probes>): number {
  return at.reduce((most, place, i) => Math.max(most, Math.abs(found[place]! - value[i]!)), 0) / absMax;
}

describe('the TypeScript pipeline computes what the Python pipeline does', () => {
  let model: VerifiedModel;
  let graphs: ModelGraphs;
  let pixels: Uint8Array;
  let image: Uint8Array;
  let window: EncodedWindow;
  let questions: TokenizedQuestion[];

  beforeAll(async () => {
    model = await testModel();
    graphs = await ModelGraphs.load(model.folder, model.manifest);
    pixels = await sharp(fileURLToPath(new URL(golden.image.path, FIXTURES)))
      .raw()
      .toBuffer();
    image = letterbox(pixels, golden.image.widthPx, golden.image.heightPx, model.manifest.windowPx);
    window = await graphs.encode(image);
    const tokenizer = await QuestionTokenizer.load(model);
    questions = golden.questions.map(({ task, text }) => ({ task, ids: tokenizer.encode(text) }));
  });

  it('with the same export of the model', () => {
    expect(model.sha256, 'write golden.json anew: test/fixtures/parity/README.md says how').toBe(golden.model.sha256);
  });

  it('in the letterboxed window, to the bit', () => {
    const { widthPx, heightPx, topPx, leftPx } = golden.letterbox;
    const place = letterboxGeometry(golden.image.widthPx, golden.image.heightPx, model.manifest.windowPx);
    expect(place).toEqual({ shownWidthPx: widthPx, shownHeightPx: heightPx, padTopPx: topPx, padLeftPx: leftPx });
    expect(sha256(image)).toBe(golden.letterbox.sha256);
  });

  it.each(golden.questions.map(({ text }, index) => ({ text, index })))('in the token ids of $text', ({ index }) => {
    expect(questions[index]!.ids).toEqual(golden.questions[index]!.ids);
  });

  it('in every output of the vision graph', () => {
    expect(Object.keys(window.features).toSorted()).toEqual(Object.keys(golden.vision).toSorted());
    for (const [name, expected] of Object.entries(golden.vision)) {
      expect(difference(window.features[name]!.data as Float32Array, expected), name).toBeLessThan(TOLERANCE);
    }
  });

  it('in the descriptions', async () => {
    for (const [index, { task, ids }] of questions.entries()) {
      const found = await graphs.describe(window, task, [ids]);
      const { description, text } = golden.questions[index]!;
      expect(difference(found.data as Float32Array, description), text).toBeLessThan(TOLERANCE);
    }
  });

  it('in the logits and in the masks, but for pixels that are undecided', async () => {
    const answers = await graphs.infer(image, questions);
    for (const [index, logits] of answers.entries()) {
      const { logits: expected, text } = golden.questions[index]!;
      expect(difference(logits, expected), text).toBeLessThan(TOLERANCE);
      const flipped = expected.at.filter(
        (place, i) => logits[place]! > 0 !== expected.value[i]! > 0 && Math.abs(expected.value[i]!) >= UNDECIDED,
      );
      expect(flipped, text).toEqual([]);
      const undecided = logits.filter((logit) => Math.abs(logit) < UNDECIDED).length;
      const positives = logits.filter((logit) => logit > 0).length;
      expect(Math.abs(positives - expected.positives), text).toBeLessThanOrEqual(undecided);
    }
  });
});
