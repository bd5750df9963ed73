import type { GeoTIFFImage } from 'geotiff';
import { AppError } from '../errors.ts';
import type { PixelWindow } from '../raster/window.ts';
import type { BlockCache } from './block-cache.ts';
import type { ByteSource } from './byte-source.ts';
import { CorruptImageError, UnsupportedImageError } from './codec/codec-errors.ts';
import { ComplexSamplesError } from './image-errors.ts';
import { appliesPredictor, blockBytes, type BlockFormat, samplesPerBlockPixel } from './codec/block-format.ts';
import { type BlockDecoder, blockDecoder } from './codec/tiff-codec.ts';
import type { Samples, SampleType } from './codec/tiff-samples.ts';
import { emptySamples, samplesOfBlock } from './codec/tiff-samples.ts';

/** What the directories of one file share. */
export interface TiffContext {
  readonly bytes: ByteSource;
  readonly cache: BlockCache;
  /** Distinguishes the blocks of this file in the cache. */
  readonly key: string;
  /** Value of blocks that a sparse file leaves out; null: 0. */
  readonly nodata: number | null;
  /** Largest tile or strip that is decoded, bytes. */
  readonly maxBlockBytes: number;
}

/** One directory of a TIFF: the full resolution, an overview, or a mask. Reads windows block by block. */
export class TiffLevel {
  readonly widthPx: number;
  readonly heightPx: number;
  /** `uint8`, `float32`, …; sub-byte samples have the type that they are unpacked to. */
  readonly dtype: SampleType;

  private constructor(
    private readonly image: GeoTIFFImage,
    private readonly index: number,
    private readonly file: TiffContext,
    private readonly format: BlockFormat,
    private readonly decode: BlockDecoder,
  ) {
    this.widthPx = image.getWidth();
    this.heightPx = image.getHeight();
    this.dtype = dtypeOf(image);
  }

  /**
   * @param index number of the directory in the file
   * @throws {ComplexSamplesError | UnsupportedImageError}
   */
  static async open(image: GeoTIFFImage, index: number, file: TiffContext): Promise<TiffLevel> {
    const format = await formatOf(image);
    const bytes = blockBytes(format);
    if (!(bytes <= file.maxBlockBytes)) {
      const size = `${format.tileWidth} x ${format.tileHeight} pixels`;
      throw new UnsupportedImageError(`blocks of ${size} with ${bytes} bytes (the limit is ${file.maxBlockBytes})`);
    }
    return new TiffLevel(image, index, file, format, await blockDecoder(format));
  }

  get blockWidthPx(): number {
    return this.image.getTileWidth();
  }

  /** Rows of a tile or strip; the last row of strips may have fewer. */
  get blockHeightPx(): number {
    return Math.min(this.image.getTileHeight(), this.image.isTiled ? Infinity : this.heightPx);
  }

  /**
   * Values of a window, one array for each requested band, row-major.
   * @param window in pixels of this level
   * @param bands 1-based
   * @throws {CorruptImageError} when a block is truncated or does not decode
   */
  async readBands(window: PixelWindow, bands: readonly number[]): Promise<Samples[]> {
    const { blockWidthPx, blockHeightPx } = this;
    const values = bands.map(() => emptySamples(this.dtype, window.width * window.height));
    const planes = this.format.planarConfiguration === 2 ? bands.map((band) => [band]) : [bands];
    await this.prefetch(window, planes);
    const lastRow = Math.floor((window.y + window.height - 1) / blockHeightPx);
    const lastColumn = Math.floor((window.x + window.width - 1) / blockWidthPx);
    for (let row = Math.floor(window.y / blockHeightPx); row <= lastRow; row++) {
      for (let column = Math.floor(window.x / blockWidthPx); column <= lastColumn; column++) {
        for (const inBlock of planes) {
          const block = await this.block(column, row, this.format.planarConfiguration === 2 ? inBlock[0]! - 1 : 0);
          for (const band of inBlock) this.copy(block, column, row, band, window, values[bands.indexOf(band)]!);
        }
      }
    }
    return values;
  }

  /** Announces the stored bytes of all blocks of a window to a source that reads several at once. */
  private async prefetch(window: PixelWindow, planes: readonly (readonly number[])[]): Promise<void> {
    const { bytes, cache } = this.file;
    if (!bytes.prefetch) return;
    const ranges = [];
    const { blockWidthPx, blockHeightPx } = this;
    for (let row = Math.floor(window.y / blockHeightPx); row * blockHeightPx < window.y + window.height; row++) {
      for (
        let column = Math.floor(window.x / blockWidthPx);
        column * blockWidthPx < window.x + window.width;
        column++
      ) {
        for (const plane of planes) {
          const sample = this.format.planarConfiguration === 2 ? plane[0]! - 1 : 0;
          const extent = cache.has(this.keyOf(column, row, sample)) ? null : await this.extent(column, row, sample);
          if (extent !== null) ranges.push(extent);
        }
      }
    }
    await bytes.prefetch(ranges);
  }

  private keyOf(column: number, row: number, sample: number): string {
    return `${this.file.key}/${this.index}/${sample}/${row}/${column}`;
  }

  private copy(block: Samples, column: number, row: number, band: number, window: PixelWindow, target: Samples): void {
    const pixelStride = samplesPerBlockPixel(this.format);
    const left = column * this.blockWidthPx;
    const top = row * this.blockHeightPx;
    const fromX = Math.max(window.x, left);
    const toX = Math.min(window.x + window.width, left + this.blockWidthPx);
    const fromY = Math.max(window.y, top);
    const toY = Math.min(window.y + window.height, top + this.blockHeightPx);
    for (let y = fromY; y < toY; y++) {
      let from = ((y - top) * this.blockWidthPx + fromX - left) * pixelStride + (pixelStride === 1 ? 0 : band - 1);
      let to = (y - window.y) * window.width + fromX - window.x;
      for (let x = fromX; x < toX; x++, from += pixelStride) target[to++] = block[from]!;
    }
  }

  private block(column: number, row: number, sample: number): Promise<Samples> {
    return this.file.cache.get(this.keyOf(column, row, sample), async () => {
      const rows = this.image.isTiled ? this.format.tileHeight : this.image.getBlockHeight(row);
      try {
        const stored = await this.stored(column, row, sample);
        if (stored === null) return this.leftOut(rows);
        const decoded = await this.decode(stored);
        return samplesOfBlock(decoded, this.format, this.dtype, rows);
      } catch (cause) {
        if (cause instanceof AppError) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        const block = `block at column ${column}, row ${row} of directory ${this.index}`;
        throw new CorruptImageError(`${block} cannot be decoded (${reason})`, { cause });
      }
    });
  }

  /** Bytes of a block as stored; null for a block that a sparse file leaves out. */
  private async stored(column: number, row: number, sample: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const extent = await this.extent(column, row, sample);
    return extent && this.file.bytes.read(extent.start, extent.end - extent.start);
  }

  /** Where a block is stored; null for a block that a sparse file leaves out. */
  private async extent(column: number, row: number, sample: number): Promise<{ start: number; end: number } | null> {
    const across = Math.ceil(this.widthPx / this.blockWidthPx);
    const down = Math.ceil(this.heightPx / this.blockHeightPx);
    const plane = this.format.planarConfiguration === 2 ? sample * across * down : 0;
    const block = plane + row * across + column;
    const kind = this.image.isTiled ? 'Tile' : 'Strip';
    const offset = Number(await this.image.fileDirectory.loadValueIndexed(`${kind}Offsets`, block));
    const length = Number(await this.image.fileDirectory.loadValueIndexed(`${kind}ByteCounts`, block));
    if (Number.isNaN(offset + length)) throw new CorruptImageError(`${kind} ${block} has no offset or no byte count`);
    if (offset === 0 && length === 0) return null;
    const { sizeBytes } = this.file.bytes;
    if (!(offset + length <= sizeBytes)) {
      const extent = `bytes ${offset} to ${offset + length}`;
      throw new CorruptImageError(`${kind} ${block} lies at ${extent}, the file has ${sizeBytes} bytes`);
    }
    const maxBytes = 2 * this.file.maxBlockBytes;
    if (length > maxBytes) {
      throw new UnsupportedImageError(`blocks of ${length} bytes as stored (the limit is ${maxBytes})`);
    }
    return { start: offset, end: offset + length };
  }

  /** @see https://gdal.org/drivers/raster/gtiff.html#sparse-files */
  private leftOut(rows: number): Samples {
    const samples = emptySamples(this.dtype, this.blockWidthPx * rows * samplesPerBlockPixel(this.format));
    return samples.fill(this.file.nodata ?? 0);
  }
}

/**
 * Bits of each sample of a pixel. One value stands for all samples, as libtiff reads it.
 * @see TIFF 6.0, section 8, BitsPerSample
 */
function bitsOfSamples(image: GeoTIFFImage): number[] {
  const samples = image.getSamplesPerPixel();
  const stored = (image.fileDirectory.getValue('BitsPerSample') ?? [1]) as ArrayLike<number>;
  if (stored.length !== 1 && stored.length < samples) {
    throw new CorruptImageError(`BitsPerSample has ${stored.length} values for ${samples} samples of a pixel`);
  }
  const bits = Array.from({ length: samples }, (_, sample) => stored[stored.length === 1 ? 0 : sample]!);
  const widths = [...new Set(bits)];
  if (widths.length > 1) {
    const named = widths.slice(0, 4).join(', ') + (widths.length > 4 ? ', …' : '');
    throw new UnsupportedImageError(`bands of different bit widths (${named})`);
  }
  return bits;
}

async function formatOf(image: GeoTIFFImage): Promise<BlockFormat> {
  const tags = image.fileDirectory;
  dtypeOf(image);
  const bitsPerSample = bitsOfSamples(image);
  const compression: number = tags.getValue('Compression') ?? 1;
  const predictor = appliesPredictor(compression) ? ((await tags.loadValue('Predictor')) ?? 1) : 1;
  checkPredictor(predictor, image);
  return {
    compression,
    tileWidth: image.getTileWidth(),
    tileHeight: image.isTiled ? image.getTileHeight() : Math.min(image.getTileHeight(), image.getHeight()),
    planarConfiguration: image.planarConfiguration,
    bitsPerSample,
    predictor,
    photometric: tags.getValue('PhotometricInterpretation') ?? 1,
    littleEndian: image.littleEndian,
    fillOrder: (await tags.loadValue('FillOrder')) ?? 1,
    JPEGTables: await bytesOfTag(tags.loadValue('JPEGTables')),
    LercParameters: await tags.loadValue('LercParameters'),
  };
}

function checkPredictor(predictor: number, image: GeoTIFFImage): void {
  const bits = image.getBitsPerSample();
  const isFloat = image.getSampleFormat() === 3;
  const fits = predictor === 1 || (predictor === 2 && [8, 16, 32, 64].includes(bits)) || (predictor === 3 && isFloat);
  if (fits) return;
  throw new UnsupportedImageError(
    `TIFF Predictor ${predictor} for ${isFloat ? 'float' : 'integer'} samples of ${bits} bits`,
  );
}

async function bytesOfTag(tag: Promise<ArrayLike<number> | undefined>): Promise<Uint8Array | undefined> {
  const value = await tag;
  return value === undefined ? undefined : Uint8Array.from(value);
}

const SAMPLE_KINDS: Readonly<Record<number, string>> = { 1: 'uint', 2: 'int', 3: 'float', 4: 'uint' };

function dtypeOf(image: GeoTIFFImage): SampleType {
  const format = image.getSampleFormat();
  const bits = image.getBitsPerSample();
  if (format === 5) throw new ComplexSamplesError(`complex int${bits / 2}`);
  if (format === 6) throw new ComplexSamplesError(`complex float${bits / 2}`);
  const kind = SAMPLE_KINDS[format];
  const readable = kind === 'float' ? [16, 32, 64].includes(bits) : bits <= 32 && (kind === 'uint' || bits % 8 === 0);
  if (kind === undefined || !readable || bits === 24) {
    throw new UnsupportedImageError(`samples of ${bits} bits with TIFF SampleFormat ${format}`);
  }
  return `${kind}${bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64}` as SampleType;
}
