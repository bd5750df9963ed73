import { z } from 'zod';
import {
  BINARY_DATA_SIZE,
  BinaryPart,
  bytesOf,
  InferenceMessageError,
  parametersSchema,
  readTensor,
  type TensorContract,
  tensorSchema,
  type WireTensor,
} from './tensor.ts';

/** Header of the binary tensor extension: number of bytes of the body that are JSON. */
export const HEADER_LENGTH = 'Inference-Header-Content-Length';

const requestSchema = z.object({
  id: z.string().optional(),
  parameters: parametersSchema.optional(),
  inputs: z.array(tensorSchema),
  outputs: z.array(z.object({ name: z.string(), parameters: parametersSchema.optional() })).optional(),
});

const responseSchema = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(tensorSchema),
});

/** A validated inference request. */
export interface InferenceRequest {
  /** Repeated in the response. */
  readonly id: string | undefined;
  /** Parameter `timeout`, milliseconds (the protocol has microseconds). */
  readonly timeoutMs: number | null;
  /** Requested outputs, each as binary data or JSON. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[];
  readonly inputs: ReadonlyMap<string, WireTensor>;
}

/** Inputs and outputs of a model. */
export interface ModelContract {
  readonly inputs: readonly TensorContract[];
  readonly outputs: readonly TensorContract[];
}

/** An encoded message: the JSON part, then the tensors. */
export interface EncodedMessage {
  readonly parts: readonly Uint8Array[];
  /** Length of the JSON part, the value of {@link HEADER_LENGTH}; null without binary data. */
  readonly headerLength: number | null;
}

/**
 * Reads the body of an inference request.
 * @param headerLength value of {@link HEADER_LENGTH}; undefined: the whole body is JSON
 * @throws {InferenceMessageError} naming the fault and the rule
 */
export function readRequest(
  body: Uint8Array,
  headerLength: string | undefined,
  contract: ModelContract,
): InferenceRequest {
  const { json, binary } = split(body, headerLength);
  const request = parse(requestSchema, json);
  const inputs = readTensors(request.inputs, contract.inputs, binary);
  const asBytes = request.parameters?.['binary_data_output'] === true;
  const wanted = request.outputs ?? contract.outputs.map(({ name }) => ({ name, parameters: undefined }));
  return {
    id: request.id,
    timeoutMs: readTimeout(request.parameters?.['timeout']),
    outputs: wanted.map(({ name, parameters }) => ({
      name: known(name, contract),
      binary: isBinary(parameters, asBytes),
    })),
    inputs,
  };
}

/**
 * Reads the body of a response.
 * @throws {InferenceMessageError} when it violates the contract
 */
export function readResponse(
  body: Uint8Array,
  headerLength: string | undefined,
  outputs: readonly TensorContract[],
): ReadonlyMap<string, WireTensor> {
  const { json, binary } = split(body, headerLength);
  return readTensors(parse(responseSchema, json).outputs, outputs, binary);
}

/** Writes a request with binary inputs that asks for binary outputs. */
export function writeRequest(inputs: readonly WireTensor[], outputs: readonly string[]): EncodedMessage {
  const binary = new Set(inputs.map(({ name }) => name));
  const wanted = outputs.map((name) => ({ name, parameters: { binary_data: true } }));
  return write({ inputs: inputs.map((tensor) => tensorJson(tensor, true)), outputs: wanted }, inputs, binary);
}

/** Writes a response with each output in the requested encoding. */
export function writeResponse(
  model: { readonly name: string; readonly version: string },
  { id, outputs }: InferenceRequest,
  tensors: ReadonlyMap<string, WireTensor>,
): EncodedMessage {
  const made = outputs.map(({ name }) => tensors.get(name)!);
  const binary = new Set(outputs.filter((output) => output.binary).map(({ name }) => name));
  const json = {
    model_name: model.name,
    model_version: model.version,
    ...(id === undefined ? {} : { id }),
    outputs: made.map((tensor) => tensorJson(tensor, binary.has(tensor.name))),
  };
  return write(json, made, binary);
}

function write(json: unknown, tensors: readonly WireTensor[], binary: ReadonlySet<string>): EncodedMessage {
  const header = Buffer.from(JSON.stringify(json));
  const data = tensors.filter(({ name }) => binary.has(name)).map((tensor) => bytesOf(tensor.data));
  return { parts: [header, ...data], headerLength: data.length === 0 ? null : header.byteLength };
}

function tensorJson({ name, datatype, shape, data }: WireTensor, binary: boolean): object {
  if (binary) return { name, datatype, shape, parameters: { [BINARY_DATA_SIZE]: data.byteLength } };
  // JSON has neither NaN nor infinity. A float32 survives the round trip through a JSON number.
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  if (!values.every(Number.isFinite))
    throw new InferenceMessageError(`Tensor ${name} has values that JSON cannot represent.`);
  return { name, datatype, shape, data: values };
}

function split(body: Uint8Array, headerLength: string | undefined): { json: unknown; binary: BinaryPart } {
  const length = headerLength === undefined ? body.byteLength : Number(headerLength);
  if (!Number.isInteger(length) || length < 0 || length > body.byteLength || headerLength === '')
    throw new InferenceMessageError(
      `${HEADER_LENGTH} is ${JSON.stringify(headerLength)}; it must be a number of bytes up to the body's ${body.byteLength}.`,
    );
  const text = Buffer.from(body.buffer, body.byteOffset, length).toString('utf8');
  try {
    return { json: JSON.parse(text), binary: new BinaryPart(body.subarray(length)) };
  } catch (cause) {
    throw new InferenceMessageError(`The message is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InferenceMessageError(`The message does not follow the protocol: ${z.prettifyError(parsed.error)}`);
}

function readTensors(
  tensors: readonly z.infer<typeof tensorSchema>[],
  contracts: readonly TensorContract[],
  binary: BinaryPart,
): Map<string, WireTensor> {
  const read = new Map<string, WireTensor>();
  const names = contracts.map(({ name }) => name).join(', ');
  for (const tensor of tensors) {
    const contract = contracts.find(({ name }) => name === tensor.name);
    if (!contract) throw new InferenceMessageError(`Tensor ${tensor.name} is unknown; the model has ${names}.`);
    if (read.has(tensor.name)) throw new InferenceMessageError(`Tensor ${tensor.name} is given twice.`);
    read.set(tensor.name, readTensor(tensor, contract, binary));
  }
  binary.end();
  const missing = contracts.find(({ name }) => !read.has(name));
  if (missing) throw new InferenceMessageError(`Tensor ${missing.name} is missing; the model needs ${names}.`);
  return read;
}

function known(name: string, { outputs }: ModelContract): string {
  if (outputs.some((output) => output.name === name)) return name;
  const names = outputs.map((output) => output.name).join(', ');
  throw new InferenceMessageError(`Output ${name} is unknown; the model has ${names}.`);
}

function isBinary(parameters: z.infer<typeof parametersSchema> | undefined, fallback: boolean): boolean {
  const wanted = parameters?.['binary_data'];
  return typeof wanted === 'boolean' ? wanted : fallback;
}

function readTimeout(microseconds: string | number | boolean | undefined): number | null {
  if (microseconds === undefined) return null;
  if (typeof microseconds === 'number' && Number.isInteger(microseconds) && microseconds >= 0)
    return microseconds === 0 ? null : microseconds / 1000;
  throw new InferenceMessageError(
    `Parameter timeout is ${JSON.stringify(microseconds)}; it must be a whole number of microseconds.`,
  );
}
