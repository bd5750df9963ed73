import { LogitAxis } from './logit-axis.ts';
import type { PlannedWindow, WindowPlan } from './window-plan.ts';

/** Finished rows of the scene: the blended answer to every question, in the scene frame. */
export interface RowBand {
  /** First column and row, scene frame. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Per question: probability 0..1 of each pixel, row-major; 0 where the pixel is not valid. */
  readonly probabilities: readonly Float32Array[];
  /** 1 where the scene has data, row-major. */
  readonly valid: Uint8Array;
}

interface HeldWindow {
  readonly planned: PlannedWindow;
  readonly logits: readonly Float32Array[];
  readonly shownValid: Uint8Array;
  readonly fullyValid: boolean;
  readonly columns: LogitAxis;
  readonly rows: LogitAxis;
}

/** Maximum values (pixels times questions) per band: half a MiB, about ten milliseconds of uninterrupted work. */
const BAND_VALUES = 2 ** 17;

/**
 * Blends the logits of overlapping windows in the scene frame and releases rows once no later window overlaps them.
 * Only the logits grids of windows with open rows are held; full-resolution values exist only in the band being
 * released. Memory therefore grows with the windows per row, not with the height of the scene, and a window that shows
 * the whole scene costs no more than any other.
 *
 * The letterbox padding is cropped from the logits, which are resized bilinearly (`align_corners=False`) and weighted by
 * a ramp over the overlap. Weights are normalised per axis, so they sum to 1 at every pixel.
 */
export class LogitMosaic {
  private held: HeldWindow[] = [];
  private readonly columnAxes = new Map<number, LogitAxis>();
  private readonly rowAxes = new Map<number, LogitAxis>();
  private readonly columnStarts: readonly number[];
  private readonly rowStarts: readonly number[];
  private readonly bandRows: number;
  private nextWindow = 0;
  private nextRow: number;

  /**
   * @param plan windows must be added in this order
   * @param logitsPx side of the logits grid of one window
   * @param questions number of answers per window
   */
  constructor(
    private readonly plan: WindowPlan,
    private readonly logitsPx: number,
    private readonly questions: number,
  ) {
    this.columnStarts = [...new Set(plan.windows.map(({ window }) => window.x))];
    this.rowStarts = [...new Set(plan.windows.map(({ window }) => window.y))];
    this.nextRow = plan.covered.y;
    this.bandRows = Math.max(1, Math.floor(BAND_VALUES / (plan.covered.width * Math.max(1, questions))));
  }

  /**
   * Adds one window and yields the rows that it completes.
   * @param logits per question, row-major grid `[logitsPx, logitsPx]` over the model window, before the sigmoid; held
   *   until the window's rows are released and must not be modified
   * @param shownValid 1 where the shown image has data, row-major `[shownHeightPx, shownWidthPx]`; held likewise
   * @throws {RangeError} when the window is not the next one of the plan
   */
  *add(planned: PlannedWindow, logits: readonly Float32Array[], shownValid: Uint8Array): Generator<RowBand> {
    if (planned.index !== this.nextWindow) {
      throw new RangeError(`Window ${planned.index} was added; window ${this.nextWindow} is next.`);
    }
    this.nextWindow++;
    yield* this.release(planned.window.y);
    this.held.push({
      planned,
      logits,
      shownValid,
      fullyValid: !shownValid.includes(0),
      columns: this.columnAxis(planned),
      rows: this.rowAxis(planned),
    });
  }

  /**
   * Releases the remaining rows after the last window.
   * @throws {RangeError} when windows of the plan are missing
   */
  *finish(): Generator<RowBand> {
    if (this.nextWindow !== this.plan.windows.length) {
      throw new RangeError(`Only ${this.nextWindow} of ${this.plan.windows.length} windows were added.`);
    }
    yield* this.release(this.plan.covered.y + this.plan.covered.height);
  }

  private *release(until: number): Generator<RowBand> {
    while (this.nextRow < until) {
      const band = this.blendBand(this.nextRow, Math.min(this.bandRows, until - this.nextRow));
      this.nextRow += band.height;
      yield band;
    }
    this.held = this.held.filter(({ planned: { window } }) => window.y + window.height > this.nextRow);
  }

  private blendBand(y: number, height: number): RowBand {
    const { x, width } = this.plan.covered;
    const valid = new Uint8Array(width * height);
    const sums = Array.from({ length: this.questions }, () => new Float32Array(width * height));
    const line = new Float32Array(this.logitsPx + 1);
    for (const held of this.held) {
      const { window } = held.planned;
      const end = Math.min(y + height, window.y + window.height);
      for (let row = Math.max(y, window.y); row < end; row++) {
        const target = (row - y) * width + window.x - x;
        markValid(held, row - window.y, valid, target);
        for (let question = 0; question < this.questions; question++) {
          addRow(held, held.logits[question]!, row - window.y, line, sums[question]!, target);
        }
      }
    }
    for (const band of sums) toProbability(band, valid);
    return { x, y, width, height, probabilities: sums, valid };
  }

  private columnAxis({ window, padLeftPx, shownWidthPx }: PlannedWindow): LogitAxis {
    const known = this.columnAxes.get(window.x);
    if (known) return known;
    const axis = this.axis(this.columnStarts, window.x, window.width, padLeftPx, shownWidthPx);
    this.columnAxes.set(window.x, axis);
    return axis;
  }

  private rowAxis({ window, padTopPx, shownHeightPx }: PlannedWindow): LogitAxis {
    const known = this.rowAxes.get(window.y);
    if (known) return known;
    const axis = this.axis(this.rowStarts, window.y, window.height, padTopPx, shownHeightPx);
    this.rowAxes.clear(); // windows come row by row
    this.rowAxes.set(window.y, axis);
    return axis;
  }

  private axis(starts: readonly number[], start: number, length: number, padPx: number, shownPx: number): LogitAxis {
    const { modelPx } = this.plan;
    return new LogitAxis({ starts, start, length, padPx, shownPx, modelPx, logitsPx: this.logitsPx });
  }
}

/** Adds one weighted row of a window: interpolates the grid vertically into `line`, then horizontally into `sums`. */
function addRow(
  { columns, rows }: HeldWindow,
  grid: Float32Array,
  row: number,
  line: Float32Array,
  sums: Float32Array,
  target: number,
): void {
  const size = line.length - 1;
  const upper = rows.first[row]! * size;
  const lower = Math.min(rows.first[row]! + 1, size - 1) * size;
  const [upperWeight, lowerWeight] = [rows.firstWeight[row]!, rows.secondWeight[row]!];
  for (let i = 0; i < size; i++) line[i] = grid[upper + i]! * upperWeight + grid[lower + i]! * lowerWeight;
  line[size] = line[size - 1]!;
  const { first, firstWeight, secondWeight } = columns;
  for (let c = 0; c < first.length; c++) {
    const left = first[c]!;
    sums[target + c] = sums[target + c]! + line[left]! * firstWeight[c]! + line[left + 1]! * secondWeight[c]!;
  }
}

function markValid(
  { planned, shownValid, fullyValid, columns, rows }: HeldWindow,
  row: number,
  valid: Uint8Array,
  target: number,
): void {
  const { width } = planned.window;
  if (fullyValid) {
    valid.fill(1, target, target + width);
    return;
  }
  const source = rows.shown[row]! * planned.shownWidthPx;
  const { shown } = columns;
  for (let c = 0; c < width; c++) if (shownValid[source + shown[c]!] !== 0) valid[target + c] = 1;
}

function toProbability(logits: Float32Array, valid: Uint8Array): void {
  for (let i = 0; i < logits.length; i++) logits[i] = valid[i] === 0 ? 0 : 1 / (1 + Math.exp(-logits[i]!));
}
