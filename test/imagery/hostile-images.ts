import { deflateSync } from 'node:zlib';

const LZW_CLEAR = 256;

/** What a directory declares of its one strip. */
export interface StripDirectory {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly compression: number;
  readonly samples?: number;
  readonly bits?: number;
  /** Further fields by tag. */
  readonly fields?: Readonly<Record<number, readonly number[]>>;
}

/** A little-endian TIFF of one strip. */
export function oneStripTiff(directory: StripDirectory, strip: Uint8Array): Buffer {
  const { widthPx, heightPx, compression, samples = 1, bits = 8 } = directory;
  const fields: Record<number, readonly number[]> = {
    256: [widthPx],
    257: [heightPx],
    258: Array.from({ length: samples }, () => bits),
    259: [compression],
    262: [samples === 3 ? 2 : 1],
    273: [0],
    277: [samples],
    278: [heightPx],
    279: [strip.length],
    ...directory.fields,
  };
  const entries = Object.entries(fields).map(([tag, values]) => ({ tag: Number(tag), values }));
  const head = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  const outside: Buffer[] = [];
  let end = head.length;
  entries.forEach(({ tag, values }, i) => {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(4, at + 2);
    head.writeUInt32LE(values.length, at + 4);
    if (values.length > 1) {
      outside.push(Buffer.from(Uint32Array.from(values).buffer));
      head.writeUInt32LE(end, at + 8);
      end += 4 * values.length;
    } else head.writeUInt32LE(values[0]!, at + 8);
  });
  head.writeUInt32LE(end, 10 + 12 * entries.findIndex(({ tag }) => tag === 273) + 8);
  return Buffer.concat([head, ...outside, strip]);
}

/** LZW codes as a TIFF strip, widths as the decoder expects them. */
export function packLzw(codes: Iterable<number>): Buffer {
  const bytes: number[] = [];
  let [bits, bitCount, width, next] = [0, 0, 9, 258];
  for (const code of codes) {
    bits = ((bits & 0xff) << width) | code;
    bitCount += width;
    for (; bitCount >= 8; bitCount -= 8) bytes.push((bits >> (bitCount - 8)) & 0xff);
    bits &= (1 << bitCount) - 1;
    if (code === LZW_CLEAR) [width, next] = [9, 257];
    else if (next < 4096) next++;
    if (next === 2 ** width - 1 && width < 12) width++;
  }
  if (bitCount > 0) bytes.push((bits << (8 - bitCount)) & 0xff);
  return Buffer.from(bytes);
}

/** LZW codes whose strings get longer by one each time; some 8 MB of zeros a round. */
export function* lzwBomb(rounds: number): Generator<number> {
  for (let round = 0; round < rounds; round++) {
    yield LZW_CLEAR;
    yield 0;
    for (let code = 258; code < 4094; code++) yield code;
  }
}

/** A Zstandard frame of zeros in runs of 128 kB. @see RFC 8878, section 3.1 */
export function zstdZeros(sizeBytes: number): Buffer {
  const run = 128 * 1024;
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]); // magic, single segment with a size of 4 bytes
  head.writeUInt32LE(sizeBytes, 5);
  const blocks = Array.from({ length: Math.ceil(sizeBytes / run) }, (_, i) => {
    const last = (i + 1) * run >= sizeBytes;
    const size = last ? sizeBytes - i * run : run;
    const block = Buffer.alloc(4);
    block.writeUIntLE((size << 3) | (1 << 1) | (last ? 1 : 0), 0, 3);
    return block;
  });
  return Buffer.concat([head, ...blocks]);
}

/** A LERC 2.4 header with these claims and nothing behind it. */
export function lercHeader(widthPx: number, heightPx: number, depth = 1): Buffer {
  const header = Buffer.alloc(100);
  header.write('Lerc2 ', 'latin1');
  header.writeInt32LE(4, 6);
  header.writeUInt32LE(heightPx, 14);
  header.writeUInt32LE(widthPx, 18);
  header.writeUInt32LE(depth, 22);
  header.writeUInt32LE(widthPx * heightPx, 26);
  header.writeUInt32LE(8, 30);
  header.writeUInt32LE(header.length, 34);
  header.writeUInt32LE(1, 38);
  return header;
}

/** Big deflated zeros. */
export function deflatedZeros(sizeBytes: number): Buffer {
  return deflateSync(Buffer.alloc(sizeBytes));
}
