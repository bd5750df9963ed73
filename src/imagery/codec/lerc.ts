import { CorruptImageError } from './codec-errors.ts';
import lerc from 'lerc';
import { type BlockFormat, samplesPerBlockPixel } from './block-format.ts';

/** Bytes of a sample by LERC data type: int8, uint8, int16, uint16, int32, uint32, float32, float64. */
const SAMPLE_BYTES = [1, 1, 2, 2, 4, 4, 4, 8];

/**
 * Decodes a LERC 2 blob after comparing the size that it claims with that of its block.
 * @returns samples in the byte order of the machine, as if they came from the file: libtiff swaps around the codec
 * @throws {CorruptImageError} when the blob claims another size or sample type
 * @see https://github.com/Esri/lerc, Lerc2.h
 */
export function decodeLerc(blob: Uint8Array, format: BlockFormat): Uint8Array {
  const { tileWidth, tileHeight } = format;
  const { width, height, depth, dataType, blobBytes } = headerOf(blob);
  const bits = format.bitsPerSample[0]!;
  const isOwnSize = width === tileWidth && height >= 1 && height <= tileHeight;
  if (!isOwnSize || depth !== samplesPerBlockPixel(format) || SAMPLE_BYTES[dataType] !== bits / 8) {
    const claimed = `${width} x ${height} x ${depth} samples of LERC type ${dataType}`;
    throw new CorruptImageError(
      `a LERC block claims ${claimed} in a block of ${tileWidth} x ${tileHeight} pixels of ${bits} bits`,
    );
  }
  if (!(blobBytes <= blob.length)) {
    throw new CorruptImageError(`a LERC block claims ${blobBytes} bytes, but has ${blob.length}`);
  }
  const { pixels } = lerc.decode(new Uint8Array(blob.subarray(0, blobBytes)).buffer, {
    returnPixelInterleavedDims: true,
  });
  const samples = pixels[0]!;
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

function headerOf(blob: Uint8Array) {
  const text = Buffer.from(blob.subarray(0, 6)).toString('latin1');
  if (text !== 'Lerc2 ' || blob.length < 66) throw new CorruptImageError('a LERC block does not begin with "Lerc2 "');
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const version = view.getInt32(6, true);
  const size = version >= 3 ? 14 : 10;
  const rest = version >= 4 ? size + 12 : size + 8;
  return {
    height: view.getUint32(size, true),
    width: view.getUint32(size + 4, true),
    depth: version >= 4 ? view.getUint32(size + 8, true) : 1,
    blobBytes: view.getUint32(rest + 8, true),
    dataType: view.getUint32(rest + 12, true),
  };
}
