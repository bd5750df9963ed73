import type { RgbWindow } from './image-source.ts';

/** A rectangle of an image in pixels; may be fractional. */
export interface SourceRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** For each source pixel along an axis, the target pixels that it contributes to. */
interface Spread {
  readonly first: Int32Array;
  readonly weights: readonly Float32Array[];
}

/**
 * Resamples rows as they arrive, so that memory depends on the target alone. Downsampling averages the source area
 * under each target pixel, edges by their fraction; upsampling is bilinear. Pixels without data have no weight; a target
 * pixel is valid when at least half of its area is.
 */
export class WindowResampler {
  private readonly sums: Float32Array;
  private readonly columns: Spread;
  private readonly rows: Spread;

  /**
   * @param from source rectangle that is mapped to the target, source pixels
   * @param left first source column of the pushed rows
   * @param top first source row
   */
  constructor(
    from: SourceRectangle,
    left: number,
    private readonly top: number,
    private readonly widthPx: number,
    heightPx: number,
    private readonly outWidthPx: number,
    private readonly outHeightPx: number,
  ) {
    this.columns = spread(from.x - left, from.width, widthPx, outWidthPx);
    this.rows = spread(from.y - top, from.height, heightPx, outHeightPx);
    this.sums = new Float32Array(outWidthPx * outHeightPx * 4);
  }

  /**
   * Adds source rows.
   * @param y source row of the first one
   */
  push(y: number, { rgb, valid }: RgbWindow): void {
    const rowCount = valid.length / this.widthPx;
    const across = new Float32Array(this.outWidthPx * 4);
    for (let r = 0; r < rowCount; r++) {
      const weights = this.rows.weights[y + r - this.top]!;
      if (weights.length === 0) continue;
      this.sumColumns(rgb, valid, r * this.widthPx, across);
      const first = this.rows.first[y + r - this.top]! * across.length;
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const base = first + k * across.length;
        for (let i = 0; i < across.length; i++) this.sums[base + i]! += weight * across[i]!;
      }
    }
  }

  private sumColumns(rgb: Uint8Array, valid: Uint8Array, start: number, across: Float32Array): void {
    across.fill(0);
    for (let x = 0; x < this.widthPx; x++) {
      if (valid[start + x] === 0) continue;
      const weights = this.columns.weights[x]!;
      const pixel = (start + x) * 3;
      let target = this.columns.first[x]! * 4;
      for (let k = 0; k < weights.length; k++, target += 4) {
        const weight = weights[k]!;
        across[target]! += weight * rgb[pixel]!;
        across[target + 1]! += weight * rgb[pixel + 1]!;
        across[target + 2]! += weight * rgb[pixel + 2]!;
        across[target + 3]! += weight;
      }
    }
  }

  /** Returns the target once all rows have been pushed. */
  finish(): RgbWindow {
    const pixels = this.outWidthPx * this.outHeightPx;
    const rgb = new Uint8Array(pixels * 3);
    const valid = new Uint8Array(pixels);
    for (let i = 0; i < pixels; i++) {
      const weight = this.sums[i * 4 + 3]!;
      if (weight <= 0) continue;
      for (let c = 0; c < 3; c++) rgb[i * 3 + c] = Math.round(this.sums[i * 4 + c]! / weight);
      valid[i] = weight >= 0.5 - ROUNDING ? 1 : 0;
    }
    return { rgb, valid };
  }
}

/** Tolerance for sums of single-precision weights that should equal one half. */
const ROUNDING = 1e-4;

/** Weights of source pixels in target pixels that divide `length` from `offset`; each target's weights sum to 1. */
function spread(offset: number, length: number, source: number, target: number): Spread {
  const scale = length / target;
  const lists = Array.from({ length: source }, () => [] as number[]);
  const first = new Int32Array(source).fill(-1);
  const add = (pixel: number, into: number, weight: number): void => {
    if (weight <= 0) return;
    if (first[pixel] === -1) first[pixel] = into;
    const index = into - first[pixel]!;
    while (lists[pixel]!.length < index) lists[pixel]!.push(0);
    lists[pixel]![index] = (lists[pixel]![index] ?? 0) + weight;
  };
  for (let i = 0; i < target; i++) {
    const from = offset + i * scale;
    if (scale >= 1) {
      const to = Math.min(from + scale, source);
      for (let k = Math.floor(from); k < to; k++) add(k, i, (Math.min(k + 1, to) - Math.max(k, from)) / (to - from));
    } else {
      const centre = Math.min(Math.max(from + scale / 2 - 0.5, 0), source - 1);
      const low = Math.floor(centre);
      add(low, i, 1 - (centre - low));
      if (low + 1 < source) add(low + 1, i, centre - low);
    }
  }
  return { first, weights: lists.map((list) => Float32Array.from(list)) };
}
