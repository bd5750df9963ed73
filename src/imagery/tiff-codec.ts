import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { BaseDecoder, getDecoder } from 'geotiff';
import sharp from 'sharp';
import { ZSTDDecoder } from 'zstddec';
import { UnsupportedImageError } from './image-errors.ts';

/** What a decoder must know of a TIFF directory; names and values as in TIFF 6.0. */
export interface BlockFormat {
  readonly compression: number;
  /** Size of a tile, or image width and rows of a strip. */
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** 1: pixels, 2: one plane for each band. */
  readonly planarConfiguration: 1 | 2;
  readonly bitsPerSample: number[];
  /** 1: none, 2: horizontal differences, 3: floating point. */
  readonly predictor: number;
  readonly photometric: number;
  readonly JPEGTables: Uint8Array | undefined;
  readonly LercParameters: ArrayLike<number> | undefined;
}

/** Decodes one tile or strip to its samples, in the byte order of the file unless the codec has its own. */
export interface BlockDecoder {
  decode(buffer: ArrayBufferLike): Promise<ArrayBufferLike>;
}

const JPEG = 7;
const DEFLATE = [8, 32946];
const WEBP = 50001;
const LERC = 34887;
const ZSTD = 50000;
const LIBRARY_CODECS: readonly number[] = [1, 5, 32773, LERC];
const REFUSED_CODECS: Readonly<Record<number, string>> = {
  2: 'CCITT run-length',
  3: 'CCITT fax group 3',
  4: 'CCITT fax group 4',
  6: 'old-style JPEG (TIFF 6.0 section 22)',
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50002: 'JPEG XL',
};

/** Samples side by side in one block: all bands, or one for separate planes. */
export function samplesPerBlockPixel(format: BlockFormat): number {
  return format.planarConfiguration === 2 ? 1 : format.bitsPerSample.length;
}

/** Codecs that give samples in the byte order of this machine whatever the file's is. */
export function decodesToNativeOrder(format: BlockFormat): boolean {
  return format.compression === LERC || format.predictor === 3;
}

/**
 * Decoder for the blocks of a directory: zlib, zstddec and libvips for Deflate, Zstandard, JPEG and WebP,
 * geotiff.js for the rest.
 * @throws {UnsupportedImageError} naming the compression
 */
export async function blockDecoder(format: BlockFormat): Promise<BlockDecoder> {
  const { compression } = format;
  if (DEFLATE.includes(compression)) return new DeflateDecoder(format);
  if (compression === JPEG) {
    if (format.bitsPerSample[0] !== 8)
      throw new UnsupportedImageError(`JPEG samples of ${format.bitsPerSample[0]} bits`);
    // libvips takes four samples for inks and converts them, geotiff.js leaves them as they are
    return [1, 3].includes(samplesPerBlockPixel(format)) ? new JpegDecoder(format) : getDecoder(compression, format);
  }
  if (compression === ZSTD) return new ZstdDecoder(format);
  if (compression === WEBP) return new WebpDecoder(format);
  if (LIBRARY_CODECS.includes(compression)) return getDecoder(compression, format);
  throw new UnsupportedImageError(`TIFF compression ${compression} (${REFUSED_CODECS[compression] ?? 'unknown'})`);
}

const inflateBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate);

/** Bytes of a whole block, each row beginning at a byte. */
function blockBytes(format: BlockFormat): number {
  const rowBits = samplesPerBlockPixel(format) * format.bitsPerSample[0]! * format.tileWidth;
  return Math.ceil(rowBits / 8) * format.tileHeight;
}

class DeflateDecoder extends BaseDecoder {
  private readonly maxOutputLength: number;

  constructor(format: BlockFormat) {
    super(format);
    this.maxOutputLength = blockBytes(format);
  }

  override async decodeBlock(buffer: ArrayBufferLike): Promise<ArrayBufferLike> {
    return exactBuffer(await inflateBytes(new Uint8Array(buffer), { maxOutputLength: this.maxOutputLength }));
  }
}

/** Zstandard with the size given: without it, as geotiff.js asks, the library never returns on damaged blocks. */
class ZstdDecoder extends BaseDecoder {
  private readonly library = new ZSTDDecoder();
  private readonly sizeBytes: number;

  constructor(format: BlockFormat) {
    super(format);
    this.sizeBytes = blockBytes(format);
  }

  override async decodeBlock(buffer: ArrayBufferLike): Promise<ArrayBufferLike> {
    await this.library.init();
    return this.library.decode(new Uint8Array(buffer), this.sizeBytes).buffer;
  }
}

/**
 * JPEG blocks as RGB or grey. The tables that TIFF keeps once are put before each block, with an Adobe
 * marker that tells libjpeg whether colours are YCbCr, which the block alone does not.
 * @see https://www.awaresystems.be/imaging/tiff/tifftags/docs/TTN2.html (TIFF Technical Note 2)
 */
class JpegDecoder implements BlockDecoder {
  constructor(private readonly format: BlockFormat) {}

  async decode(buffer: ArrayBufferLike): Promise<ArrayBufferLike> {
    const channels = samplesPerBlockPixel(this.format);
    const transform = this.format.photometric === YCBCR ? 1 : 0;
    const tables = this.format.JPEGTables;
    const stream = Buffer.concat([
      tables ? tables.subarray(0, tables.length - END_OF_IMAGE_BYTES) : Buffer.from([0xff, 0xd8]),
      channels === 3 ? adobeMarker(transform) : Buffer.alloc(0),
      Buffer.from(buffer).subarray(START_OF_IMAGE_BYTES),
    ]);
    const image = sharp(stream, { ignoreIcc: true, limitInputPixels: false });
    return exactBuffer(
      await image
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer(),
    );
  }
}

const YCBCR = 6;
const START_OF_IMAGE_BYTES = 2;
const END_OF_IMAGE_BYTES = 2;

/** APP14 segment: length 14, "Adobe", version 100, no flags, colour transform. */
function adobeMarker(transform: 0 | 1): Buffer {
  return Buffer.from([0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform]);
}

class WebpDecoder implements BlockDecoder {
  constructor(private readonly format: BlockFormat) {}

  async decode(buffer: ArrayBufferLike): Promise<ArrayBufferLike> {
    const image = sharp(Buffer.from(buffer), { limitInputPixels: false });
    const shaped = samplesPerBlockPixel(this.format) === 4 ? image.ensureAlpha() : image.removeAlpha();
    return exactBuffer(await shaped.raw().toBuffer());
  }
}

function exactBuffer(bytes: Buffer): ArrayBufferLike {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}
