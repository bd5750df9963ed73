import { BlockOverflowError, UnsupportedImageError } from './codec-errors.ts';

const CLEAR = 256;
const END = 257;
const FIRST_FREE = 258;
const MIN_BITS = 9;
const MAX_BITS = 12;

/**
 * Decodes TIFF LZW. Each table entry refers to its first occurrence in the output, so strings are never built and memory
 * does not depend on the input.
 * @param maxBytes size of the whole block
 * @returns at most `maxBytes` bytes; fewer when the input ends early
 * @throws {BlockOverflowError} when more bytes come out
 * @throws {UnsupportedImageError} for the bit order used before TIFF 6.0
 * @see TIFF 6.0, section 13
 */
export function decodeLzw(input: Uint8Array, maxBytes: number): Uint8Array {
  if (input[0] === 0 && (input[1]! & 1) === 1) throw new UnsupportedImageError('LZW in the bit order of TIFF 5.0');
  const output = new Uint8Array(maxBytes);
  const starts = new Uint32Array(2 ** MAX_BITS);
  const lengths = new Uint32Array(2 ** MAX_BITS);
  let [next, width, read, bits, bitCount, written, previousStart, previousLength] = [
    FIRST_FREE,
    MIN_BITS,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  for (;;) {
    for (; bitCount < width; bitCount += 8) {
      if (read === input.length) return output.subarray(0, written);
      bits = ((bits & 0xffff) << 8) | input[read++]!;
    }
    bitCount -= width;
    const code = (bits >>> bitCount) & ((1 << width) - 1);
    if (code === END) return output.subarray(0, written);
    if (code === CLEAR) {
      [next, width, previousLength] = [FIRST_FREE, MIN_BITS, 0];
      continue;
    }
    const isRepeat = code === next && previousLength > 0; // the entry that this very code completes
    if (code >= next && !isRepeat) throw new RangeError(`LZW code ${code} is not in the table of ${next} codes`);
    const length = code < CLEAR ? 1 : isRepeat ? previousLength + 1 : lengths[code]!;
    if (written + length > maxBytes) throw new BlockOverflowError(maxBytes);
    if (code < CLEAR) output[written] = code;
    else copyForward(output, isRepeat ? previousStart : starts[code]!, written, length);
    if (previousLength > 0 && next < 2 ** MAX_BITS) {
      starts[next] = previousStart;
      lengths[next++] = previousLength + 1;
      if (next === 2 ** width - 1 && width < MAX_BITS) width++;
    }
    [previousStart, previousLength] = [written, length];
    written += length;
  }
}

/** Copies byte by byte, so that a string may run into its own copy. */
function copyForward(bytes: Uint8Array, from: number, to: number, length: number): void {
  for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i]!;
}
