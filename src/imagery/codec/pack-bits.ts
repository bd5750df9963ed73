import { BlockOverflowError } from './codec-errors.ts';

/**
 * Decodes PackBits runs.
 * @param maxBytes size of the whole block
 * @returns at most `maxBytes` bytes; fewer when the input ends early
 * @throws {BlockOverflowError} when more bytes come out
 * @see TIFF 6.0, section 9
 */
export function decodePackBits(input: Uint8Array, maxBytes: number): Uint8Array {
  const output = new Uint8Array(maxBytes);
  let written = 0;
  for (let read = 0; read < input.length;) {
    const header = (input[read++]! << 24) >> 24;
    if (header === -128) continue;
    const length = header < 0 ? 1 - header : Math.min(header + 1, input.length - read);
    if (written + length > maxBytes) throw new BlockOverflowError(maxBytes);
    if (header < 0) output.fill(input[read++] ?? 0, written, written + length);
    else output.set(input.subarray(read, (read += length)), written);
    written += length;
  }
  return output.subarray(0, written);
}
