import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { getDecoder } from 'geotiff';
import sharp from 'sharp';
import { ZSTDDecoder } from 'zstddec';
import { blockBytes, type BlockFormat, COMPRESSION, samplesPerBlockPixel } from './block-format.ts';
import { BlockOverflowError, CorruptImageError, UnsupportedImageError } from './codec-errors.ts';
import { jpegFrames } from './jpeg-frame.ts';
import { decodeLerc } from './lerc.ts';
import { decodeLzw } from './lzw.ts';
import { decodePackBits } from './pack-bits.ts';

/**
 * Decodes one tile or strip, before byte order and predictor are undone.
 * @returns at most {@link blockBytes} bytes; the caller may change them
 * @throws {BlockOverflowError} when the block holds more
 */
export type BlockDecoder = (block: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> | Uint8Array;

const REFUSED_CODECS: Readonly<Record<number, string>> = {
  2: 'CCITT run-length',
  3: 'CCITT fax group 3',
  4: 'CCITT fax group 4',
  6: 'old-style JPEG (TIFF 6.0 section 22)',
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50002: 'JPEG XL',
};

/**
 * Decoder for the blocks of a directory.
 * @throws {UnsupportedImageError} naming the compression
 */
export async function blockDecoder(format: BlockFormat): Promise<BlockDecoder> {
  const decode = await codec(format);
  return format.fillOrder === 2 ? (block) => decode(block.map((byte) => REVERSED[byte]!)) : decode;
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number.parseInt(Array.from({ length: 8 }, (_bit, i) => (byte >> i) & 1).join(''), 2),
);

async function codec(format: BlockFormat): Promise<BlockDecoder> {
  const { compression } = format;
  const maxBytes = blockBytes(format);
  switch (compression) {
    case COMPRESSION.NONE:
      return (block) => block.subarray(0, maxBytes);
    case COMPRESSION.LZW:
      return (block) => decodeLzw(block, maxBytes);
    case COMPRESSION.PACK_BITS:
      return (block) => decodePackBits(block, maxBytes);
    case COMPRESSION.ADOBE_DEFLATE:
    case COMPRESSION.DEFLATE:
      return (block) => inflated(block, maxBytes);
    case COMPRESSION.ZSTD:
      return (block) => zstandard(block, maxBytes);
    case COMPRESSION.LERC:
      return lercDecoder(format, maxBytes);
    case COMPRESSION.WEBP:
      return webpDecoder(format);
    case COMPRESSION.JPEG:
      return jpegCodec(format);
    default:
      throw new UnsupportedImageError(`TIFF compression ${compression} (${REFUSED_CODECS[compression] ?? 'unknown'})`);
  }
}

async function jpegCodec(format: BlockFormat): Promise<BlockDecoder> {
  if (format.bitsPerSample[0] !== 8) throw new UnsupportedImageError(`JPEG samples of ${format.bitsPerSample[0]} bits`);
  // libvips takes four samples for inks and converts them; geotiff.js leaves them unchanged.
  return [1, 3].includes(samplesPerBlockPixel(format)) ? jpegDecoder(format) : rawJpegDecoder(format);
}

const inflateBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate);

async function inflated(block: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inflateBytes(block, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw new BlockOverflowError(maxBytes);
    throw error;
  }
}

/** Without a given size the library never returns from damaged blocks. */
async function zstandard(block: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const library = new ZSTDDecoder();
  await library.init();
  return library.decode(block, maxBytes);
}

const NO_COMPRESSION = 0;
const DEFLATED = 1;
/** A LERC blob is at most this much larger than its samples: header, ranges and mask. */
const LERC_OVERHEAD_BYTES = 2 ** 16;

function lercDecoder(format: BlockFormat, maxBytes: number): BlockDecoder {
  const added = format.LercParameters?.[1] ?? NO_COMPRESSION;
  const maxBlobBytes = 2 * maxBytes + LERC_OVERHEAD_BYTES;
  if (added === NO_COMPRESSION) return (block) => decodeLerc(block, format);
  if (added === DEFLATED) return async (block) => decodeLerc(await inflated(block, maxBlobBytes), format);
  return async (block) => decodeLerc(await zstandard(block, maxBlobBytes), format);
}

/** @throws {CorruptImageError} unless the size that the stream claims is that of its tile or strip */
function checkFrame(stream: Uint8Array, format: BlockFormat): void {
  const { tileWidth, tileHeight } = format;
  const frames = [...jpegFrames(format.JPEGTables ?? new Uint8Array()), ...jpegFrames(stream)];
  for (const { widthPx, heightPx, components } of frames) {
    // The last strip of an image may have fewer rows.
    if (
      widthPx === tileWidth &&
      heightPx >= 1 &&
      heightPx <= tileHeight &&
      components === samplesPerBlockPixel(format)
    ) {
      continue;
    }
    const claimed = `${widthPx} x ${heightPx} pixels with ${components} components`;
    throw new CorruptImageError(`a JPEG block claims ${claimed} in a block of ${tileWidth} x ${tileHeight} pixels`);
  }
  if (frames.length !== 1) throw new CorruptImageError(`a JPEG block has ${frames.length} frames instead of one`);
}

/**
 * JPEG blocks as RGB or grey. The tables that TIFF stores once are put before each block, with an Adobe marker that tells
 * libjpeg whether colours are YCbCr, which the block alone does not.
 * @see https://www.awaresystems.be/imaging/tiff/tifftags/docs/TTN2.html (TIFF Technical Note 2)
 */
function jpegDecoder(format: BlockFormat): BlockDecoder {
  const channels = samplesPerBlockPixel(format);
  const tables = format.JPEGTables;
  const head = Buffer.concat([
    tables ? tables.subarray(0, tables.length - END_OF_IMAGE_BYTES) : Buffer.from([0xff, 0xd8]),
    channels === 3 ? adobeMarker(format.photometric === YCBCR ? 1 : 0) : Buffer.alloc(0),
  ]);
  return async (block) => {
    checkFrame(block, format);
    const stream = Buffer.concat([head, block.subarray(START_OF_IMAGE_BYTES)]);
    const image = sharp(stream, { ignoreIcc: true, limitInputPixels: format.tileWidth * format.tileHeight });
    const colours = image.toColourspace(channels === 1 ? 'b-w' : 'srgb');
    return colours.raw().toBuffer();
  };
}

const YCBCR = 6;
const START_OF_IMAGE_BYTES = 2;
const END_OF_IMAGE_BYTES = 2;

/** APP14 segment: length 14, "Adobe", version 100, no flags, colour transform. */
function adobeMarker(transform: 0 | 1): Buffer {
  return Buffer.from([0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform]);
}

async function rawJpegDecoder(format: BlockFormat): Promise<BlockDecoder> {
  const decoder = await getDecoder(COMPRESSION.JPEG, { ...format, predictor: 1 });
  return async (block) => {
    checkFrame(block, format);
    return new Uint8Array(await decoder.decode(new Uint8Array(block).buffer));
  };
}

function webpDecoder(format: BlockFormat): BlockDecoder {
  const { tileWidth, tileHeight } = format;
  return async (block) => {
    const image = sharp(block, { limitInputPixels: tileWidth * tileHeight });
    const shaped = samplesPerBlockPixel(format) === 4 ? image.ensureAlpha() : image.removeAlpha();
    const { data, info } = await shaped.raw().toBuffer({ resolveWithObject: true });
    if (info.width === tileWidth) return data;
    const claimed = `${info.width} x ${info.height} pixels`;
    throw new CorruptImageError(`a WebP block claims ${claimed} in a block of ${tileWidth} x ${tileHeight} pixels`);
  };
}
