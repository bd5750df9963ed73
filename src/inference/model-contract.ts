import { z } from 'zod';
import type { Manifest, VerifiedModel } from './manifest.ts';
import type { ModelContract } from './open-inference/message.ts';
import { parametersSchema, type TensorContract } from './open-inference/tensor.ts';

/** `GET /v2/models/{name}/versions/{version}`. Servers may add fields; the parameters are our own. */
export const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).optional(),
  platform: z.string(),
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) })).optional(),
  outputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) })).optional(),
  parameters: parametersSchema.optional(),
});

export type ModelMetadata = z.infer<typeof metadataSchema>;

/**
 * Inputs and outputs of a served model: a letterboxed window, rows of token ids (the task's prompt, where id
 * `vocabSize + i` stands for image token `i`, the question, `[SEG]`, padding), an attention mask that is 1 on the
 * question, and per row the logits before the sigmoid.
 */
export function modelContract({ windowPx, logitsPx }: Manifest): ModelContract {
  return {
    inputs: [
      { name: 'image', datatype: 'UINT8', shape: [1, windowPx, windowPx, 3] },
      { name: 'input_ids', datatype: 'INT64', shape: [-1, -1] },
      { name: 'attention_mask', datatype: 'INT64', shape: [-1, -1] },
    ],
    outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, logitsPx, logitsPx] }],
  };
}

/** How a server's model differs from the model of the folder; null when it does not. */
export function contractDifference({ manifest, sha256 }: VerifiedModel, metadata: ModelMetadata): string | null {
  const { inputs, outputs } = modelContract(manifest);
  const served = metadata.parameters?.['manifest_sha256'];
  if (served !== undefined && served !== sha256)
    return `it serves the model of another manifest (SHA-256 ${served}; here it is ${sha256})`;
  return tensorDifference('input', inputs, metadata.inputs) ?? tensorDifference('output', outputs, metadata.outputs);
}

function tensorDifference(
  kind: string,
  wanted: readonly TensorContract[],
  found: ModelMetadata['inputs'],
): string | null {
  for (const { name, datatype, shape } of wanted) {
    const tensor = found?.find((candidate) => candidate.name === name);
    if (!tensor) return `its model has no ${kind} ${name}`;
    const fits =
      tensor.datatype === datatype &&
      tensor.shape.length === shape.length &&
      tensor.shape.every((size, i) => size === -1 || shape[i] === -1 || size === shape[i]);
    const is = (type: string, dims: readonly number[]): string => `${type} ${JSON.stringify(dims)}`;
    if (!fits) return `its ${kind} ${name} is ${is(tensor.datatype, tensor.shape)}, not ${is(datatype, shape)}`;
  }
  return null;
}
