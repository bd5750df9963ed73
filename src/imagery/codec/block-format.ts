/** The tags of a TIFF directory that decoding needs; names and values as in TIFF 6.0. */
export interface BlockFormat {
  readonly compression: number;
  /** Size of a tile, or image width and rows per strip. */
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** 1: interleaved, 2: one plane per band. */
  readonly planarConfiguration: 1 | 2;
  readonly bitsPerSample: number[];
  /** 1: none, 2: horizontal differences, 3: floating point. */
  readonly predictor: number;
  readonly photometric: number;
  /** Byte order of the file. */
  readonly littleEndian: boolean;
  /** 2: least significant bit first in every stored byte. */
  readonly fillOrder: number;
  readonly JPEGTables: Uint8Array | undefined;
  readonly LercParameters: ArrayLike<number> | undefined;
}

/** Values of the Compression tag that are read. */
export const COMPRESSION = {
  NONE: 1,
  LZW: 5,
  JPEG: 7,
  ADOBE_DEFLATE: 8,
  DEFLATE: 32946,
  PACK_BITS: 32773,
  LERC: 34887,
  ZSTD: 50000,
  WEBP: 50001,
} as const;

const { LZW, ADOBE_DEFLATE, DEFLATE, ZSTD } = COMPRESSION;

/** The compressions to which the Predictor tag applies; others ignore it, as in libtiff. */
export function appliesPredictor(compression: number): boolean {
  return ([LZW, ADOBE_DEFLATE, DEFLATE, ZSTD] as readonly number[]).includes(compression);
}

/** Interleaved samples per pixel of a block: all bands, or one for separate planes. */
export function samplesPerBlockPixel(format: BlockFormat): number {
  return format.planarConfiguration === 2 ? 1 : format.bitsPerSample.length;
}

/** Bytes of a whole decoded block; each row begins at a byte. */
export function blockBytes(format: BlockFormat): number {
  const rowBits = samplesPerBlockPixel(format) * format.bitsPerSample[0]! * format.tileWidth;
  return Math.ceil(rowBits / 8) * format.tileHeight;
}
