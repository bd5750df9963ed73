import type { Crs } from '../imagery/crs/crs.ts';
import { type Affine, mapToPixel } from '../raster/affine.ts';
import type { PositionGrid } from '../raster/warp.ts';
import type { PixelWindow } from '../raster/window.ts';
import { latitudeAt, type Tile } from './tile-grid.ts';

/** Pixels of a tile between positions that are projected exactly; between them a projection is close to linear. */
const STEP_PX = 16;
/** Pixels around a window, so that the edge of a tile is drawn of the same pixels as its neighbour's. */
const MARGIN_PX = 2;

/** The part of a scene that a tile shows. */
export interface TileWindow {
  readonly window: PixelWindow;
  /** Size to read it at: no more pixels than the tile can show. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Positions in the picture that is read. */
  readonly grid: PositionGrid;
}

/** What of a scene decides where its pixels lie. */
export interface PlacedScene {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly affine: Affine;
}

/**
 * Which pixels of a scene a tile shows, and where each pixel of the tile lies among them.
 * @param sidePx pixels of the tile
 * @returns null where the tile shows nothing of the scene
 */
export function tileWindow(tile: Tile, sidePx: number, scene: PlacedScene, crs: Crs): TileWindow | null {
  const grid = sceneGrid(tile, sidePx, scene, crs);
  const box = boxOf(grid, scene);
  if (!box) return null;
  const scale = Math.max(1, pixelsAStep(grid) / STEP_PX);
  const widthPx = Math.max(1, Math.min(box.width, Math.ceil(box.width / scale)));
  const heightPx = Math.max(1, Math.min(box.height, Math.ceil(box.height / scale)));
  const columns = grid.columns.map((column) => ((column - box.x) * widthPx) / box.width);
  const rows = grid.rows.map((row) => ((row - box.y) * heightPx) / box.height);
  return { window: box, widthPx, heightPx, grid: { ...grid, columns, rows } };
}

/** Columns and rows of the scene at the nodes of the tile. */
function sceneGrid({ z, x, y }: Tile, sidePx: number, { affine, widthPx }: PlacedScene, crs: Crs): PositionGrid {
  const nodes = sidePx / STEP_PX + 1;
  const columns = new Float64Array(nodes * nodes);
  const rows = new Float64Array(nodes * nodes);
  // A geographic system may count on beyond 180°: a turn of 360° is so many columns.
  const turn = isGeographic(crs) && affine[2] === 0 ? Math.abs(360 / affine[1]) : 0;
  for (let row = 0; row < nodes; row++) {
    const latitude = latitudeAt((y + row / (nodes - 1)) / 2 ** z);
    for (let column = 0; column < nodes; column++) {
      const longitude = ((x + column / (nodes - 1)) / 2 ** z) * 360 - 180;
      const [mapX, mapY] = crs.fromWgs84([longitude, latitude]);
      const [pixelX, pixelY] = mapToPixel(affine, mapX, mapY);
      columns[row * nodes + column] = turn > 0 ? turned(pixelX, widthPx, turn) : pixelX;
      rows[row * nodes + column] = pixelY;
    }
  }
  return { stepPx: STEP_PX, nodes, columns, rows };
}

function isGeographic(crs: Crs): boolean {
  const [x, y] = crs.fromWgs84([10, 20]);
  return Math.abs(x - 10) < 0.01 && Math.abs(y - 20) < 0.01;
}

function turned(column: number, widthPx: number, turn: number): number {
  if (column < -turn / 2) return column + turn;
  return column > widthPx + turn / 2 ? column - turn : column;
}

/** The window of the scene around all nodes; null where none of it is in the scene. */
function boxOf({ columns, rows }: PositionGrid, { widthPx, heightPx }: PlacedScene): PixelWindow | null {
  const [left, right] = spanOf(columns);
  const [top, bottom] = spanOf(rows);
  const x = Math.max(0, Math.floor(left) - MARGIN_PX);
  const y = Math.max(0, Math.floor(top) - MARGIN_PX);
  const width = Math.min(widthPx, Math.ceil(right) + MARGIN_PX) - x;
  const height = Math.min(heightPx, Math.ceil(bottom) + MARGIN_PX) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

function spanOf(values: Float64Array): readonly [least: number, greatest: number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

/** Scene pixels between two nodes, the least over the tile, so that nowhere is less read than is shown. */
function pixelsAStep({ columns, rows, nodes }: PositionGrid): number {
  let least = Infinity;
  for (let node = 0; node + nodes + 1 < columns.length; node++) {
    if (node % nodes === nodes - 1) continue;
    for (const other of [node + 1, node + nodes]) {
      const length = Math.hypot(columns[other]! - columns[node]!, rows[other]! - rows[node]!);
      if (length < least) least = length;
    }
  }
  return least;
}
