import type { PixelWindow } from './window.ts';

/** A closed ring of positions in the scene frame, `[column, row]`; the last repeats the first. */
export type PixelRing = readonly (readonly [number, number])[];

/**
 * The pixels of a scene whose centres lie in an area. The even-odd rule covers holes and multipolygons alike. Edges are
 * straight in the scene frame.
 */
export class AreaMask {
  /** Start column and row, end column and row of each edge. */
  private readonly edges: Float64Array;
  /** Smallest pixel window that contains the area, clipped to the scene; null when they are disjoint. */
  readonly bounds: PixelWindow | null;

  constructor(rings: readonly PixelRing[], widthPx: number, heightPx: number) {
    this.edges = Float64Array.from(rings.flatMap((ring) => ring.slice(1).flatMap((end, i) => [...ring[i]!, ...end])));
    const [left, right] = this.range(0, widthPx);
    const [top, bottom] = this.range(1, heightPx);
    this.bounds = left < right && top < bottom ? { x: left, y: top, width: right - left, height: bottom - top } : null;
  }

  /** Pixel range of the area on an axis (0: columns, 1: rows) of the given length. */
  private range(axis: 0 | 1, length: number): [number, number] {
    let [lowest, highest] = [Infinity, -Infinity];
    for (let i = axis; i < this.edges.length; i += 2) {
      lowest = Math.min(lowest, this.edges[i]!);
      highest = Math.max(highest, this.edges[i]!);
    }
    return [Math.max(0, Math.floor(lowest)), Math.min(length, Math.ceil(highest))];
  }

  /**
   * Sets the pixels of a row outside the area to 0.
   * @param values one value per pixel from column `x` on, changed in place
   * @param row scene frame
   */
  clearOutside(values: Float32Array | Uint8Array, x: number, row: number): void {
    const crossings = this.crossings(row + 0.5);
    let from = 0;
    for (let i = 0; i < crossings.length; i += 2) {
      // A pixel is inside from the first centre at or after the entering edge to the last before the leaving one.
      const enter = Math.min(values.length, Math.max(0, Math.ceil(crossings[i]! - 0.5) - x));
      const leave = Math.min(values.length, Math.max(0, Math.ceil(crossings[i + 1]! - 0.5) - x));
      values.fill(0, from, Math.max(from, enter));
      from = Math.max(from, leave);
    }
    values.fill(0, from);
  }

  /** Columns at which edges cross a horizontal line, ascending: entering and leaving the area in turn. */
  private crossings(row: number): number[] {
    const columns: number[] = [];
    const { edges } = this;
    for (let i = 0; i < edges.length; i += 4) {
      const [r0, r1] = [edges[i + 1]!, edges[i + 3]!];
      if (r0 <= row === r1 <= row) continue;
      columns.push(edges[i]! + ((row - r0) / (r1 - r0)) * (edges[i + 2]! - edges[i]!));
    }
    return columns.sort((a, b) => a - b);
  }
}
