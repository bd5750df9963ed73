import { endianness } from 'node:os';
import { CorruptImageError } from './codec-errors.ts';
import { type BlockFormat, samplesPerBlockPixel } from './block-format.ts';

/** Sample values of one band or block, as stored; 16-bit floats are widened. */
export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** Sample types that can be read. Samples of other bit widths are unpacked to the next wider type. */
export type SampleType = keyof typeof ARRAYS;

const MACHINE_IS_LITTLE_ENDIAN = endianness() === 'LE';

/** Zeroed samples. */
export function emptySamples(dtype: SampleType, length: number): Samples {
  return new ARRAYS[dtype](length);
}

/**
 * Samples of a decoded block: undoes byte order, predictor and bit packing.
 * @param bytes decoded block; changed in place
 * @param rows rows that the block must have
 * @returns row-major, `tileWidth` x `rows` pixels, bands interleaved unless planes are separate
 * @throws {CorruptImageError} when the block is too short
 */
export function samplesOfBlock(bytes: Uint8Array, format: BlockFormat, dtype: SampleType, rows: number): Samples {
  const bits = format.bitsPerSample[0]!;
  const stride = samplesPerBlockPixel(format);
  const rowSamples = format.tileWidth * stride;
  const expected = Math.ceil((rowSamples * bits) / 8) * rows;
  if (bytes.length < expected) {
    throw new CorruptImageError(`a block has ${bytes.length} bytes instead of ${expected}`);
  }
  if (bits % 8 !== 0 || bits === 24) return unpacked(bytes, bits, rowSamples, rows, dtype);
  const size = bits / 8;
  const whole = bytes.subarray(0, expected);
  const aligned = whole.byteOffset % size === 0 ? whole : new Uint8Array(whole);
  if (format.predictor === 3) undoFloatPredictor(aligned, rowSamples, stride, size);
  if ((format.predictor !== 3 && format.littleEndian) !== MACHINE_IS_LITTLE_ENDIAN) swapBytes(aligned, size);
  if (format.predictor === 2) undoDifferences(aligned, rowSamples, stride, size);
  if (dtype === 'float16') return fromHalf(new Uint16Array(aligned.buffer, aligned.byteOffset, expected / 2));
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, expected / size);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/**
 * Horizontal differences back to values, in unsigned integers of the sample's width whatever its format.
 * @see TIFF 6.0, section 14; libtiff's `horAcc8` to `horAcc64`
 */
function undoDifferences(bytes: Uint8Array, rowSamples: number, stride: number, size: number): void {
  if (size === 8) return undoWideDifferences(bytes, rowSamples, stride);
  const Integers = size === 1 ? Uint8Array : size === 2 ? Uint16Array : Uint32Array;
  const values = new Integers(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
  for (let start = 0; start < values.length; start += rowSamples) {
    for (let i = start + stride; i < start + rowSamples; i++) values[i] = values[i]! + values[i - stride]!;
  }
}

function undoWideDifferences(bytes: Uint8Array, rowSamples: number, stride: number): void {
  const values = new BigUint64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / 8);
  for (let start = 0; start < values.length; start += rowSamples) {
    for (let i = start + stride; i < start + rowSamples; i++) values[i] = values[i]! + values[i - stride]!;
  }
}

/**
 * Floating-point differences back to samples, most significant byte first.
 * @see Adobe Photoshop TIFF Technical Note 3
 */
function undoFloatPredictor(bytes: Uint8Array, rowSamples: number, stride: number, size: number): void {
  const rowBytes = rowSamples * size;
  const planes = new Uint8Array(rowBytes);
  for (let start = 0; start < bytes.length; start += rowBytes) {
    for (let i = start + stride; i < start + rowBytes; i++) bytes[i] = bytes[i]! + bytes[i - stride]!;
    planes.set(bytes.subarray(start, start + rowBytes));
    for (let byte = 0; byte < size; byte++) {
      for (let i = 0; i < rowSamples; i++) bytes[start + i * size + byte] = planes[byte * rowSamples + i]!;
    }
  }
}

/** Samples packed without gaps, most significant bit first; each row begins at a byte. */
function unpacked(bytes: Uint8Array, bits: number, rowSamples: number, rows: number, dtype: SampleType): Samples {
  const samples = emptySamples(dtype, rowSamples * rows);
  const rowBytes = Math.ceil((rowSamples * bits) / 8);
  for (let row = 0, to = 0; row < rows; row++) {
    let [at, value, bitCount] = [row * rowBytes, 0, 0];
    for (let i = 0; i < rowSamples; i++) {
      for (; bitCount < bits; bitCount += 8) value = (value % 2 ** bitCount) * 256 + bytes[at++]!;
      bitCount -= bits;
      samples[to++] = Math.floor(value / 2 ** bitCount) % 2 ** bits;
    }
  }
  return samples;
}

/** IEEE 754 binary16 to single precision. */
function fromHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
