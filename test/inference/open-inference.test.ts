import { describe, expect, it } from 'vitest';
import {
  type EncodedMessage,
  type ModelContract,
  readRequest,
  readResponse,
  writeRequest,
  writeResponse,
} from '../../src/inference/open-inference/message.ts';
import { InferenceMessageError, type WireTensor } from '../../src/inference/open-inference/tensor.ts';

const contract: ModelContract = {
  inputs: [
    { name: 'image', datatype: 'UINT8', shape: [1, 2, 3] },
    { name: 'ids', datatype: 'INT64', shape: [-1] },
  ],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }],
};
const image: WireTensor = {
  name: 'image',
  datatype: 'UINT8',
  shape: [1, 2, 3],
  data: Uint8Array.of(0, 1, 2, 253, 254, 255),
};
const ids: WireTensor = { name: 'ids', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 40n) };
const logits: WireTensor = {
  name: 'logits',
  datatype: 'FP32',
  shape: [2, 2],
  data: Float32Array.of(0.1, -3.4e38, 1.17e-38, 1 / 3),
};

const read = ({ parts, headerLength }: EncodedMessage) =>
  readRequest(Buffer.concat(parts), headerLength === null ? undefined : String(headerLength), contract);
const readJson = (json: unknown) => readRequest(Buffer.from(JSON.stringify(json)), undefined, contract);
const inJson = (json: object = {}) => ({
  inputs: [
    { name: 'image', datatype: 'UINT8', shape: [1, 2, 3], data: [0, 1, 2, 253, 254, 255] },
    { name: 'ids', datatype: 'INT64', shape: [2], data: [-1, 2 ** 40] },
  ],
  ...json,
});

describe('inference requests', () => {
  it('hold the same tensors as bytes and as JSON, flat or nested', () => {
    const nested = inJson();
    nested.inputs[0]!.data = [
      [
        [0, 1, 2],
        [253, 254, 255],
      ],
    ] as never;
    for (const request of [read(writeRequest([image, ids], ['logits'])), readJson(inJson()), readJson(nested)]) {
      expect(request.inputs.get('image')!.data).toEqual(image.data);
      expect(request.inputs.get('ids')!.data).toEqual(ids.data);
    }
  });

  it('ask for outputs as JSON unless they ask for bytes', () => {
    expect(read(writeRequest([image, ids], ['logits'])).outputs).toEqual([{ name: 'logits', binary: true }]);
    expect(readJson(inJson()).outputs).toEqual([{ name: 'logits', binary: false }]);
    expect(readJson(inJson({ parameters: { binary_data_output: true } })).outputs[0]!.binary).toBe(true);
    const outputs = [{ name: 'logits', parameters: { binary_data: false } }];
    expect(readJson(inJson({ outputs, parameters: { binary_data_output: true } })).outputs[0]!.binary).toBe(false);
  });

  it('carry an id and a time limit', () => {
    expect(readJson(inJson({ id: '42', parameters: { timeout: 1_500_000 } }))).toMatchObject({
      id: '42',
      timeoutMs: 1500,
    });
    expect(readJson(inJson({ parameters: { timeout: 0 } })).timeoutMs).toBeNull();
    expect(() => readJson(inJson({ parameters: { timeout: 'soon' } }))).toThrow('Parameter timeout is "soon"');
  });

  it.each([
    [{ inputs: [] }, 'Tensor image is missing; the model needs image, ids.'],
    [{ inputs: [...inJson().inputs, inJson().inputs[0]] }, 'Tensor image is given twice.'],
    [{ inputs: [{ ...inJson().inputs[0]!, name: 'picture' }] }, 'Tensor picture is unknown; the model has image, ids.'],
    [{ inputs: [{ ...inJson().inputs[0]!, datatype: 'FP32' }] }, 'the datatype FP32; it must be UINT8'],
    [{ inputs: [{ ...inJson().inputs[0]!, shape: [1, 3, 2] }] }, 'the shape [1,3,2]; it must be [1,2,3]'],
    [{ inputs: [{ ...inJson().inputs[0]!, data: [1, 2] }] }, 'Tensor image has 2 values; its shape takes 6.'],
    [
      { inputs: [{ ...inJson().inputs[0]!, data: [256, 0, 0, 0, 0, 0] }] },
      'Tensor image has the value 256; it must be UINT8.',
    ],
    [{ inputs: [{ ...inJson().inputs[1]!, data: [1.5, 0] }] }, 'Tensor ids has the value 1.5; it must be INT64.'],
    [{ inputs: [{ ...inJson().inputs[1]!, data: undefined }] }, 'Tensor ids has neither data nor binary_data_size.'],
    [{ inputs: [{ ...inJson().inputs[1]!, data: undefined, parameters: { binary_data_size: 16 } }] }, '0 are left'],
    [{ inputs: 'none' }, 'The message does not follow the protocol'],
    [inJson({ outputs: [{ name: 'masks' }] }), 'Output masks is unknown; the model has logits.'],
  ])('are refused with what is wrong: %j', (json, message) => {
    expect(() => readJson(json)).toThrow(InferenceMessageError);
    expect(() => readJson(json)).toThrow(message);
  });

  it('are refused when header and bytes do not agree', () => {
    const { parts, headerLength } = writeRequest([image, ids], ['logits']);
    const body = Buffer.concat(parts);
    const readAs =
      (length: string, bytes = body) =>
      () =>
        readRequest(bytes, length, contract);
    expect(readAs('many')).toThrow('Inference-Header-Content-Length is "many"; it must be a number of bytes up to');
    expect(readAs(String(body.length + 1))).toThrow('it must be a number of bytes up to');
    expect(readAs('-1')).toThrow('it must be a number of bytes up to');
    expect(readAs('7')).toThrow('The message is not JSON');
    expect(readAs(String(headerLength), body.subarray(0, -1))).toThrow(
      'Tensor ids should have 16 bytes after the JSON; 15 are left.',
    );
    expect(readAs(String(headerLength), Buffer.concat([body, Buffer.of(0)]))).toThrow(
      '1 bytes after the JSON belong to no tensor.',
    );
  });
});

describe('inference answers', () => {
  it.each([true, false])('bring back every bit of a float32 (as bytes: %s)', (binary) => {
    const request = readJson(inJson({ id: '7', outputs: [{ name: 'logits', parameters: { binary_data: binary } }] }));
    const { parts, headerLength } = writeResponse({ name: 'm', version: '1' }, request, new Map([['logits', logits]]));
    expect(headerLength === null).toBe(!binary);
    const body = Buffer.concat(parts);
    const found = readResponse(body, headerLength === null ? undefined : String(headerLength), contract.outputs);
    expect(found.get('logits')!.data).toEqual(logits.data);
    const json = JSON.parse(body.subarray(0, headerLength ?? body.length).toString()) as object;
    expect(json).toMatchObject({ model_name: 'm', model_version: '1', id: '7' });
  });

  it('never say null for a number that JSON does not have', () => {
    const nan = { ...logits, data: Float32Array.of(Number.NaN, 0, 0, 0) };
    const answer = () => writeResponse({ name: 'm', version: '1' }, readJson(inJson()), new Map([['logits', nan]]));
    expect(answer).toThrow('Tensor logits has values that JSON cannot represent.');
  });
});
