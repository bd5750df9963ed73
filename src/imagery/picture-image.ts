import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import type { PixelWindow } from '../raster/window.ts';
import { toRgb, validity } from './colour.ts';
import type { DecoderMemory } from './decoder-memory.ts';
import type { Orientation } from './exif-orientation.ts';
import { takenAt } from './exif-time.ts';
import { CorruptImageError } from './codec/codec-errors.ts';
import { checkBands, checkPixels, checkWindow, DecoderMemoryError } from './image-errors.ts';
import type { ImageHeader, ImageReader, RgbWindow } from './image-source.ts';
import type { BandShow } from './band-show.ts';
import { type Collar, markCollar, type ReducedBands } from './collar.ts';
import { WindowResampler } from './window-resampler.ts';

/** Rows decoded together and kept for later windows, bytes at most. */
const ROWS_BYTES = 64 * 2 ** 20;
/** Largest picture that is decoded whole to look for a collar, pixels. */
const MAX_REDUCED_PIXELS = 2 ** 26;

/** Whole rows of the picture, samples interleaved. */
interface Rows {
  readonly top: number;
  readonly count: number;
}

/**
 * A PNG, JPEG or WebP, turned upright by its EXIF orientation. These formats can only be decoded from the top, so rows
 * are cached: a picture is decoded once for each batch of rows, not once for each window.
 */
export class PictureImage implements ImageReader {
  private rows: Rows | null = null;

  private constructor(
    readonly header: ImageHeader,
    /** The raster as stored, which a world file refers to. */
    readonly stored: { readonly widthPx: number; readonly heightPx: number; readonly orientation: Orientation },
    private readonly path: string,
    private readonly memory: DecoderMemory,
    private readonly key: string,
  ) {}

  /**
   * Reads the header alone.
   * @throws {TooManyPixelsError | DecoderMemoryError | CorruptImageError}
   */
  static async open(
    path: string,
    format: 'PNG' | 'JPEG' | 'WebP',
    maxPixels: number,
    memory: DecoderMemory,
  ): Promise<PictureImage> {
    const metadata = await decoded(sharp(path, READ_OPTIONS).metadata());
    const { width: widthPx, height: heightPx } = metadata.autoOrient;
    checkPixels(widthPx, heightPx, maxPixels);
    const { kind, bytes } = heldWhole(metadata, format);
    if (bytes + ROWS_BYTES > memory.maxBytes) {
      throw new DecoderMemoryError(`${kind} of ${widthPx} x ${heightPx} pixels`, bytes + ROWS_BYTES, memory.maxBytes);
    }
    const orientation = orientationOf(metadata);
    const stored = { widthPx: metadata.width, heightPx: metadata.height, orientation };
    return new PictureImage(await headerOf(metadata, format), stored, path, memory, memory.cache.newOwner());
  }

  async readRgb(window: PixelWindow, outWidthPx: number, outHeightPx: number, show: BandShow): Promise<RgbWindow> {
    const { widthPx, heightPx, bands } = this.header;
    checkWindow(window, widthPx, heightPx);
    checkBands(show.rgbBands, bands);
    if (window.width === outWidthPx && window.height === outHeightPx && window.height <= this.rowsKept) {
      return this.rgbOf(window, show);
    }
    const { x, y, width, height } = window;
    const target = new WindowResampler(window, x, y, width, height, outWidthPx, outHeightPx);
    for (let top = y; top < y + height; top += this.rowsKept) {
      const part = { x, y: top, width, height: Math.min(this.rowsKept, y + height - top) };
      target.push(top, await this.rgbOf(part, show));
    }
    return target.finish();
  }

  async sampleBands(
    bands: readonly number[],
    maxPixels: number,
    collar: Collar | null = null,
  ): Promise<Float64Array[]> {
    const { widthPx, heightPx, alphaBand } = this.header;
    checkBands(bands, this.header.bands);
    const shrink = Math.min(1, Math.sqrt(maxPixels / (widthPx * heightPx)));
    const size = { width: Math.ceil(widthPx * shrink), height: Math.ceil(heightPx * shrink) };
    const samples = await this.samples(this.shrunk(size));
    const values = bands.map((band) => this.band(samples, band));
    const opacity = alphaBand === null ? [] : [this.band(samples, alphaBand)];
    return values.map((band) => {
      const valid = validity([band], null, opacity);
      if (collar) {
        markCollar(valid, values, collar, { x: 0, y: 0, ...size }, [widthPx / size.width, heightPx / size.height]);
      }
      return Float64Array.from(band).filter((_, pixel) => valid[pixel] === 1);
    });
  }

  async reduced(bands: readonly number[], maxSidePx: number): Promise<ReducedBands | null> {
    const { widthPx, heightPx } = this.header;
    if (widthPx * heightPx > MAX_REDUCED_PIXELS) return null;
    const shrink = Math.min(1, maxSidePx / Math.max(widthPx, heightPx));
    const size = { width: Math.ceil(widthPx * shrink), height: Math.ceil(heightPx * shrink) };
    const samples = await this.samples(this.shrunk(size));
    return { widthPx: size.width, heightPx: size.height, bands: bands.map((band) => this.band(samples, band)) };
  }

  async close(): Promise<void> {
    this.memory.cache.dropOwner(this.key);
  }

  /** Number of rows that fit into {@link ROWS_BYTES}. */
  private get rowsKept(): number {
    const { widthPx, bands, bitsPerSample } = this.header;
    return Math.max(1, Math.floor(ROWS_BYTES / ((widthPx * bands * bitsPerSample) / 8)));
  }

  private async rgbOf(window: PixelWindow, show: BandShow): Promise<RgbWindow> {
    const { alphaBand, photometric, bands, widthPx } = this.header;
    const rows = this.rowsFor(window.y, window.height);
    const samples = await this.memory.cache.get(`${this.key}/${rows.top}/${rows.count}`, () => this.decodedRows(rows));
    const wanted = alphaBand === null ? [...show.rgbBands] : [...show.rgbBands, alphaBand];
    const values = wanted.map((band) => {
      const out = new Uint16Array(window.width * window.height);
      for (let y = 0, to = 0; y < window.height; y++) {
        let from = ((window.y + y - rows.top) * widthPx + window.x) * bands + band - 1;
        for (let x = 0; x < window.width; x++, from += bands) out[to++] = samples[from]!;
      }
      return out;
    });
    const shown = values.slice(0, show.rgbBands.length);
    const valid = validity(shown, this.header.nodata, values.slice(show.rgbBands.length));
    if (show.collar) markCollar(valid, shown, show.collar, window, [1, 1]);
    return { rgb: toRgb(shown, show, photometric, null), valid };
  }

  private rowsFor(top: number, count: number): Rows {
    const kept = this.rows;
    if (kept && top >= kept.top && top + count <= kept.top + kept.count) return kept;
    const { heightPx } = this.header;
    const first = heightPx <= this.rowsKept ? 0 : top;
    const height = Math.min(Math.max(count, this.rowsKept), heightPx - first);
    this.rows = { top: first, count: height };
    return this.rows;
  }

  private decodedRows({ top, count }: Rows): Promise<Uint8Array | Uint16Array> {
    const { widthPx } = this.header;
    return this.samples(this.decoder().extract({ left: 0, top, width: widthPx, height: count }));
  }

  private shrunk(size: { readonly width: number; readonly height: number }): Sharp {
    return this.decoder().resize({ ...size, fit: 'fill', kernel: 'nearest', fastShrinkOnLoad: false });
  }

  private decoder(): Sharp {
    const { bands, bitsPerSample } = this.header;
    const grey = bands <= 2;
    const space = bitsPerSample === 16 ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb';
    return sharp(this.path, READ_OPTIONS).autoOrient().toColourspace(space);
  }

  private async samples(image: Sharp): Promise<Uint8Array | Uint16Array> {
    const depth = this.header.bitsPerSample === 16 ? 'ushort' : 'uchar';
    const { data, info } = await decoded(image.raw({ depth }).toBuffer({ resolveWithObject: true }));
    const expected = info.width * info.height * this.header.bands * (this.header.bitsPerSample / 8);
    if (data.length !== expected) throw new CorruptImageError(`${data.length} bytes decoded instead of ${expected}`);
    if (depth === 'uchar') return data;
    return new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
  }

  private band(samples: Uint8Array | Uint16Array, band: number): Uint16Array {
    const { bands } = this.header;
    return Uint16Array.from({ length: samples.length / bands }, (_, pixel) => samples[pixel * bands + band - 1]!);
  }
}

/** Pixels and memory are checked against the header first. Colours stay as stored, as in GDAL. */
const READ_OPTIONS = { limitInputPixels: false, ignoreIcc: true, failOn: 'error', sequentialRead: true } as const;

/**
 * Memory of decoders that hold the whole picture: progressive JPEG keeps two bytes a coefficient, interlaced PNG and
 * turned pictures all samples, WebP its frame, its working copy and its output.
 */
function heldWhole(metadata: Metadata, format: 'PNG' | 'JPEG' | 'WebP'): { kind: string; bytes: number } {
  const { width, height, channels } = metadata;
  const sampleBytes = metadata.depth === 'ushort' ? 2 : 1;
  const samples = width * height * channels * sampleBytes;
  const isTurned = orientationOf(metadata) > 2;
  const turning = isTurned ? 2 * samples : 0;
  const adjective = isTurned ? 'turned ' : '';
  if (format === 'WebP') return { kind: `${adjective}WebP`, bytes: turning + WEBP_PIXEL_BYTES * width * height };
  if (!metadata.isProgressive) return { kind: `${adjective}${format}`, bytes: turning };
  if (format === 'PNG') return { kind: `${adjective}interlaced PNG`, bytes: turning + 2 * samples };
  return { kind: `${adjective}progressive JPEG`, bytes: turning + COEFFICIENT_BYTES * samples };
}

const WEBP_PIXEL_BYTES = 12;
const COEFFICIENT_BYTES = 2;

function orientationOf({ orientation = 1 }: Metadata): Orientation {
  return orientation >= 1 && orientation <= 8 ? (orientation as Orientation) : 1;
}

async function decoded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CorruptImageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function headerOf(metadata: Metadata, format: 'PNG' | 'JPEG' | 'WebP'): Promise<ImageHeader> {
  const colours = metadata.space === 'b-w' || metadata.space === 'grey16' ? 1 : 3;
  const bands = colours + (metadata.hasAlpha ? 1 : 0);
  const bits = metadata.depth === 'ushort' ? 16 : 8;
  return {
    format,
    widthPx: metadata.autoOrient.width,
    heightPx: metadata.autoOrient.height,
    bands,
    dtype: `uint${bits}`,
    bitsPerSample: bits,
    photometric: colours === 1 ? 'BLACK_IS_ZERO' : 'RGB',
    alphaBand: metadata.hasAlpha ? bands : null,
    hasMask: false,
    nodata: null,
    crs: null,
    affine: null,
    warnings: [],
    rgbBands: colours === 1 ? [1] : [1, 2, 3],
    overviews: [],
    acquiredAt: metadata.exif ? await takenAt(metadata.exif) : null,
  };
}
