import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifiedModel } from '../../src/inference/manifest.ts';
import { ModelGraphs } from '../../src/inference/model-graphs.ts';
import { modelContract } from '../../src/inference/model-contract.ts';
import { promptRows, type TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { temporaryFolder, testModel } from '../inference/model-folder.ts';
import { noiseWindow } from '../model-server/inference-request.ts';

/** A Python that has `onnx` of PyPI. */
const python = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
const installed = spawnSync(python, ['-c', 'import onnx']).status === 0;
if (!installed) console.warn(`skipped: ${python} has no onnx; pip install onnx to run it`);

/** Allowed difference of a logit, as a share of the largest; one nearer to 0 than the second may fall on either side. */
const [TOLERANCE, UNDECIDED] = [1e-4, 1e-3];

describe.skipIf(!installed)('the graphs of the bundled model as one, for other servers of the protocol', () => {
  let model: VerifiedModel;
  let folder: string;
  let fused: InferenceSession;
  let image: Uint8Array;
  let questions: TokenizedQuestion[];

  beforeAll(async () => {
    model = await testModel();
    const repository = await temporaryFolder();
    execFileSync(python, ['-m', 'segmenter', 'fuse', '--model', model.folder, '--out', repository], {
      env: { ...process.env, PYTHONPATH: path.resolve(import.meta.dirname, '../../models') },
    });
    folder = path.join(repository, model.manifest.name);
    fused = await InferenceSession.create(path.join(folder, model.manifest.version, 'model.onnx'));
    const { segTokenId } = model.manifest;
    image = noiseWindow(model.manifest, 5);
    questions = [
      { task: 'REASONING', ids: [40, 41, 42, segTokenId] },
      { task: 'REFERRING', ids: [40, segTokenId] },
      { task: 'REASONING', ids: [7, 8, segTokenId] },
    ];
  });

  async function ask(asked: TokenizedQuestion[]): Promise<Float32Array> {
    const { inputIds, attentionMask, dims } = promptRows(model.manifest, asked);
    const side = model.manifest.windowPx;
    const { logits } = await fused.run({
      image: new Tensor('uint8', image, [1, side, side, 3]),
      input_ids: new Tensor('int64', inputIds, dims),
      attention_mask: new Tensor('int64', attentionMask, dims),
    });
    return logits!.data as Float32Array;
  }

  function expectSame(found: Float32Array, expected: Float32Array): void {
    const largest = expected.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
    const difference = found.reduce((most, logit, i) => Math.max(most, Math.abs(logit - expected[i]!)), 0);
    expect(difference / largest).toBeLessThan(TOLERANCE);
    const moved = expected.filter((logit, i) => logit > 0 !== found[i]! > 0 && Math.abs(logit) >= UNDECIDED);
    expect(moved).toEqual(new Float32Array(0));
  }

  it('answers rows of the protocol as the service does, together and alone', async () => {
    const graphs = await ModelGraphs.load(model.folder, model.manifest);
    const expected = await graphs.infer(image, questions);
    const size = model.manifest.logitsPx ** 2;
    const together = await ask(questions);
    for (const [row, question] of questions.entries()) {
      expectSame(together.subarray(row * size, (row + 1) * size), expected[row]!);
      expectSame(await ask([question]), expected[row]!);
    }
  });

  it('is configured with the tensors of the contract', () => {
    const config = readFileSync(path.join(folder, 'config.pbtxt'), 'utf8');
    const tensors = [
      ...config.matchAll(/(input|output) \{\n\s+name: "(\w+)"\n\s+data_type: TYPE_(\w+)\n\s+dims: (.+)\n/g),
    ];
    const { inputs, outputs } = modelContract(model.manifest);
    expect(
      tensors.map(([, kind, name, datatype, shape]) => ({ kind, name, datatype, shape: JSON.parse(shape!) })),
    ).toEqual([
      ...inputs.map((tensor) => ({ kind: 'input', ...tensor })),
      ...outputs.map((tensor) => ({ kind: 'output', ...tensor })),
    ]);
    expect(config).toContain(`"${model.sha256}"`);
  });
});
