import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyModel, type Manifest, type VerifiedModel } from '../../src/inference/manifest.ts';

/** The models that come with TerraQL, or those of another folder. */
export const MODELS_DIR = process.env['TERRAQL_MODELS_DIR'] ?? path.resolve(import.meta.dirname, '../../models');

/** The model that the tests ask; its folder must be there and whole. */
export const testModel = (): Promise<VerifiedModel> => verifyModel(path.join(MODELS_DIR, 'segearth-r1-compact', '1'));

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const tensors = (...names: string[]) => names.map((name) => ({ name, dtype: 'FP32', shape: ['N', 8] }));

/** A manifest whose files hold their own names, so that it can be verified but not run. */
export function smallManifest(name = 'small', version = '1'): Manifest {
  const file = (content: string) => ({ path: content, sha256: sha256(content), bytes: content.length });
  return {
    name,
    version,
    license: 'CC0-1.0',
    windowPx: 8,
    logitsPx: 2,
    gsdM: { min: 0.1, max: 10 },
    vocabSize: 10,
    padTokenId: 8,
    segTokenId: 9,
    imageTokens: 1,
    maxQuestionTokens: 20,
    prompt: { REASONING: [1, 10, 2], REFERRING: [1, 10, 3] },
    files: {
      vision: { ...file('vision.onnx'), inputs: tensors('image'), outputs: tensors('image_tokens', 'mask_features') },
      language: {
        ...file('language.onnx'),
        inputs: tensors('input_ids', 'attention_mask', 'image_tokens', 'past_keys', 'past_values'),
        outputs: tensors('description', 'present_keys', 'present_values'),
      },
      mask: { ...file('mask.onnx'), inputs: tensors('description', 'mask_features'), outputs: tensors('logits') },
      tokenizer: file('tokenizer.json'),
    },
  };
}

export const temporaryFolder = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'terraql-models-'));

/** Writes the model of a manifest to a folder. */
export async function writeModel(folder: string, manifest: Manifest): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { path: name } of Object.values(manifest.files)) await writeFile(path.join(folder, name), name);
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
}
