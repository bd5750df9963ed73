import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeLzw } from '../../src/imagery/codec/lzw.ts';
import { openImage } from '../../src/imagery/open-image.ts';
import { decodePackBits } from '../../src/imagery/codec/pack-bits.ts';
import { seededRandom } from '../seeded.ts';
import { deflatedZeros, lercHeader, lzwBomb, oneStripTiff, packLzw, zstdZeros } from './hostile-images.ts';
import { MAX_PIXELS } from './imagery.ts';

const SIDE = 64;
const MUCH = 64 * 2 ** 20;

async function blank(widthPx: number, heightPx: number, channels: 1 | 3 | 4 = 1) {
  const create = {
    width: widthPx,
    height: heightPx,
    channels: channels === 1 ? 3 : channels,
    background: 'grey',
  } as const;
  return sharp({ create }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

/** Blocks that decode to more than the 64 x 64 pixels that their directory declares, by TIFF compression. */
const BOMBS: readonly [
  name: string,
  compression: number,
  samples: number,
  block: () => Promise<Uint8Array>,
  number?,
][] = [
  ['LZW', 5, 1, async () => packLzw(lzwBomb(2))],
  ['PackBits', 32773, 1, async () => Buffer.alloc(MUCH / 64, Buffer.from([0x81, 0]))],
  ['Deflate', 8, 1, async () => deflatedZeros(MUCH)],
  ['Zstandard', 50000, 1, async () => zstdZeros(MUCH)],
  ['LERC', 34887, 1, async () => lercHeader(60_000, 60_000)],
  ['LERC in Deflate', 34887, 1, async () => deflatedZeros(MUCH), 1],
  ['LERC in Zstandard', 34887, 1, async () => zstdZeros(MUCH), 2],
  ['grey JPEG', 7, 1, async () => (await blank(4096, 4096)).jpeg().toBuffer()],
  ['RGB JPEG', 7, 3, async () => (await blank(4096, 4096, 3)).jpeg().toBuffer()],
  ['JPEG of four bands', 7, 4, async () => (await blank(4096, 4096, 3)).toColourspace('cmyk').jpeg().toBuffer()],
  ['wide JPEG', 7, 1, async () => (await blank(4096, 1)).jpeg().toBuffer()],
  ['WebP', 50001, 3, async () => (await blank(4096, 4096, 3)).webp({ lossless: true }).toBuffer()],
  ['wide WebP', 50001, 3, async () => (await blank(4096, 1, 3)).webp({ lossless: true }).toBuffer()],
];

describe('a block that decodes to more than its size in the directory', () => {
  it.each(BOMBS)('of %s is refused without the memory', async (_name, compression, samples, block, added) => {
    const path = join(await mkdtemp(join(tmpdir(), 'terraql-')), 'bomb.tif');
    const fields = added === undefined ? {} : { 50674: [4, added] };
    await writeFile(path, oneStripTiff({ widthPx: SIDE, heightPx: SIDE, compression, samples, fields }, await block()));
    const image = await openImage(path, MAX_PIXELS);
    const before = process.resourceUsage().maxRSS;
    const show = { rgbBands: [1], stretch: null };
    const read = image.readRgb({ x: 0, y: 0, width: SIDE, height: SIDE }, SIDE, SIDE, show);
    await expect(read).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(48); // MiB; the smallest bomb holds 16
    await image.close();
  });
});

/** Codes of a string by the textbook's encoder, the slow twin of the decoder. */
function* lzwCodes(bytes: Uint8Array): Generator<number> {
  let table = new Map<string, number>();
  let text = '';
  yield 256;
  for (const byte of bytes) {
    const longer = `${text}${String.fromCharCode(byte)}`;
    if (longer.length === 1 || table.has(longer)) {
      text = longer;
      continue;
    }
    yield text.length === 1 ? text.charCodeAt(0) : table.get(text)!;
    table.set(longer, 258 + table.size);
    if (table.size === 4094 - 258) {
      table = new Map();
      yield 256;
    }
    text = String.fromCharCode(byte);
  }
  if (text !== '') yield text.length === 1 ? text.charCodeAt(0) : table.get(text)!;
  yield 257;
}

describe('LZW', () => {
  it.each([1, 2, 16, 256])('gives back bytes of %s values', (values) => {
    const random = seededRandom(values);
    const bytes = Uint8Array.from({ length: 50_000 }, () => Math.floor(random() * values));
    expect(decodeLzw(packLzw(lzwCodes(bytes)), bytes.length)).toEqual(bytes);
  });

  it('refuses codes that are not in the table, whatever the damage', () => {
    expect(() => decodeLzw(packLzw([256, 65, 300]), 100)).toThrow('LZW code 300 is not in the table');
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const noise = Uint8Array.from({ length: 300 }, () => Math.floor(random() * 256));
      try {
        expect(decodeLzw(noise, 1000).length).toBeLessThanOrEqual(1000);
      } catch (error) {
        expect(error).toMatchObject({ message: expect.stringMatching(/table|more than its 1000 bytes|bit order/) });
      }
    }
  });

  it('in the bit order of TIFF 5.0 is refused by name', () => {
    expect(() => decodeLzw(Uint8Array.of(0, 1, 0), 10)).toThrow('LZW in the bit order of TIFF 5.0');
  });
});

describe('PackBits', () => {
  it('gives back the example of TIFF 6.0', () => {
    const packed = Buffer.from('FEAA0280002AFDAA0380002A22F7AA', 'hex');
    const bytes = Buffer.from('AAAAAA80002AAAAAAAAA80002A22AAAAAAAAAAAAAAAAAAAA', 'hex');
    expect(Buffer.from(decodePackBits(packed, 24))).toEqual(bytes);
    expect(() => decodePackBits(packed, 23)).toThrow('more than its 23 bytes');
  });
});
