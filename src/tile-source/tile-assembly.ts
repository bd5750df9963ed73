import type { FileHandle } from 'node:fs/promises';
import { checkPixels } from '../imagery/image-errors.ts';
import { PicturePyramid } from './picture-pyramid.ts';
import { affineOfArea, type TileArea } from './tile-area.ts';
import { TileSourceError } from './tile-template.ts';

/** A decoded tile. */
export interface TilePixels {
  /** HWC uint8; the opacity is 0 or 255. */
  readonly rgba: Uint8Array;
  readonly sidePx: number;
}

export interface AssemblyLimits {
  /** Of the image. */
  readonly maxPixels: number;
  /** Of the file that is made. */
  readonly maxBytes: number;
}

/** Puts tiles together, row by row from the north. Missing ones are transparent. */
export class TileAssembly {
  private pyramid: PicturePyramid | null = null;
  private sidePx = 0;
  /** Rows without a tile, whose size is not known yet. */
  private emptyRows = 0;
  private row: (Uint8Array | null)[] = [];

  constructor(
    private readonly area: TileArea,
    private readonly file: FileHandle,
    private readonly limits: AssemblyLimits,
  ) {}

  /**
   * Takes the next tile, from the west.
   * @param pixels null for a missing one
   * @param name of the tile, for messages
   * @throws {TileSourceError | TooManyPixelsError | FileTooLargeError}
   */
  async add(pixels: TilePixels | null, name: string): Promise<void> {
    if (pixels) this.pyramid ??= this.begin(pixels.sidePx);
    if (pixels && pixels.sidePx !== this.sidePx) {
      throw new TileSourceError(`${name} has ${pixels.sidePx} pixels a side, others have ${this.sidePx}.`);
    }
    this.row.push(pixels?.rgba ?? null);
    if (this.row.length < this.area.columns) return;
    const { row, pyramid } = this;
    this.row = [];
    if (pyramid === null) {
      this.emptyRows += 1;
      return;
    }
    for (; this.emptyRows > 0; this.emptyRows -= 1) await pyramid.push(row.map(() => this.transparent()));
    await pyramid.push(row.map((tile) => tile ?? this.transparent()));
  }

  /** What comes before the tiles in the file. @throws {TileSourceError} when there was no tile at all */
  finish(): Buffer[] {
    const { columns, rows } = this.area;
    if (this.pyramid === null) {
      throw new TileSourceError(`The service has none of the ${columns * rows} tiles at zoom ${this.area.zoom}.`);
    }
    return this.pyramid.head(affineOfArea(this.area, this.sidePx));
  }

  private begin(sidePx: number): PicturePyramid {
    const { columns, rows } = this.area;
    checkPixels(columns * sidePx, rows * sidePx, this.limits.maxPixels);
    this.sidePx = sidePx;
    return new PicturePyramid(columns, rows, sidePx, this.file, this.limits.maxBytes);
  }

  private transparent(): Uint8Array {
    return new Uint8Array(4 * this.sidePx ** 2);
  }
}
