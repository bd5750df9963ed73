import type { GeoTIFFImage } from 'geotiff';
import type { PixelWindow } from '../raster/window.ts';
import type { BlockCache } from './block-cache.ts';
import { ComplexSamplesError, CorruptImageError, UnsupportedImageError } from './image-errors.ts';
import type { BlockDecoder, BlockFormat } from './tiff-codec.ts';
import { blockDecoder, decodesToNativeOrder, samplesPerBlockPixel } from './tiff-codec.ts';

/** Sample values of one band or block, as stored. */
export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Largest tile or strip that is decoded, bytes; larger ones belong to files not made to be read in parts. */
const MAX_BLOCK_BYTES = 512 * 2 ** 20;

/** One directory of a TIFF: the full resolution, a reduced copy, or a mask. Reads windows block by block. */
export class TiffLevel {
  readonly widthPx: number;
  readonly heightPx: number;
  /** `uint8`, `float32`, …; sub-byte samples count as the type they are unpacked to. */
  readonly dtype: string;

  private constructor(
    private readonly image: GeoTIFFImage,
    private readonly index: number,
    private readonly fileBytes: number,
    private readonly cache: BlockCache<Samples>,
    private readonly format: BlockFormat,
    private readonly decoder: BlockDecoder,
  ) {
    this.widthPx = image.getWidth();
    this.heightPx = image.getHeight();
    this.dtype = dtypeOf(image);
  }

  /**
   * @param index number of the directory in the file
   * @param fileBytes size of the file; blocks must lie inside
   * @throws {ComplexSamplesError | UnsupportedImageError}
   */
  static async open(image: GeoTIFFImage, index: number, fileBytes: number, cache: BlockCache<Samples>) {
    const format = await formatOf(image);
    // geotiff.js undoes differences in this machine's byte order; swapped files are undone here, after the swap.
    const undoneHere = needsSwap(image, format) && format.predictor === 2;
    const decoder = await blockDecoder(undoneHere ? { ...format, predictor: 1 } : format);
    return new TiffLevel(image, index, fileBytes, cache, format, decoder);
  }

  get blockWidthPx(): number {
    return this.image.getTileWidth();
  }

  /** Rows of a tile or strip; the last row of strips may have fewer. */
  get blockHeightPx(): number {
    return Math.min(this.image.getTileHeight(), this.image.isTiled ? Infinity : this.heightPx);
  }

  /**
   * Values of a window, one array for each asked band, row-major.
   * @param window in pixels of this level
   * @param bands 1-based
   * @throws {CorruptImageError} when a block ends early or does not decode
   */
  async readBands(window: PixelWindow, bands: readonly number[]): Promise<Samples[]> {
    const { blockWidthPx, blockHeightPx } = this;
    const values = bands.map((band) => this.image.getArrayForSample(band - 1, window.width * window.height));
    const planes = this.format.planarConfiguration === 2 ? bands.map((band) => [band]) : [bands];
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
    const key = `${this.index}/${sample}/${row}/${column}`;
    return this.cache.get(key, async () => {
      try {
        await this.checkInsideFile(column, row, sample);
        const { data } = await this.image.getTileOrStrip(column, row, sample, this.decoder);
        return this.samples(data, sample, this.image.getBlockHeight(row));
      } catch (cause) {
        if (cause instanceof CorruptImageError) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        const place = `block at column ${column}, row ${row} of directory ${this.index}`;
        throw new CorruptImageError(`${place} cannot be decoded (${reason})`, { cause });
      }
    });
  }

  private async checkInsideFile(column: number, row: number, sample: number): Promise<void> {
    const across = Math.ceil(this.widthPx / this.blockWidthPx);
    const down = Math.ceil(this.heightPx / this.blockHeightPx);
    const plane = this.format.planarConfiguration === 2 ? sample * across * down : 0;
    const block = plane + row * across + column;
    const kind = this.image.isTiled ? 'Tile' : 'Strip';
    const offset = Number(await this.image.fileDirectory.loadValueIndexed(`${kind}Offsets`, block));
    const length = Number(await this.image.fileDirectory.loadValueIndexed(`${kind}ByteCounts`, block));
    if (!(offset + length <= this.fileBytes)) {
      const extent = `bytes ${offset} to ${offset + length}`;
      throw new CorruptImageError(`${kind} ${block} lies at ${extent}, the file has ${this.fileBytes} bytes`);
    }
  }

  private samples(data: ArrayBufferLike, sample: number, rows: number): Samples {
    const { format, image } = this;
    const swap = needsSwap(image, format);
    const samples = image.getArrayForSample(sample, swap ? swapped(data, bytesOf(this.dtype)) : data);
    const stride = samplesPerBlockPixel(format);
    const expected = this.blockWidthPx * rows * stride;
    if (samples.length < expected) {
      throw new CorruptImageError(`a block has ${samples.length} samples instead of ${expected}`);
    }
    if (swap && format.predictor === 2) undoDifferences(samples, this.blockWidthPx * stride, stride);
    return samples;
  }
}

async function formatOf(image: GeoTIFFImage): Promise<BlockFormat> {
  const tags = image.fileDirectory;
  const samples = image.getSamplesPerPixel();
  const bitsPerSample = Array.from({ length: samples }, (_, sample) => image.getBitsPerSample(sample));
  dtypeOf(image);
  if (new Set(bitsPerSample).size > 1) throw new UnsupportedImageError(`bands of ${bitsPerSample.join(', ')} bits`);
  const format: BlockFormat = {
    compression: tags.getValue('Compression') ?? 1,
    tileWidth: image.getTileWidth(),
    tileHeight: image.isTiled ? image.getTileHeight() : Math.min(image.getTileHeight(), image.getHeight()),
    planarConfiguration: image.planarConfiguration,
    bitsPerSample,
    predictor: (await tags.loadValue('Predictor')) ?? 1,
    photometric: tags.getValue('PhotometricInterpretation') ?? 1,
    JPEGTables: await bytesOfTag(tags.loadValue('JPEGTables')),
    LercParameters: await tags.loadValue('LercParameters'),
  };
  const blockBytes = (format.tileWidth * format.tileHeight * samplesPerBlockPixel(format) * bitsPerSample[0]!) / 8;
  if (blockBytes > MAX_BLOCK_BYTES) {
    throw new UnsupportedImageError(`blocks of ${format.tileWidth} x ${format.tileHeight} pixels, ${blockBytes} bytes`);
  }
  return format;
}

async function bytesOfTag(tag: Promise<ArrayLike<number> | undefined>): Promise<Uint8Array | undefined> {
  const value = await tag;
  return value === undefined ? undefined : Uint8Array.from(value);
}

const SAMPLE_KINDS: Readonly<Record<number, string>> = { 1: 'uint', 2: 'int', 3: 'float', 4: 'uint' };

function dtypeOf(image: GeoTIFFImage): string {
  const format = image.getSampleFormat();
  const bits = image.getBitsPerSample();
  if (format === 5) throw new ComplexSamplesError(`complex int${bits / 2}`);
  if (format === 6) throw new ComplexSamplesError(`complex float${bits / 2}`);
  const kind = SAMPLE_KINDS[format];
  const readable = kind === 'float' ? [16, 32, 64].includes(bits) : bits <= 32 && (kind === 'uint' || bits % 8 === 0);
  if (kind === undefined || !readable || bits === 24) {
    throw new UnsupportedImageError(`samples of ${bits} bits with TIFF SampleFormat ${format}`);
  }
  return `${kind}${bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64}`;
}

/** Bytes of one unpacked sample. */
function bytesOf(dtype: string): number {
  return Number(/\d+$/.exec(dtype)![0]) / 8;
}

function needsSwap(image: GeoTIFFImage, format: BlockFormat): boolean {
  const bits = format.bitsPerSample[0]!;
  return !image.littleEndian && bits > 8 && [16, 32, 64].includes(bits) && !decodesToNativeOrder(format);
}

function swapped(data: ArrayBufferLike, bytes: number): ArrayBufferLike {
  const copy = Buffer.from(data.slice(0));
  if (bytes === 2) copy.swap16();
  else if (bytes === 4) copy.swap32();
  else copy.swap64();
  return copy.buffer;
}

/** Horizontal differences back to values, in place. @see TIFF 6.0 section 14 */
function undoDifferences(samples: Samples, rowSamples: number, stride: number): void {
  for (let start = 0; start + rowSamples <= samples.length; start += rowSamples) {
    for (let i = start + stride; i < start + rowSamples; i++) samples[i] = samples[i]! + samples[i - stride]!;
  }
}
