import { gunzipSync, gzipSync } from 'node:zlib';
import { request as send } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADER_LENGTH } from '../../src/inference/open-inference/message.ts';
import type { WireTensor } from '../../src/inference/open-inference/tensor.ts';
import type { TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { binaryRequest, inputsOf, jsonRequest, noiseWindow } from './inference-request.ts';
import { checked } from './open-inference-protocol.ts';
import { MODEL_PATH, type ServedModels, serveModels } from './served-models.ts';

describe('the model server', { timeout: 180_000 }, () => {
  let served: ServedModels;
  let image: Uint8Array;
  let questions: TokenizedQuestion[];
  let inputs: WireTensor[];
  /** What the model answers in this process. */
  let expected: Float32Array;
  beforeAll(async () => {
    served = await serveModels();
    const { manifest } = served.model;
    image = noiseWindow(manifest, 1);
    questions = [
      { task: 'REASONING', ids: [...words('Where could a boat moor?'), manifest.segTokenId] },
      { task: 'REFERRING', ids: [...words('water'), manifest.segTokenId] },
    ];
    inputs = inputsOf(manifest, image, questions);
    const logits = await served.model.inferTokens(image, questions);
    expected = Float32Array.from(logits.flatMap((row) => Array.from(row)));
  });
  afterAll(() => served.close());

  const words = (text: string): number[] => served.model['tokenizer'].encode(text).slice(0, -1);
  const get = (path: string) => fetch(`${served.url}${path}`);
  const infer = (init: RequestInit, path = MODEL_PATH) => fetch(`${served.url}${path}/infer`, init);
  const refused = async (init: RequestInit, status = 400): Promise<string> => {
    const response = await infer(init);
    expect(response.status).toBe(status);
    return (await errorOf(response)).error;
  };

  it('tells that it lives and is ready, and what it is', async () => {
    for (const path of [
      '/v2/health/live',
      '/v2/health/ready',
      `${MODEL_PATH}/ready`,
      '/v2/models/segearth-r1-compact/ready',
    ])
      expect((await get(path)).status, path).toBe(200);
    for (const path of ['/v2', '/v2/']) {
      const server = await (await get(path)).json();
      expect(checked('metadata_server_response', server)).toEqual({
        name: 'terraql',
        version: '0.0.0-test',
        extensions: ['binary_tensor_data'],
      });
    }
  });

  it('describes a model by its contract, with its hash and what computes it', async () => {
    const { windowPx, logitsPx } = served.model.manifest;
    for (const path of [MODEL_PATH, '/v2/models/segearth-r1-compact']) {
      const json: unknown = await (await get(path)).json();
      expect(checked('metadata_model_response', json)).toMatchObject({
        name: 'segearth-r1-compact',
        versions: ['1'],
        inputs: [
          { name: 'image', datatype: 'UINT8', shape: [1, windowPx, windowPx, 3] },
          { name: 'input_ids', datatype: 'INT64', shape: [-1, -1] },
          { name: 'attention_mask', datatype: 'INT64', shape: [-1, -1] },
        ],
        outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, logitsPx, logitsPx] }],
      });
      expect(json).toMatchObject({
        parameters: { execution_provider: 'cpu', manifest_sha256: served.model.info.sha256 },
      });
    }
  });

  it('is checked against a description that refuses what is not the protocol', () => {
    const output = { name: 'logits', datatype: 'FP32', shape: [1], data: [0.5] };
    const answer = { model_name: 'm', outputs: [output] };
    expect(checked('inference_response', answer)).toBe(answer);
    for (const wrong of [
      { ...output, shape: ['1'] },
      { ...output, data: undefined },
      { ...output, datatype: 5 },
    ])
      expect(() => checked('inference_response', { ...answer, outputs: [wrong] })).toThrow('not a valid');
    expect(() => checked('inference_error_response', { error: 5 })).toThrow('error must be string');
  });

  it('tells a client that wants to know what it does with a window, and no other', async () => {
    const fresh = binaryRequest(inputsOf(served.model.manifest, noiseWindow(served.model.manifest, 3), questions));
    const phasesOf = async (headers: Record<string, string>): Promise<unknown[]> => {
      const phases: unknown[] = [];
      const { body } = await send(`${served.url}${MODEL_PATH}/infer`, {
        method: 'POST',
        headers: { ...fresh.headers, ...headers },
        body: fresh.body,
        onInfo: ({ statusCode, headers: told }) => void phases.push([statusCode, told['terraql-phase']]),
      });
      await body.dump();
      return phases;
    };
    expect(await phasesOf({})).toEqual([]);
    // The image half of the first task is known by now; the request has a question of each.
    const known = [
      [102, 'reasoning'],
      [102, 'reasoning'],
    ];
    expect(await phasesOf({ 'terraql-phases': 'yes' })).toEqual(known);
  });

  it('answers JSON with the bits that the model answers here', async () => {
    const response = await infer(jsonRequest(inputs, { id: 'window 7', outputs: [{ name: 'logits' }] }));
    expect(response.headers.get(HEADER_LENGTH)).toBeNull();
    const answer = checked('inference_response', await response.json()) as Inference;
    const { logitsPx } = served.model.manifest;
    expect(answer).toMatchObject({
      model_name: 'segearth-r1-compact',
      model_version: '1',
      id: 'window 7',
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [2, logitsPx, logitsPx] }],
    });
    expect(Float32Array.from(answer.outputs[0]!.data)).toEqual(expected);
  });

  it('answers bytes with the bits that the model answers here', async () => {
    const response = await infer(binaryRequest(inputs), '/v2/models/segearth-r1-compact');
    expect(bytesAfterHeader(Buffer.from(await response.arrayBuffer()), response.headers.get(HEADER_LENGTH))).toEqual(
      expected,
    );
  });

  it('takes and gives gzip', async () => {
    const { headers, body } = binaryRequest(inputs);
    const compressed = { ...headers, 'content-encoding': 'gzip', 'accept-encoding': 'gzip' };
    const response = await send(`${served.url}${MODEL_PATH}/infer`, {
      method: 'POST',
      headers: compressed,
      body: gzipSync(body),
    });
    expect(response.headers['content-encoding']).toBe('gzip');
    const length = response.headers[HEADER_LENGTH.toLowerCase()] as string;
    expect(bytesAfterHeader(gunzipSync(await response.body.arrayBuffer()), length)).toEqual(expected);
  });

  it('refuses a wrong request in the form of the protocol, and says what is allowed', async () => {
    const { manifest } = served.model;
    expect(await refused({ method: 'POST', body: 'logits, please' })).toMatch(/^The message is not JSON/);
    expect(await refused({ method: 'POST' })).toMatch(/^The message is not JSON/);
    expect(await refused(jsonRequest(inputs.slice(1)))).toBe(
      'Tensor image is missing; the model needs image, input_ids, attention_mask.',
    );
    const alien = inputsOf(manifest, image, [{ task: 'REFERRING', ids: [manifest.vocabSize] }]);
    expect(await refused(binaryRequest(alien))).toContain(`tokens are 0 to ${manifest.vocabSize - 1}`);
    const bare = inputs.map((tensor) => ({
      ...tensor,
      data: tensor.name === 'attention_mask' ? new BigInt64Array(tensor.data.length).fill(1n) : tensor.data,
    }));
    expect(await refused(binaryRequest(bare))).toContain('does not start with a prompt of segearth-r1-compact');
    const many = Array.from({ length: 257 }, () => questions[1]!);
    expect(await refused(binaryRequest(inputsOf(manifest, image, many)))).toBe(
      'input_ids has 257 rows; a request may have 1 to 256.',
    );
    const tooLarge = 'x'.repeat(48 * manifest.windowPx ** 2);
    expect(await refused({ method: 'POST', body: tooLarge }, 413)).toContain('too large');
  });

  it('does not know models and routes that are not there', async () => {
    for (const path of ['/v2/models/other', '/v2/models/segearth-r1-compact/versions/2/ready', '/v2/other']) {
      const response = await get(path);
      expect(response.status, path).toBe(404);
      await errorOf(response);
    }
    expect((await infer(binaryRequest(inputs), '/v2/models/other')).status).toBe(404);
  });

  it('gives up in the time that the request allows, and says when to ask again', async () => {
    const fresh = inputsOf(served.model.manifest, noiseWindow(served.model.manifest, 2), questions);
    const response = await infer(jsonRequest(fresh, { parameters: { timeout: 1000 } }));
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await errorOf(response)).error).toMatch(/^No answer came within 0\.001 s/);
  });

  it('counts windows, batches and requests for Prometheus', async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    const value = (name: string): number => {
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}{model="segearth-r1-compact/1"`));
      return Number(line?.split(' ').at(-1));
    };
    expect(value('terraql_model_image_cache_misses_total')).toBeGreaterThanOrEqual(1);
    expect(value('terraql_model_image_cache_hits_total')).toBeGreaterThanOrEqual(3);
    expect(value('terraql_model_image_cache_bytes')).toBeGreaterThan(1e6);
    expect(value('terraql_model_image_cache_evictions_total')).toBe(0);
    expect(value('terraql_model_batch_questions_sum')).toBeGreaterThanOrEqual(8);
    expect(value('terraql_model_waiting_requests')).toBe(0);
    expect(text).toMatch(/terraql_model_requests_total\{model="segearth-r1-compact\/1",status="200"\} 5/);
    expect(text).toMatch(/terraql_model_requests_total\{model="segearth-r1-compact\/1",status="413"\} 1/);
    expect(text).toContain('process_resident_memory_bytes');
  });
});

interface Inference {
  readonly outputs: readonly { readonly data: readonly number[]; readonly parameters?: object }[];
}

/** The error of a refusal, which holds nothing else. */
async function errorOf(response: Response): Promise<{ error: string }> {
  const json: unknown = await response.json();
  expect(json).toEqual({ error: expect.stringMatching(/./) });
  return checked('inference_error_response', json) as { error: string };
}

/** The one tensor after the JSON part, where the binary extension puts what the description calls `data`. */
function bytesAfterHeader(body: Buffer, headerLength: string | null): Float32Array {
  const json = JSON.parse(body.subarray(0, Number(headerLength)).toString()) as Inference;
  const bytes = Uint8Array.from(body.subarray(Number(headerLength)));
  expect(json.outputs.map(({ parameters }) => parameters)).toEqual([{ binary_data_size: bytes.length }]);
  const outputs = json.outputs.map((output) => ({ ...output, data: Array.from(new Float32Array(bytes.buffer)) }));
  checked('inference_response', { ...json, outputs });
  return new Float32Array(bytes.buffer);
}
