import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { ModelInfo } from './segmentation-model.ts';

const FILE_NAME = /^\w[\w.-]*$/;
const fileSchema = z.object({
  path: z.string().regex(FILE_NAME, 'must be a plain file name'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
  bytes: z.number().int().positive(),
});
const tensorSchema = z.object({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.union([z.number().int(), z.string()])),
});
const graphSchema = fileSchema.extend({
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
  /** ONNX external data: weights outside the graph's own file. */
  weights: fileSchema.optional(),
});
const tokenIds = z.array(z.number().int().nonnegative()).min(1);

/** `manifest.json` of a model folder: names, inputs and outputs of the graphs, and the hash of every file. */
export const manifestSchema = z
  .object({
    name: z.string().regex(FILE_NAME),
    version: z.string().regex(FILE_NAME),
    license: z.string(),
    windowPx: z.number().int().positive(),
    logitsPx: z.number().int().positive(),
    gsdM: z.object({ min: z.number().positive(), max: z.number().positive() }),
    vocabSize: z.number().int().positive(),
    padTokenId: z.number().int().nonnegative(),
    segTokenId: z.number().int().nonnegative(),
    imageTokens: z.number().int().positive(),
    maxQuestionTokens: z.number().int().positive(),
    /** Prompt token ids before the question, by task. Id `vocabSize + i` stands for image token `i`. */
    prompt: z.object({ REASONING: tokenIds, REFERRING: tokenIds }),
    files: z.object({ vision: graphSchema, language: graphSchema, mask: graphSchema, tokenizer: fileSchema }),
  })
  .refine(({ gsdM }) => gsdM.min <= gsdM.max, { path: ['gsdM'], error: 'min must not be above max' })
  .superRefine(({ files }, context) => {
    for (const message of unfedInputs(files)) context.addIssue({ code: 'custom', path: ['files'], message });
  });

/** Graph inputs that nothing feeds: inputs are wired by name to earlier outputs. */
function unfedInputs({
  vision,
  language,
  mask,
}: Record<'vision' | 'language' | 'mask', z.infer<typeof graphSchema>>): string[] {
  const names = (tensors: { name: string }[]): string[] => tensors.map(({ name }) => name);
  const seen = names(vision.outputs);
  const tokens = ['input_ids', 'attention_mask', 'past_keys', 'past_values'];
  const missing = (what: string, wanted: string[], made: string[]): string[] =>
    wanted.filter((name) => !made.includes(name)).map((name) => `${what} ${name}`);
  return [
    ...missing('the vision graph takes', names(vision.inputs), ['image']),
    ...missing('the language graph takes', names(language.inputs), [...seen, ...tokens]),
    ...missing('the language graph must take', tokens, names(language.inputs)),
    ...missing(
      'the language graph must give',
      ['description', 'present_keys', 'present_values'],
      names(language.outputs),
    ),
    ...missing('the mask graph takes', names(mask.inputs), [...seen, 'description']),
    ...missing('the mask graph must give', ['logits'], names(mask.outputs)),
  ];
}

export type Manifest = z.infer<typeof manifestSchema>;

/** A model folder verified against its manifest. */
export interface VerifiedModel {
  readonly folder: string;
  readonly manifest: Manifest;
  /** SHA-256 of `manifest.json` itself. */
  readonly sha256: string;
}

/** A model folder is unusable: missing or invalid manifest, or files that do not match it. */
export class ModelFolderError extends AppError {
  readonly code = 'MODEL_INVALID';
  constructor(folder: string, reason: string) {
    super(`Model folder ${folder}: ${reason}`);
  }
}

/**
 * Reads the manifest of a model folder and checks size and SHA-256 of every file, including external weights.
 * @throws {ModelFolderError} naming the file and what differs
 */
export async function verifyModel(folder: string): Promise<VerifiedModel> {
  const model = await verifyQuestions(folder);
  const { vision, language, mask } = model.manifest.files;
  for (const graph of [vision, language, mask]) {
    await verifyFile(folder, graph);
    if (graph.weights) await verifyFile(folder, graph.weights);
  }
  return model;
}

/**
 * Reads the manifest of a model folder and checks the tokenizer alone; the graphs may be on another machine, with the
 * server that runs them.
 * @throws {ModelFolderError} naming the file and what differs
 */
export async function verifyQuestions(folder: string): Promise<VerifiedModel> {
  const bytes = await readFile(path.join(folder, 'manifest.json')).catch((cause: unknown) => {
    throw new ModelFolderError(folder, `cannot read manifest.json (${(cause as NodeJS.ErrnoException).code})`);
  });
  const manifest = parseManifest(folder, bytes);
  await verifyFile(folder, manifest.files.tokenizer);
  return { folder, manifest, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Public facts of a verified model. */
export function modelInfo({ manifest, sha256 }: VerifiedModel): ModelInfo {
  const { name, version, windowPx, logitsPx, gsdM, license: licence } = manifest;
  return { id: `${name}/${version}`, name, version, sha256, windowPx, logitsPx, gsdM, licence };
}

function parseManifest(folder: string, bytes: Buffer): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ModelFolderError(folder, `manifest.json is not JSON: ${(cause as Error).message}`);
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ModelFolderError(folder, `manifest.json: ${z.prettifyError(parsed.error)}`);
}

async function verifyFile(folder: string, { path: name, bytes, sha256 }: z.infer<typeof fileSchema>): Promise<void> {
  const file = path.join(folder, name);
  const hash = createHash('sha256');
  try {
    const { size } = await stat(file);
    if (size !== bytes) throw new ModelFolderError(folder, `${name} has ${size} bytes, the manifest says ${bytes}`);
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    if (cause instanceof ModelFolderError) throw cause;
    throw new ModelFolderError(folder, `cannot read ${name} (${(cause as NodeJS.ErrnoException).code})`);
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new ModelFolderError(folder, `${name} has SHA-256 ${found}, the manifest says ${sha256}`);
}
