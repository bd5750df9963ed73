import { AppError } from '../errors.ts';
import type { PixelWindow } from '../raster/window.ts';
import type { MaskRuns } from './mask-runs.ts';

/** The mask has no such label. */
export class UnknownLabelError extends AppError {
  readonly code = 'UNKNOWN_LABEL';
  constructor(label: number, labelCount: number) {
    super(`Label ${label} does not exist; this mask has labels 1 to ${labelCount}.`);
  }
}

/**
 * A mask whose 4-connected parts are numbered from 1 in scan order, row by row from the top left. Created by
 * `labelMask`.
 */
export class LabelledMask {
  readonly #pixelCounts: Float64Array;
  readonly #probabilitySums: Float64Array;
  readonly #probabilityMaxima: Float64Array;
  /** First column, first row, end column, end row of each label. */
  readonly #boxes: Uint32Array;

  /**
   * @param labels one per run of `mask`; runs that share a pixel edge have the same label
   * @param labelCount highest label; every label from 1 is in use
   */
  constructor(
    readonly mask: MaskRuns,
    readonly labels: Uint32Array,
    readonly labelCount: number,
  ) {
    this.#pixelCounts = new Float64Array(labelCount);
    this.#probabilitySums = new Float64Array(labelCount);
    this.#probabilityMaxima = new Float64Array(labelCount);
    this.#boxes = new Uint32Array(4 * labelCount);
    this.#measure();
  }

  /** @throws {UnknownLabelError} */
  pixelCount(label: number): number {
    return this.#pixelCounts[this.#indexOf(label)]!;
  }

  /**
   * Mean probability over the pixels of the label; NaN when the mask has no probabilities.
   * @throws {UnknownLabelError}
   */
  meanProbability(label: number): number {
    return this.#probabilitySums[this.#indexOf(label)]! / this.pixelCount(label);
  }

  /**
   * Largest probability among the pixels of the label; NaN when the mask has no probabilities.
   * @throws {UnknownLabelError}
   */
  maxProbability(label: number): number {
    return this.#probabilityMaxima[this.#indexOf(label)]!;
  }

  /** What the pixels of the label say of it. @throws {UnknownLabelError} */
  measures(label: number): { pixelCount: number; meanProbability: number; maxProbability: number } {
    return {
      pixelCount: this.pixelCount(label),
      meanProbability: this.meanProbability(label),
      maxProbability: this.maxProbability(label),
    };
  }

  /**
   * Bounding window of the label in the scene frame.
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
    const { lines, offsets, toggles, probabilitySums, probabilityMaxima } = this.mask;
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
        this.#probabilityMaxima[index] = Math.max(this.#probabilityMaxima[index]!, probabilityMaxima[run]!);
        if (start < boxes[box]!) boxes[box] = start;
        if (end > boxes[box + 2]!) boxes[box + 2] = end;
        boxes[box + 3] = y + 1;
      }
    }
  }
}
