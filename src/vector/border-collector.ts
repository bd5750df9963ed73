import { growingUint32 } from './growing-array.ts';

/** Two labels in contact. */
export interface AdjacentPair {
  readonly labelA: number;
  readonly labelB: number;
  /**
   * Shared pixel edges, merged into the longest straight segments: first column, first row, last column, last row of
   * each, in the scene frame, left to right or downwards.
   */
  readonly edges: Uint32Array;
  /** Number of lattice points at which they touch without sharing an edge that ends there. */
  readonly corners: number;
}

/** Vertical edges of one row by ascending column; edges continued from the row above keep their top. */
class VerticalEdges {
  readonly columns = growingUint32();
  readonly pairs = growingUint32();
  readonly tops = growingUint32();
  row = -1;

  clear(row: number): void {
    this.columns.clear();
    this.pairs.clear();
    this.tops.clear();
    this.row = row;
  }
}

/**
 * Collects the unit edges and corner contacts of a sweep, row by row and left to right, and merges collinear edges.
 * Holds two rows of open vertical edges besides its result.
 */
export class BorderCollector {
  readonly #pairIndices = new Map<number, number>();
  readonly #labelsA: number[] = [];
  readonly #labelsB: number[] = [];
  readonly #corners: number[] = [];
  readonly #segmentPairs = growingUint32();
  readonly #segments = growingUint32();
  #above = new VerticalEdges();
  #here = new VerticalEdges();
  #nextAbove = 0;
  #horizontal = { pair: -1, from: 0, to: 0, row: 0 };

  /** @param labelCountB highest label of the second mask */
  constructor(private readonly labelCountB: number) {}

  /** Starts the boundary above a row and the row itself; rows ascend. */
  startRow(y: number): void {
    this.#closeAbove(Infinity);
    [this.#above, this.#here] = [this.#here, this.#above];
    this.#here.clear(y);
    this.#nextAbove = 0;
    if (this.#above.row !== y - 1) this.#closeAbove(Infinity);
  }

  /** Adds a shared edge along the boundary above the row. */
  horizontalEdge(labelA: number, labelB: number, from: number, to: number): void {
    const pair = this.#pairOf(labelA, labelB);
    const row = this.#here.row;
    const last = this.#horizontal;
    if (last.pair === pair && last.to === from && last.row === row) last.to = to;
    else {
      this.#closeHorizontal();
      this.#horizontal = { pair, from, to, row };
    }
  }

  /** Adds a shared edge beside a pixel of the row. */
  verticalEdge(labelA: number, labelB: number, column: number): void {
    const pair = this.#pairOf(labelA, labelB);
    this.#closeAbove(column);
    const above = this.#nextAbove;
    const continues =
      above < this.#above.columns.length &&
      this.#above.columns.at(above) === column &&
      this.#above.pairs.at(above) === pair;
    this.#here.columns.push(column);
    this.#here.pairs.push(pair);
    this.#here.tops.push(continues ? this.#above.tops.at(above) : this.#here.row);
    if (continues) this.#nextAbove++;
  }

  cornerContact(labelA: number, labelB: number): void {
    this.#corners[this.#pairOf(labelA, labelB)]! += 1;
  }

  /** Ends the sweep. @returns the pairs by ascending labels */
  finish(): AdjacentPair[] {
    this.startRow(Infinity);
    this.#closeHorizontal();
    const byPair = this.#segmentsByPair();
    return byPair
      .map((edges, pair) => ({
        labelA: this.#labelsA[pair]!,
        labelB: this.#labelsB[pair]!,
        edges,
        corners: this.#corners[pair]!,
      }))
      .toSorted((p, q) => p.labelA - q.labelA || p.labelB - q.labelB);
  }

  #pairOf(labelA: number, labelB: number): number {
    const key = labelA * (this.labelCountB + 1) + labelB;
    const known = this.#pairIndices.get(key);
    if (known !== undefined) return known;
    this.#pairIndices.set(key, this.#corners.length);
    this.#labelsA.push(labelA);
    this.#labelsB.push(labelB);
    return this.#corners.push(0) - 1;
  }

  /** Ends the vertical edges of the row above left of a column, which have no continuation. */
  #closeAbove(column: number): void {
    const { columns, pairs, tops, row } = this.#above;
    for (; this.#nextAbove < columns.length && columns.at(this.#nextAbove) < column; this.#nextAbove++) {
      const at = columns.at(this.#nextAbove);
      this.#pushSegment(pairs.at(this.#nextAbove), at, tops.at(this.#nextAbove), at, row + 1);
    }
  }

  #closeHorizontal(): void {
    const { pair, from, to, row } = this.#horizontal;
    if (pair >= 0) this.#pushSegment(pair, from, row, to, row);
  }

  #pushSegment(pair: number, column: number, row: number, endColumn: number, endRow: number): void {
    this.#segmentPairs.push(pair);
    for (const value of [column, row, endColumn, endRow]) this.#segments.push(value);
  }

  #segmentsByPair(): Uint32Array[] {
    const [pairs, segments] = [this.#segmentPairs.view(), this.#segments.view()];
    const counts = new Uint32Array(this.#corners.length);
    for (const pair of pairs) counts[pair]! += 1;
    const byPair = Array.from(counts, (count) => new Uint32Array(4 * count));
    counts.fill(0);
    pairs.forEach((pair, segment) => {
      byPair[pair]!.set(segments.subarray(4 * segment, 4 * segment + 4), 4 * counts[pair]!);
      counts[pair]! += 1;
    });
    return byPair;
  }
}
