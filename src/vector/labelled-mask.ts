import { AppError } from '../errors.ts';
import type { PixelWindow } from '../raster/window.ts';
import type { MaskRuns } from './mask-runs.ts';

/** A label that the mask does not have. */
export class UnknownLabelError extends AppError {
  readonly code = 'UNKNOWN_LABEL';
  constructor(label: number, labelCount: number) {
    super(`label ${label} does not exist; this mask has labels 1 to ${labelCount}`);
  }
}

/**
 * A mask whose 4-connected parts are numbered from 1 in the order in which a scan, row by row from the top left, first
 * meets them. Made by `labelMask`.
 */
export class LabelledMask {
  readonly #pixelCounts: Float64Array;
  readonly #probabilitySums: Float64Array;
  /** First column, first row, end column, end row of each label. */
  readonly #boxes: Uint32Array;

  /**
   * @param labels one a run of `mask`; any two runs that share a pixel edge have the same
   * @param labelCount labels in use: each from 1 to this
   */
  constructor(
    readonly mask: MaskRuns,
    readonly labels: Uint32Array,
    readonly labelCount: number,
  ) {
    this.#pixelCounts = new Float64Array(labelCount);
    this.#probabilitySums = new Float64Array(labelCount);
    this.#boxes = new Uint32Array(4 * labelCount);
    this.#measure();
  }

  /** @throws {UnknownLabelError} */
  pixelCount(label: number): number {
    return this.#pixelCounts[this.#indexOf(label)]!;
  }

  /**
   * Mean over the label's pixels; NaN when the mask was made without probabilities.
   * @throws {UnknownLabelError}
   */
  meanProbability(label: number): number {
    return this.#probabilitySums[this.#indexOf(label)]! / this.pixelCount(label);
  }

  /**
   * The smallest window, in the scene frame, that holds the label.
   * @throws {UnknownLabelError}
   */
  bounds(label: number): PixelWindow {
    const [x, y, endX, endY] = this.#boxes.subarray(4 * this.#indexOf(label));
    return { x: x!, y: y!, width: endX! - x!, height: endY! - y! };
  }

  #indexOf(label: number): number {
    if (!Number.isInteger(label) || label < 1 || label > this.labelCount) {
      throw new UnknownLabelError(label, this.labelCount);
    }
    return label - 1;
  }

  #measure(): void {
    const { lines, offsets, toggles, probabilitySums } = this.mask;
    const boxes = this.#boxes;
    for (let k = 0; k < lines.length; k++) {
      const y = lines[k]!;
      for (let run = offsets[k]!; run < offsets[k + 1]!; run++) {
        const start = toggles[2 * run]!;
        const end = toggles[2 * run + 1]!;
        const index = this.labels[run]! - 1;
        const box = 4 * index;
        if (this.#pixelCounts[index] === 0) {
          boxes[box] = start;
          boxes[box + 1] = y;
        }
        this.#pixelCounts[index]! += end - start;
        this.#probabilitySums[index]! += probabilitySums[run]!;
        if (start < boxes[box]!) boxes[box] = start;
        if (end > boxes[box + 2]!) boxes[box + 2] = end;
        boxes[box + 3] = y + 1;
      }
    }
  }
}
