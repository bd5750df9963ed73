import { letterboxGeometry } from './window-plan.ts';

/** Weights of one axis: two source indices and their integer weights (of 2048) per target pixel. */
interface AxisTable {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

const ONE = 2048;

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function axisTable(source: number, target: number, clampWeight: boolean): AxisTable {
  const table = {
    first: new Int32Array(target),
    second: new Int32Array(target),
    firstWeight: new Int32Array(target),
    secondWeight: new Int32Array(target),
  };
  const scale = 1 / (target / source);
  for (let i = 0; i < target; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    let index = Math.floor(position);
    let fraction = Math.fround(position - index);
    if (clampWeight && (index < 0 || index >= source - 1)) {
      index = index < 0 ? 0 : source - 1;
      fraction = 0;
    }
    table.first[i] = Math.min(Math.max(index, 0), source - 1);
    table.second[i] = Math.min(Math.max(index + 1, 0), source - 1);
    table.firstWeight[i] = roundHalfEven(Math.fround(Math.fround(1 - fraction) * ONE));
    table.secondWeight[i] = roundHalfEven(Math.fround(fraction * ONE));
  }
  return table;
}

/**
 * Bilinear resize without antialiasing, bit-identical to OpenCV's `INTER_LINEAR` on 8-bit pixels, which the published
 * network was trained and evaluated with.
 * @param pixels HWC uint8, three channels
 * @returns HWC uint8 of the target size
 */
export function resizeLinear(
  pixels: Uint8Array,
  widthPx: number,
  heightPx: number,
  targetWidthPx: number,
  targetHeightPx: number,
): Uint8Array {
  const columns = axisTable(widthPx, targetWidthPx, true);
  const rows = axisTable(heightPx, targetHeightPx, false);
  const rowValues = targetWidthPx * 3;
  // Two neighbouring source rows are needed at a time; even rows use the first line, odd rows the second.
  const lines = [new Int32Array(rowValues), new Int32Array(rowValues)] as const;
  const held = [-1, -1];
  const line = (row: number): Int32Array => {
    const slot = row % 2 === 0 ? 0 : 1;
    if (held[slot] !== row) stretchRow(pixels, row * widthPx * 3, columns, lines[slot]);
    held[slot] = row;
    return lines[slot];
  };
  const target = new Uint8Array(targetHeightPx * rowValues);
  for (let j = 0; j < targetHeightPx; j++) {
    const upper = line(rows.first[j]!);
    const lower = line(rows.second[j]!);
    const wu = rows.firstWeight[j]!;
    const wl = rows.secondWeight[j]!;
    const base = j * rowValues;
    for (let k = 0; k < rowValues; k++) {
      target[base + k] = (((wu * (upper[k]! >> 4)) >> 16) + ((wl * (lower[k]! >> 4)) >> 16) + 2) >> 2;
    }
  }
  return target;
}

/** Interpolates the row of RGB pixels at `base` to the target's columns; values are scaled by 2048. */
function stretchRow(pixels: Uint8Array, base: number, columns: AxisTable, line: Int32Array): void {
  const { first, second, firstWeight, secondWeight } = columns;
  for (let i = 0, v = 0; i < first.length; i++, v += 3) {
    const a = base + first[i]! * 3;
    const b = base + second[i]! * 3;
    const wa = firstWeight[i]!;
    const wb = secondWeight[i]!;
    line[v] = wa * pixels[a]! + wb * pixels[b]!;
    line[v + 1] = wa * pixels[a + 1]! + wb * pixels[b + 1]!;
    line[v + 2] = wa * pixels[a + 2]! + wb * pixels[b + 2]!;
  }
}

/**
 * Places an image in the square, black model window.
 * @param pixels HWC uint8, three channels, of the shown size
 * @returns HWC uint8 `[modelPx, modelPx, 3]`
 */
export function padToWindow(
  pixels: Uint8Array,
  frame: { shownWidthPx: number; shownHeightPx: number; padLeftPx: number; padTopPx: number },
  modelPx: number,
): Uint8Array {
  const target = new Uint8Array(modelPx * modelPx * 3);
  const rowBytes = frame.shownWidthPx * 3;
  for (let j = 0; j < frame.shownHeightPx; j++) {
    const row = pixels.subarray(j * rowBytes, (j + 1) * rowBytes);
    target.set(row, ((frame.padTopPx + j) * modelPx + frame.padLeftPx) * 3);
  }
  return target;
}

/**
 * Letterboxes an image as the published evaluation does: the longer side fills the window, centred on black.
 * @param pixels HWC uint8, three channels
 * @returns HWC uint8 `[modelPx, modelPx, 3]`
 */
export function letterbox(pixels: Uint8Array, widthPx: number, heightPx: number, modelPx: number): Uint8Array {
  const frame = letterboxGeometry(widthPx, heightPx, modelPx);
  return padToWindow(resizeLinear(pixels, widthPx, heightPx, frame.shownWidthPx, frame.shownHeightPx), frame, modelPx);
}
