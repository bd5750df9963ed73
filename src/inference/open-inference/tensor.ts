import { z } from 'zod';
import { AppError } from '../../errors.ts';

/** A message violates the Open Inference Protocol, or its tensors do not match their description. */
export class InferenceMessageError extends AppError {
  readonly code = 'INFERENCE_MESSAGE_INVALID';
}

/**
 * Data types of the Open Inference Protocol, section "Tensor Data Types", as far as the model contract has them, and
 * the arrays that hold them. Binary data is little-endian, row-major.
 */
export type Datatype = 'UINT8' | 'INT64' | 'FP32';
export type TensorData = Uint8Array | BigInt64Array<ArrayBuffer> | Float32Array;

/** A tensor of a message. */
export interface WireTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Contract of a tensor; -1 stands for an axis of any length. */
export interface TensorContract {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

export const parametersSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** A tensor in JSON: inline data or, with the binary tensor extension, its number of bytes after the JSON. */
export const tensorSchema = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  datatype: z.string(),
  parameters: parametersSchema.optional(),
  data: z.array(z.unknown()).optional(),
});

/** Parameter with the number of bytes of a tensor in the binary part. */
export const BINARY_DATA_SIZE = 'binary_data_size';

const BYTES: Readonly<Record<Datatype, number>> = { UINT8: 1, INT64: 8, FP32: 4 };

/** Binary part of a message, consumed in tensor order. */
export class BinaryPart {
  private offset = 0;
  constructor(private readonly bytes: Uint8Array) {}

  /** @returns a copy of the next bytes, so that the message can be freed */
  take(name: string, size: number): Uint8Array<ArrayBuffer> {
    const left = this.bytes.byteLength - this.offset;
    if (size > left)
      throw new InferenceMessageError(`Tensor ${name} should have ${size} bytes after the JSON; ${left} are left.`);
    const taken = Uint8Array.from(this.bytes.subarray(this.offset, this.offset + size));
    this.offset += size;
    return taken;
  }

  /** @throws {InferenceMessageError} when bytes are left over */
  end(): void {
    const left = this.bytes.byteLength - this.offset;
    if (left > 0) throw new InferenceMessageError(`${left} bytes after the JSON belong to no tensor.`);
  }
}

/**
 * Reads a tensor of a message and checks it against its contract.
 * @throws {InferenceMessageError} naming the tensor, its value and the rule
 */
export function readTensor(
  json: z.infer<typeof tensorSchema>,
  { name, datatype, shape }: TensorContract,
  binary: BinaryPart,
): WireTensor {
  if (json.datatype !== datatype)
    throw new InferenceMessageError(`Tensor ${name} has the datatype ${json.datatype}; it must be ${datatype}.`);
  const fits = json.shape.length === shape.length && shape.every((size, i) => size === -1 || size === json.shape[i]);
  if (!fits) {
    const found = JSON.stringify(json.shape);
    throw new InferenceMessageError(`Tensor ${name} has the shape ${found}; it must be ${JSON.stringify(shape)}.`);
  }
  const elements = json.shape.reduce((product, size) => product * size, 1);
  return { name, datatype, shape: json.shape, data: readData(json, name, datatype, elements, binary) };
}

function readData(
  { data, parameters }: z.infer<typeof tensorSchema>,
  name: string,
  datatype: Datatype,
  elements: number,
  binary: BinaryPart,
): TensorData {
  const size = parameters?.[BINARY_DATA_SIZE];
  if (size === undefined) {
    if (data === undefined) throw new InferenceMessageError(`Tensor ${name} has neither data nor ${BINARY_DATA_SIZE}.`);
    return fromJson(name, datatype, elements, data);
  }
  if (data !== undefined) throw new InferenceMessageError(`Tensor ${name} has both data and ${BINARY_DATA_SIZE}.`);
  const expected = elements * BYTES[datatype];
  if (size !== expected)
    throw new InferenceMessageError(`Tensor ${name} has ${BINARY_DATA_SIZE} ${size}; its shape takes ${expected}.`);
  const bytes = binary.take(name, expected);
  if (datatype === 'UINT8') return bytes;
  return datatype === 'INT64' ? new BigInt64Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

/** JSON data may be flat or nested; it is row-major either way. */
function fromJson(name: string, datatype: Datatype, elements: number, data: readonly unknown[]): TensorData {
  const made = {
    UINT8: () => new Uint8Array(elements),
    INT64: () => new BigInt64Array(elements),
    FP32: () => new Float32Array(elements),
  }[datatype]();
  let filled = 0;
  const fill = (values: readonly unknown[]): void => {
    for (const value of values) {
      if (Array.isArray(value)) {
        fill(value);
        continue;
      }
      if (!isElement(datatype, value))
        throw new InferenceMessageError(
          `Tensor ${name} has the value ${JSON.stringify(value)}; it must be ${datatype}.`,
        );
      if (filled < elements) made[filled] = datatype === 'INT64' ? BigInt(value) : value;
      filled += 1;
    }
  };
  fill(data);
  if (filled === elements) return made;
  throw new InferenceMessageError(`Tensor ${name} has ${filled} values; its shape takes ${elements}.`);
}

function isElement(datatype: Datatype, value: unknown): value is number {
  if (datatype === 'FP32') return typeof value === 'number';
  if (!Number.isSafeInteger(value)) return false;
  return datatype === 'INT64' || ((value as number) >= 0 && (value as number) <= 255);
}

/** Little-endian bytes of a tensor, as a view of its array. */
export function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
