import type { LocalModel } from '../inference/local-model.ts';
import {
  type EncodedMessage,
  type InferenceRequest,
  readRequest,
  writeResponse,
} from '../inference/open-inference/message.ts';
import { modelContract } from '../inference/model-contract.ts';
import { InferenceMessageError } from '../inference/open-inference/tensor.ts';
import { readRows, type TokenizedQuestion } from '../inference/prompt-rows.ts';
import type { ModelPhase } from '../inference/segmentation-model.ts';
import { DeadlineExceededError } from './error-response.ts';

/** Most rows of one request: all their logits are held in memory. */
const MOST_ROWS = 256;

/** An inference request as received over HTTP. */
export interface InferCall {
  readonly body: Uint8Array;
  /** Value of the header with the length of the JSON part. */
  readonly headerLength: string | undefined;
  /** Timeout, milliseconds; the request itself may set a shorter one. */
  readonly timeoutMs: number;
  /** Aborted when the client disconnects. */
  readonly gone: AbortSignal;
  readonly onPhase: (phase: ModelPhase) => void;
}

/**
 * Answers one inference request.
 * @throws {InferenceMessageError} {@link PromptRowError} for a bad request; {@link DeadlineExceededError}; errors of the
 *   model
 */
export async function infer(model: LocalModel, call: InferCall): Promise<EncodedMessage> {
  const { manifest } = model;
  const request = readRequest(call.body, call.headerLength, modelContract(manifest));
  const { image, questions } = readInputs(model, request);
  const timeoutMs = Math.min(call.timeoutMs, request.timeoutMs ?? Infinity);
  const deadline = AbortSignal.timeout(Math.ceil(timeoutMs));
  try {
    const stop = AbortSignal.any([call.gone, deadline]);
    const answers = await model.inferTokens(image, questions, stop, call.onPhase);
    const data = new Float32Array(answers.length * manifest.logitsPx ** 2);
    answers.forEach((logits, row) => data.set(logits, row * manifest.logitsPx ** 2));
    const shape = [answers.length, manifest.logitsPx, manifest.logitsPx];
    return writeResponse(manifest, request, new Map([['logits', { name: 'logits', datatype: 'FP32', shape, data }]]));
  } catch (error) {
    if (error !== deadline.reason) throw error;
    throw new DeadlineExceededError(timeoutMs, model.retryAfterS);
  }
}

function readInputs(
  { manifest }: LocalModel,
  { inputs }: InferenceRequest,
): { image: Uint8Array; questions: TokenizedQuestion[] } {
  const inputIds = inputs.get('input_ids')!;
  const attentionMask = inputs.get('attention_mask')!;
  const [rows, length] = inputIds.shape as [number, number];
  if (inputIds.shape.join() !== attentionMask.shape.join()) {
    const shapes = [inputIds, attentionMask].map(({ shape }) => JSON.stringify(shape));
    throw new InferenceMessageError(
      `input_ids has the shape ${shapes[0]} and attention_mask ${shapes[1]}; they must have the same shape.`,
    );
  }
  if (rows < 1 || rows > MOST_ROWS)
    throw new InferenceMessageError(`input_ids has ${rows} rows; a request may have 1 to ${MOST_ROWS}.`);
  const questions = readRows(manifest, {
    inputIds: inputIds.data as BigInt64Array<ArrayBuffer>,
    attentionMask: attentionMask.data as BigInt64Array<ArrayBuffer>,
    dims: [rows, length],
  });
  return { image: inputs.get('image')!.data as Uint8Array, questions };
}
