import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/inference/open-inference/tensor.ts';
import type { TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { inputsOf, noiseWindow } from './inference-request.ts';
import { type ServedModels, serveModels } from './served-models.ts';

const SCRIPT = path.join(import.meta.dirname, 'triton-client.py');
/** A Python that has `tritonclient[http]` of PyPI. */
const python = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
const installed = spawnSync(python, ['-c', 'import tritonclient.http']).status === 0;
if (!installed) console.warn(`skipped: ${python} has no tritonclient; pip install 'tritonclient[http]' to run it`);

describe.skipIf(!installed)('the Triton client of NVIDIA', () => {
  let served: ServedModels;
  let files: string[];
  let expected: Buffer;
  beforeAll(async () => {
    served = await serveModels();
    const { model } = served;
    const { manifest } = model;
    const image = noiseWindow(manifest, 3);
    const questions: TokenizedQuestion[] = [
      { task: 'REASONING', ids: [40, 41, 42, manifest.segTokenId] },
      { task: 'REFERRING', ids: [40, manifest.segTokenId] },
      { task: 'REFERRING', ids: [7, 8, manifest.segTokenId] },
    ];
    const folder = await temporaryFolder();
    files = await Promise.all(
      inputsOf(manifest, image, questions).map(async ({ name, data }) => {
        const file = path.join(folder, name);
        await writeFile(file, bytesOf(data));
        return file;
      }),
    );
    expected = Buffer.concat((await model.inferTokens(image, questions)).map(bytesOf));
  });
  afterAll(() => served.close());

  it.each([
    ['binary', 'plain'],
    ['json', 'plain'],
    ['binary', 'gzip'],
    ['json', 'gzip'],
  ])('gets the logits of the model in this process, bit for bit (%s, %s)', async (form, compression) => {
    const { host } = new URL(served.url);
    const { name, version, windowPx } = served.model.info;
    const [image, ids, mask] = files as [string, string, string];
    const words = [SCRIPT, host, name, version, image, String(windowPx), ids, mask, '3', form, compression];
    const { stdout } = await promisify(execFile)(python, words, { encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 });
    expect(stdout.equals(expected)).toBe(true);
  });
});
