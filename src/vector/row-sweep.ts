import type { LabelledMask } from './labelled-mask.ts';
import { NONE } from './line-boundaries.ts';

/** Sweeps over a labelled mask from left to right and row by row. */
export class RowSweep {
  /** Label of the pixels between the last toggle passed and {@link column}; 0 outside the mask. */
  label = 0;
  /** Column of the next toggle; NONE after the last. */
  column = NONE;
  readonly #lines: Uint32Array;
  readonly #offsets: Uint32Array;
  readonly #toggles: Uint32Array;
  readonly #labels: Uint32Array;
  #row = 0;
  #next = 0;
  #end = 0;

  constructor({ mask, labels }: LabelledMask) {
    this.#lines = mask.lines;
    this.#offsets = mask.offsets;
    this.#toggles = mask.toggles;
    this.#labels = labels;
  }

  /** Moves to the start of a row; rows must not descend. */
  enter(y: number): void {
    while (this.#row < this.#lines.length && this.#lines[this.#row]! < y) this.#row++;
    const hasRuns = this.#lines[this.#row] === y;
    this.#next = hasRuns ? 2 * this.#offsets[this.#row]! : 0;
    this.#end = hasRuns ? 2 * this.#offsets[this.#row + 1]! : 0;
    this.label = 0;
    this.column = this.#next < this.#end ? this.#toggles[this.#next]! : NONE;
  }

  /** Passes the next toggle if it is at this column. */
  pass(column: number): void {
    if (this.column !== column) return;
    this.label = this.#next % 2 === 0 ? this.#labels[this.#next >>> 1]! : 0;
    this.#next++;
    this.column = this.#next < this.#end ? this.#toggles[this.#next]! : NONE;
  }
}
