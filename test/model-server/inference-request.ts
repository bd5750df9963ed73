import type { Manifest } from '../../src/inference/manifest.ts';
import { HEADER_LENGTH, writeRequest } from '../../src/inference/open-inference/message.ts';
import type { WireTensor } from '../../src/inference/open-inference/tensor.ts';
import { promptRows, type TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { seededRandom } from '../seeded.ts';

/** A window of noise; each seed another one. */
export function noiseWindow({ windowPx }: Manifest, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: windowPx ** 2 * 3 }, () => random() * 256);
}

/** The tensors of a request. */
export function inputsOf(manifest: Manifest, image: Uint8Array, questions: readonly TokenizedQuestion[]): WireTensor[] {
  const { inputIds, attentionMask, dims } = promptRows(manifest, questions);
  return [
    { name: 'image', datatype: 'UINT8', shape: [1, manifest.windowPx, manifest.windowPx, 3], data: image },
    { name: 'input_ids', datatype: 'INT64', shape: dims, data: inputIds },
    { name: 'attention_mask', datatype: 'INT64', shape: dims, data: attentionMask },
  ];
}

interface BinaryRequest {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: Buffer<ArrayBuffer>;
}

/** A `fetch` of a request with the binary tensor extension. */
export function binaryRequest(inputs: readonly WireTensor[]): BinaryRequest {
  const { parts, headerLength } = writeRequest(inputs, ['logits']);
  return { method: 'POST', headers: { [HEADER_LENGTH]: String(headerLength) }, body: Buffer.concat(parts) };
}

/** The same request as JSON. */
export function jsonRequest(
  inputs: readonly WireTensor[],
  beside: object = {},
): { readonly method: 'POST'; readonly body: string } {
  const tensors = inputs.map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape,
    data: Array.from(data as ArrayLike<number | bigint>, Number),
  }));
  return { method: 'POST', body: JSON.stringify({ inputs: tensors, ...beside }) };
}
