import { AppError } from '../errors.ts';
import { growingFloat64, growingUint32 } from './growing-array.ts';

/** One row of a mask in the scene frame. */
export interface MaskRow {
  readonly y: number;
  /**
   * Columns at which the mask alternately turns on and off: run `k` covers the columns
   * `[toggles[2k], toggles[2k + 1])`. Strictly ascending, so runs never touch.
   */
  readonly toggles: Uint32Array;
  /** Sum of pixel probabilities per run; NaN when the mask has none. */
  readonly probabilitySums: Float64Array;
  /** Largest probability of the pixels, one a run; absent or NaN where a mask carries none. */
  readonly probabilityMaxima?: Float64Array;
}

/**
 * Runs of the lines (rows or columns) of a mask. Only lines with runs are listed; the runs of listed line `k` are those
 * from `offsets[k]` to `offsets[k + 1]`.
 */
export interface RunLines {
  /** Indices of the lines with runs, ascending. */
  readonly lines: Uint32Array;
  /** One entry more than `lines`. */
  readonly offsets: Uint32Array;
  /** Start and end (exclusive) of each run along its line, alternating. */
  readonly toggles: Uint32Array;
}

/** The size of a mask is not a pair of whole numbers within the limit. */
export class InvalidMaskSizeError extends AppError {
  readonly code = 'INVALID_MASK_SIZE';
  constructor(widthPx: number, heightPx: number) {
    super(`The mask has ${widthPx} x ${heightPx} pixels; both sides must be whole numbers from 1 to ${MAX_SIDE_PX}.`);
  }
}

/** A row does not fit the mask, or its runs are out of order. */
export class InvalidMaskRowError extends AppError {
  readonly code = 'INVALID_MASK_ROW';
}

const MAX_SIDE_PX = 2 ** 26;
const isSide = (px: number): boolean => Number.isInteger(px) && px >= 1 && px <= MAX_SIDE_PX;

/**
 * A mask stored as runs of pixels, row by row in the scene frame. Memory grows with the number of runs, not of pixels: an
 * empty mask of any size takes none.
 */
export class MaskRuns implements RunLines {
  readonly #lines = growingUint32();
  readonly #offsets = growingUint32();
  readonly #toggles = growingUint32();
  readonly #probabilitySums = growingFloat64();
  readonly #probabilityMaxima = growingFloat64();
  #pixelCount = 0;
  #probabilitySum = 0;

  /** @throws {InvalidMaskSizeError} */
  constructor(
    readonly widthPx: number,
    readonly heightPx: number,
  ) {
    if (!isSide(widthPx) || !isSide(heightPx)) throw new InvalidMaskSizeError(widthPx, heightPx);
    this.#offsets.push(0);
  }

  /**
   * Appends a row below the previous ones. Omitted rows are empty.
   * @throws {InvalidMaskRowError} when the row is not below the last one or outside the mask, or when its runs are not
   *   ascending and disjoint
   */
  pushRow(row: MaskRow): void {
    this.#check(row);
    const { y, toggles, probabilitySums, probabilityMaxima } = row;
    if (toggles.length === 0) return;
    for (let run = 0; run < probabilitySums.length; run++) {
      this.#pixelCount += toggles[2 * run + 1]! - toggles[2 * run]!;
      this.#probabilitySum += probabilitySums[run]!;
    }
    this.#toggles.append(toggles);
    this.#probabilitySums.append(probabilitySums);
    this.#probabilityMaxima.append(probabilityMaxima ?? new Float64Array(probabilitySums.length).fill(Number.NaN));
    this.#lines.push(y);
    this.#offsets.push(this.#probabilitySums.length);
  }

  get lines(): Uint32Array {
    return this.#lines.view();
  }

  get offsets(): Uint32Array {
    return this.#offsets.view();
  }

  get toggles(): Uint32Array {
    return this.#toggles.view();
  }

  /** One per run. */
  get probabilitySums(): Float64Array {
    return this.#probabilitySums.view();
  }

  /** One a run; NaN where the mask was made without them. */
  get probabilityMaxima(): Float64Array {
    return this.#probabilityMaxima.view();
  }

  get runCount(): number {
    return this.#probabilitySums.length;
  }

  get pixelCount(): number {
    return this.#pixelCount;
  }

  /** Mean probability over the pixels of the mask; null when it is empty or has no probabilities. */
  get meanProbability(): number | null {
    const mean = this.#probabilitySum / this.#pixelCount;
    return Number.isNaN(mean) ? null : mean;
  }

  /** The rows with runs, from the top; views into the mask, not copies. */
  *rows(): IterableIterator<MaskRow> {
    const { lines, offsets, toggles, probabilitySums, probabilityMaxima } = this;
    for (let k = 0; k < lines.length; k++) {
      const [from, to] = [offsets[k]!, offsets[k + 1]!];
      yield {
        y: lines[k]!,
        toggles: toggles.subarray(2 * from, 2 * to),
        probabilitySums: probabilitySums.subarray(from, to),
        probabilityMaxima: probabilityMaxima.subarray(from, to),
      };
    }
  }

  /**
   * Rasterises a band of whole rows: 1 inside the mask and 0 outside, row-major.
   * @param y first row of the band
   * @throws {InvalidMaskRowError} when the band is not within the mask
   */
  toBytes(y: number, rowCount: number): Uint8Array {
    if (!Number.isInteger(y) || !Number.isInteger(rowCount) || y < 0 || rowCount < 0 || y + rowCount > this.heightPx) {
      throw new InvalidMaskRowError(`Rows ${y} to ${y + rowCount} are not within a mask of ${this.heightPx} rows.`);
    }
    const bytes = new Uint8Array(rowCount * this.widthPx);
    const { lines, offsets, toggles } = this;
    for (let k = firstAtLeast(lines, y); k < lines.length && lines[k]! < y + rowCount; k++) {
      const origin = (lines[k]! - y) * this.widthPx;
      for (let run = offsets[k]!; run < offsets[k + 1]!; run++) {
        bytes.fill(1, origin + toggles[2 * run]!, origin + toggles[2 * run + 1]!);
      }
    }
    return bytes;
  }

  #check({ y, toggles, probabilitySums }: MaskRow): void {
    const last = this.#lines.length === 0 ? -1 : this.#lines.at(this.#lines.length - 1);
    if (!Number.isInteger(y) || y <= last || y >= this.heightPx) {
      throw new InvalidMaskRowError(`Row ${y} does not follow row ${last} in a mask of ${this.heightPx} rows.`);
    }
    if (toggles.length !== 2 * probabilitySums.length) {
      throw new InvalidMaskRowError(`Row ${y} has ${toggles.length} toggles for ${probabilitySums.length} runs.`);
    }
    let previous = -1;
    for (const column of toggles) {
      if (column <= previous || column > this.widthPx) {
        throw new InvalidMaskRowError(
          `Row ${y} toggles at column ${column} after ${previous}; columns must ascend up to ${this.widthPx}.`,
        );
      }
      previous = column;
    }
  }
}

/** Index of the first of the ascending values that is at least `minimum`. */
function firstAtLeast(ascending: Uint32Array, minimum: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < minimum) low = middle + 1;
    else high = middle;
  }
  return low;
}
