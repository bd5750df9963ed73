import type { PixelWindow } from '../raster/window.ts';
import type { ByteSource } from './byte-source.ts';
import { toRgb, validity } from './colour.ts';
import type { TiffFile } from './tiff-file.ts';
import { openTiff } from './tiff-file.ts';
import type { ImageHeader, ImageReader, RgbWindow } from './image-source.ts';
import { checkBands, checkPixels, checkWindow } from './image-errors.ts';
import type { BandShow } from './band-show.ts';
import { type Collar, markCollar, type ReducedBands } from './collar.ts';
import { decoderMemory, type DecoderMemory } from './decoder-memory.ts';
import type { TiffLevel } from './tiff-level.ts';
import type { Samples } from './codec/tiff-samples.ts';
import { WindowResampler } from './window-resampler.ts';

/** Pixels of a level converted to colours at a time; limits memory, not results. */
const STRIPE_PIXELS = 2 ** 21;
/** Largest level that is read whole to look for a collar, pixels. */
const MAX_REDUCED_PIXELS = 2 ** 30;

/** A GeoTIFF or COG: reads the blocks that a window needs, from the overview that suits the requested size. */
export class GeoTiffImage implements ImageReader {
  private constructor(
    readonly header: ImageHeader,
    private readonly file: TiffFile,
    private readonly bytes: ByteSource,
  ) {}

  /**
   * Reads the directories, no pixels. Takes ownership of the source and closes it.
   * @throws {TooManyPixelsError | CorruptImageError | UnsupportedImageError | ComplexSamplesError | UnresolvableCrsError}
   */
  static async open(
    bytes: ByteSource,
    maxPixels: number,
    memory: DecoderMemory = decoderMemory(),
  ): Promise<GeoTiffImage> {
    try {
      const file = await openTiff(bytes, memory);
      checkPixels(file.header.widthPx, file.header.heightPx, maxPixels);
      return new GeoTiffImage(file.header, file, bytes);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  async readRgb(window: PixelWindow, outWidthPx: number, outHeightPx: number, show: BandShow): Promise<RgbWindow> {
    const { widthPx, heightPx, bands } = this.header;
    checkWindow(window, widthPx, heightPx);
    checkBands(show.rgbBands, bands);
    const { level, mask } = this.levelFor(window, outWidthPx, outHeightPx);
    const across = level.widthPx / widthPx;
    const down = level.heightPx / heightPx;
    const from = {
      x: window.x * across,
      y: window.y * down,
      width: window.width * across,
      height: window.height * down,
    };
    const part = wholePixels(from, level);
    if (part.width === outWidthPx && part.height === outHeightPx) return this.rgbOf(level, mask, part, show);
    const target = new WindowResampler(from, part.x, part.y, part.width, part.height, outWidthPx, outHeightPx);
    for (const stripe of stripes(part, level.blockHeightPx)) {
      target.push(stripe.y, await this.rgbOf(level, mask, stripe, show));
    }
    return target.finish();
  }

  async sampleBands(
    bands: readonly number[],
    maxPixels: number,
    collar: Collar | null = null,
  ): Promise<Float64Array[]> {
    checkBands(bands, this.header.bands);
    const { level, mask } = this.levelOfAtLeast(maxPixels / 4);
    const parts: Float64Array[][] = bands.map(() => []);
    for (const window of sampleWindows(level, maxPixels)) {
      const values = await level.readBands(window, bands);
      const opacity = await this.opacity(level, mask, window);
      values.forEach((band, i) => {
        const valid = validity([band], this.header.nodata, opacity);
        if (collar) markCollar(valid, values, collar, window, this.perPixel(level));
        parts[i]!.push(Float64Array.from(band).filter((_, pixel) => valid[pixel] === 1));
      });
    }
    return parts.map(concatenated);
  }

  async reduced(bands: readonly number[], maxSidePx: number): Promise<ReducedBands | null> {
    const { level } = this.levelOfAtLeast(maxSidePx ** 2);
    if (level.widthPx * level.heightPx > MAX_REDUCED_PIXELS) return null;
    const shrink = Math.min(1, maxSidePx / Math.max(level.widthPx, level.heightPx));
    const [widthPx, heightPx] = [Math.ceil(level.widthPx * shrink), Math.ceil(level.heightPx * shrink)];
    const values = bands.map(() => new Float64Array(widthPx * heightPx));
    for (let row = 0; row < heightPx; row++) {
      const y = Math.floor(((row + 0.5) * level.heightPx) / heightPx);
      const line = await level.readBands({ x: 0, y, width: level.widthPx, height: 1 }, bands);
      line.forEach((band, index) => {
        for (let column = 0; column < widthPx; column++) {
          values[index]![row * widthPx + column] = band[Math.floor(((column + 0.5) * level.widthPx) / widthPx)]!;
        }
      });
    }
    return { widthPx, heightPx, bands: values };
  }

  close(): Promise<void> {
    return this.bytes.close();
  }

  /** Pixels of the image for each of a level, across and down. */
  private perPixel(level: TiffLevel): readonly [across: number, down: number] {
    return [this.header.widthPx / level.widthPx, this.header.heightPx / level.heightPx];
  }

  private async rgbOf(
    level: TiffLevel,
    mask: TiffLevel | null,
    window: PixelWindow,
    show: BandShow,
  ): Promise<RgbWindow> {
    const { photometric, nodata } = this.header;
    const shown = photometric === 'CMYK' && show.rgbBands.length === 3 ? [1, 2, 3, 4] : show.rgbBands;
    const bands = await level.readBands(window, shown);
    const valid = validity(bands, nodata, await this.opacity(level, mask, window));
    if (show.collar) markCollar(valid, bands, show.collar, window, this.perPixel(level));
    return { rgb: toRgb(bands, show, photometric, this.file.palette), valid };
  }

  private async opacity(level: TiffLevel, mask: TiffLevel | null, window: PixelWindow): Promise<Samples[]> {
    const { alphaBand } = this.header;
    const alpha = alphaBand === null ? [] : await level.readBands(window, [alphaBand]);
    return mask ? [...alpha, ...(await mask.readBands(window, [1]))] : alpha;
  }

  /** The smallest overview in which the window has at least as many pixels as requested. */
  private levelFor(window: PixelWindow, outWidthPx: number, outHeightPx: number): TiffFile['levels'][number] {
    const { widthPx, heightPx } = this.header;
    const enough = this.file.levels.filter(
      ({ level }) =>
        (window.width * level.widthPx) / widthPx >= outWidthPx * ALMOST &&
        (window.height * level.heightPx) / heightPx >= outHeightPx * ALMOST,
    );
    return enough.at(-1) ?? this.file.levels[0]!;
  }

  private levelOfAtLeast(pixels: number): TiffFile['levels'][number] {
    return this.file.levels.findLast(({ level }) => level.widthPx * level.heightPx >= pixels) ?? this.file.levels[0]!;
  }
}

/** Overviews are rounded to whole pixels; a size short by less than this still suffices. */
const ALMOST = 0.995;

function wholePixels(
  rectangle: { x: number; y: number; width: number; height: number },
  level: TiffLevel,
): PixelWindow {
  const x = Math.floor(rectangle.x + ROUNDING);
  const y = Math.floor(rectangle.y + ROUNDING);
  const right = Math.min(level.widthPx, Math.ceil(rectangle.x + rectangle.width - ROUNDING));
  const bottom = Math.min(level.heightPx, Math.ceil(rectangle.y + rectangle.height - ROUNDING));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

const ROUNDING = 1e-6;

/** Splits a window into stripes that end at block boundaries. */
function* stripes(window: PixelWindow, blockHeightPx: number): Generator<PixelWindow> {
  const end = window.y + window.height;
  const blocks = Math.max(1, Math.floor(STRIPE_PIXELS / (window.width * blockHeightPx)));
  for (let y = window.y; y < end;) {
    const next = Math.min(end, (Math.floor(y / blockHeightPx) + blocks) * blockHeightPx);
    yield { x: window.x, y, width: window.width, height: next - y };
    y = next;
  }
}

/** Blocks spread evenly over a level, `maxPixels` in total at most, but at least one block. */
function* sampleWindows(level: TiffLevel, maxPixels: number): Generator<PixelWindow> {
  const across = Math.ceil(level.widthPx / level.blockWidthPx);
  const down = Math.ceil(level.heightPx / level.blockHeightPx);
  const affordable = Math.floor(maxPixels / (level.blockWidthPx * level.blockHeightPx));
  const count = Math.min(across * down, Math.max(1, affordable));
  for (let i = 0; i < count; i++) {
    const block = Math.floor(((i + 0.5) * across * down) / count);
    const x = (block % across) * level.blockWidthPx;
    const y = Math.floor(block / across) * level.blockHeightPx;
    const width = Math.min(level.blockWidthPx, level.widthPx - x);
    yield { x, y, width, height: Math.min(level.blockHeightPx, level.heightPx - y) };
  }
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
