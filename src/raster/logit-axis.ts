/** One axis of a window in a mosaic; lengths in scene pixels unless stated otherwise. */
interface AxisRequest {
  /** Start positions of the plan's windows on this axis, ascending; all windows have the same length. */
  readonly starts: readonly number[];
  /** Start position of this window. */
  readonly start: number;
  readonly length: number;
  /** Letterbox padding before the image and size of the image, model pixels. */
  readonly padPx: number;
  readonly shownPx: number;
  /** Side of the model window, and side of its logits grid. */
  readonly modelPx: number;
  readonly logitsPx: number;
}

/**
 * Position of each scene pixel of a window in its logits grid along one axis: two adjacent cells and their bilinear
 * weights, multiplied by the window's share of the blend.
 */
export class LogitAxis {
  /** First of the two cells; the second is the next one, or the same cell at the end of the grid. */
  readonly first: Int32Array;
  readonly firstWeight: Float32Array;
  readonly secondWeight: Float32Array;
  /** Pixel of the shown image under the centre of the scene pixel. */
  readonly shown: Int32Array;

  constructor({ starts, start, length, padPx, shownPx, modelPx, logitsPx }: AxisRequest) {
    this.first = new Int32Array(length);
    this.firstWeight = new Float32Array(length);
    this.secondWeight = new Float32Array(length);
    this.shown = new Int32Array(length);
    const stride = modelPx / logitsPx;
    // Cells whose centre lies in the padding are ignored.
    const low = Math.max(0, Math.ceil(padPx / stride - 0.5));
    const high = Math.max(low, Math.floor((padPx + shownPx) / stride - 0.5));
    const place = starts.indexOf(start);
    for (let i = 0; i < length; i++) {
      const shown = ((i + 0.5) * shownPx) / length;
      const position = Math.min(Math.max((padPx + shown) / stride - 0.5, low), high);
      const cell = Math.floor(position);
      const share = blendShare(starts, place, length, start + i);
      this.first[i] = cell;
      this.firstWeight[i] = share * (1 - (position - cell));
      this.secondWeight[i] = share * (position - cell);
      this.shown[i] = Math.min(shownPx - 1, Math.floor(shown));
    }
  }
}

/** Share of one window in the blend at one pixel; the shares of all windows that contain it sum to 1. */
function blendShare(starts: readonly number[], place: number, length: number, at: number): number {
  let total = 0;
  for (let k = place; k >= 0 && starts[k]! + length > at; k--) total += ramp(starts, k, length, at);
  for (let k = place + 1; k < starts.length && starts[k]! <= at; k++) total += ramp(starts, k, length, at);
  return ramp(starts, place, length, at) / total;
}

/** Ramp over the overlap at each end of a window; 1 between, and up to the edge of the plan. */
function ramp(starts: readonly number[], place: number, length: number, at: number): number {
  const start = starts[place]!;
  const before = starts[place - 1];
  const after = starts[place + 1];
  const fromStart = before === undefined ? 1 : (at - start + 0.5) / Math.max(1, before + length - start);
  const fromEnd = after === undefined ? 1 : (start + length - at - 0.5) / Math.max(1, start + length - after);
  return Math.min(1, fromStart, fromEnd);
}
