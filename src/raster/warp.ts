/** Positions in a source picture at the nodes of a regular grid over the result, row by row; NaN where there is none. */
export interface PositionGrid {
  /** Pixels of the result between two nodes. */
  readonly stepPx: number;
  /** Nodes on a side; the last lies on the far edge of the result. */
  readonly nodes: number;
  readonly columns: Float64Array;
  readonly rows: Float64Array;
}

/** A picture with the pixels that have data. */
export interface SourcePicture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** HWC uint8, three channels. */
  readonly rgb: Uint8Array;
  /** HW: 1 where there is data. */
  readonly valid: Uint8Array;
}

/**
 * Draws a source picture on a square result, bilinearly between pixel centres and between the nodes of the grid, over what
 * is there already where it is transparent.
 * @param into HWC uint8, four channels, of `sidePx` on a side; changed in place
 * @returns whether every pixel of the result is opaque now
 */
export function warpInto(into: Uint8ClampedArray, sidePx: number, source: SourcePicture, grid: PositionGrid): boolean {
  let opaque = true;
  eachPosition(sidePx, grid, (pixel, column, row) => {
    const at = pixel * 4;
    if (into[at + 3] !== 255 && !sample(source, column, row, into, at)) opaque = false;
  });
  return opaque;
}

/**
 * Visits every pixel of a square result, row by row, with its position in the source picture.
 * @param visit column and row are NaN where there is no position
 */
export function eachPosition(
  sidePx: number,
  { stepPx, nodes, columns, rows }: PositionGrid,
  visit: (pixel: number, column: number, row: number) => void,
): void {
  for (let y = 0; y < sidePx; y++) {
    const nodeRow = Math.min(nodes - 2, Math.floor((y + 0.5) / stepPx));
    const down = (y + 0.5) / stepPx - nodeRow;
    for (let x = 0; x < sidePx; x++) {
      const nodeColumn = Math.min(nodes - 2, Math.floor((x + 0.5) / stepPx));
      const across = (x + 0.5) / stepPx - nodeColumn;
      const node = nodeRow * nodes + nodeColumn;
      visit(y * sidePx + x, between(columns, node, nodes, across, down), between(rows, node, nodes, across, down));
    }
  }
}

/** Bilinear between the four nodes of a cell; NaN beside a node without a position. */
function between(values: Float64Array, node: number, nodes: number, across: number, down: number): number {
  const top = values[node]! * (1 - across) + values[node + 1]! * across;
  const bottom = values[node + nodes]! * (1 - across) + values[node + nodes + 1]! * across;
  return top * (1 - down) + bottom * down;
}

/**
 * Writes the colour of a position, made of the up to four pixels around it that have data.
 * @returns false outside the picture and where none of them has
 */
function sample(source: SourcePicture, column: number, row: number, into: Uint8ClampedArray, at: number): boolean {
  const { widthPx, heightPx, rgb, valid } = source;
  if (!(column >= 0 && row >= 0 && column <= widthPx && row <= heightPx)) return false;
  // The pixel whose data decides whether there is any: half a pixel without data must not fade into its neighbour.
  const nearest = Math.min(heightPx - 1, Math.floor(row)) * widthPx + Math.min(widthPx - 1, Math.floor(column));
  if (valid[nearest] !== 1) return false;
  const left = Math.floor(column - 0.5);
  const top = Math.floor(row - 0.5);
  const [right, low] = [column - 0.5 - left, row - 0.5 - top];
  let [red, green, blue, weight] = [0, 0, 0, 0];
  for (let corner = 0; corner < 4; corner++) {
    const x = Math.min(widthPx - 1, Math.max(0, left + (corner & 1)));
    const y = Math.min(heightPx - 1, Math.max(0, top + (corner >> 1)));
    const pixel = y * widthPx + x;
    if (valid[pixel] !== 1) continue;
    const share = ((corner & 1) === 1 ? right : 1 - right) * (corner >> 1 === 1 ? low : 1 - low);
    red += share * rgb[3 * pixel]!;
    green += share * rgb[3 * pixel + 1]!;
    blue += share * rgb[3 * pixel + 2]!;
    weight += share;
  }
  const scale = weight > 0 ? 1 / weight : 0;
  into[at] = red * scale;
  into[at + 1] = green * scale;
  into[at + 2] = blue * scale;
  into[at + 3] = 255;
  return true;
}
