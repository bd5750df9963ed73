import { AppError } from '../errors.ts';
import type { PixelWindow } from './window.ts';

/** How a scene is presented to the model: letterboxed into one window as in the paper, or as overlapping windows. */
export type PlanMode = 'AUTO' | 'WHOLE' | 'WINDOWS';

/** One model input: the scene pixels shown and their position in the square model window. */
export interface PlannedWindow {
  readonly index: number;
  /** Scene pixels shown. */
  readonly window: PixelWindow;
  /** Size of the image inside the window, model pixels; the rest is black padding. */
  readonly shownWidthPx: number;
  readonly shownHeightPx: number;
  /** Padding before the image, model pixels. */
  readonly padLeftPx: number;
  readonly padTopPx: number;
}

/** The windows of a run, row by row from the top left; plain data that can be stored and compared. */
export interface WindowPlan {
  readonly mode: 'WHOLE' | 'WINDOWS';
  /** Side of the model window, pixels. */
  readonly modelPx: number;
  /** Scene pixels per model pixel. */
  readonly scale: number;
  /** Scene pixels covered by the windows together. */
  readonly covered: PixelWindow;
  readonly windows: readonly PlannedWindow[];
}

export interface PlanRequest {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly modelPx: number;
  readonly mode: PlanMode;
  /** Ground size of a scene pixel in metres; null without georeference. */
  readonly sceneGsdM: number | null;
  /** Requested ground size of a model pixel, metres; native when absent, ignored with WHOLE. */
  readonly gsdM?: number;
  /** GSD range that the model was trained on, metres. */
  readonly modelGsdRangeM: { readonly min: number; readonly max: number };
  /** Restricts the plan to these scene pixels; the whole scene when absent. */
  readonly within?: PixelWindow;
  /** Maximum number of windows per run. */
  readonly maxWindows: number;
}

/** Overlap of adjacent windows as a fraction of their side. */
const OVERLAP = 0.25;

/** Maximum enlargement, model pixels per scene pixel, when `gsdM` is given. */
const MAX_ENLARGEMENT = 16;

/** Maximum enlargement in AUTO; a scene that needs more to reach the model's range keeps its own resolution. */
const MAX_AUTO_ENLARGEMENT = 2;

/** `gsdM` requires a georeferenced scene. */
export class GsdWithoutGeoreferenceError extends AppError {
  readonly code = 'GSD_WITHOUT_GEOREFERENCE';
  constructor(readonly gsdM: number) {
    super(`gsdM ${gsdM} requires a georeferenced scene; this one has no ground resolution.`);
  }
}

/** `gsdM` would enlarge the pixels of the scene beyond the limit. */
export class GsdTooFineError extends AppError {
  readonly code = 'GSD_TOO_FINE';
  constructor(
    readonly gsdM: number,
    readonly finestGsdM: number,
  ) {
    super(
      `gsdM ${gsdM} is too fine for this scene; the limit is ${finestGsdM}, ${MAX_ENLARGEMENT} times its own resolution.`,
      { details: { argument: 'gsdM', value: gsdM, limit: finestGsdM } },
    );
  }
}

/** The plan exceeds the limit of windows per run. */
export class TooManyWindowsError extends AppError {
  readonly code = 'TOO_MANY_WINDOWS';
  constructor(
    readonly windows: number,
    readonly maxWindows: number,
  ) {
    super(
      `The run needs ${windows} windows; the limit is ${maxWindows}. Choose a coarser gsdM or a smaller areaOfInterest.`,
      { details: { value: windows, limit: maxWindows } },
    );
  }
}

/**
 * Plans the windows of a run without reading pixels.
 *
 * AUTO shows the scene in one window when the letterboxed picture loses no detail that the model can use: it does not
 * shrink, or not beyond the finest ground resolution the model was trained on (without georeference: it shrinks to more
 * than half). Else in windows at the native resolution, brought into the range of the model. AUTO enlarges at most twice;
 * a scene that is coarser keeps its own resolution, see {@link isTooCoarse}. WINDOWS keeps the native
 * resolution unless `gsdM` asks for another.
 * @throws {GsdWithoutGeoreferenceError} {@link GsdTooFineError} {@link TooManyWindowsError}
 */
export function planWindows(request: PlanRequest): WindowPlan {
  const { widthPx, heightPx, modelPx, sceneGsdM, gsdM } = request;
  if (gsdM !== undefined && sceneGsdM === null) throw new GsdWithoutGeoreferenceError(gsdM);
  const covered = request.within ?? { x: 0, y: 0, width: widthPx, height: heightPx };
  const mode = request.mode === 'AUTO' ? chooseMode(request, covered) : request.mode;
  if (mode === 'WHOLE') return wholePlan(covered, modelPx);

  const scale = windowScale(request);
  const side = modelPx * scale;
  const columns = starts(covered.width, side);
  const rows = starts(covered.height, side);
  const count = columns.length * rows.length;
  if (count > request.maxWindows) throw new TooManyWindowsError(count, request.maxWindows);
  const width = Math.min(covered.width, Math.round(side));
  const height = Math.min(covered.height, Math.round(side));
  const shownWidthPx = shownSize(width, scale, modelPx);
  const shownHeightPx = shownSize(height, scale, modelPx);
  const windows = rows.flatMap((y, rowIndex) =>
    columns.map((x, columnIndex) => ({
      index: rowIndex * columns.length + columnIndex,
      window: { x: covered.x + x, y: covered.y + y, width, height },
      shownWidthPx,
      shownHeightPx,
      ...padding(shownWidthPx, shownHeightPx, modelPx),
    })),
  );
  return { mode, modelPx, scale, covered, windows };
}

/**
 * Whether AUTO asks a scene at its own resolution because that is far coarser than what the model was trained on.
 * @param sceneGsdM ground size of a scene pixel, metres; null without georeference
 */
export function isTooCoarse(sceneGsdM: number | null, modelGsdRangeM: { readonly max: number }): boolean {
  return sceneGsdM !== null && modelGsdRangeM.max / sceneGsdM < 1 / MAX_AUTO_ENLARGEMENT;
}

function chooseMode(request: PlanRequest, covered: PixelWindow): 'WHOLE' | 'WINDOWS' {
  const shrink = Math.max(covered.width, covered.height) / request.modelPx;
  if (request.gsdM !== undefined) return 'WINDOWS';
  if (shrink < 1 / MAX_AUTO_ENLARGEMENT) return 'WINDOWS';
  if (request.sceneGsdM === null) return shrink < 2 ? 'WHOLE' : 'WINDOWS';
  const wholeGsdM = request.sceneGsdM * shrink;
  return wholeGsdM <= Math.max(request.modelGsdRangeM.min, request.sceneGsdM) ? 'WHOLE' : 'WINDOWS';
}

/** Scene pixels per model pixel in windows: as asked; else native, which AUTO clamps to what the model has seen. */
function windowScale({ mode, sceneGsdM, gsdM, modelGsdRangeM }: PlanRequest): number {
  if (sceneGsdM === null) return 1;
  if (gsdM !== undefined) {
    const finestGsdM = sceneGsdM / MAX_ENLARGEMENT;
    if (gsdM < finestGsdM) throw new GsdTooFineError(gsdM, finestGsdM);
    return gsdM / sceneGsdM;
  }
  if (mode === 'WINDOWS') return 1;
  const scale = Math.min(Math.max(sceneGsdM, modelGsdRangeM.min), modelGsdRangeM.max) / sceneGsdM;
  return scale < 1 / MAX_AUTO_ENLARGEMENT ? 1 : scale;
}

/** Offsets of evenly spaced windows of length `side` that cover `length` and overlap by at least {@link OVERLAP}. */
function starts(length: number, side: number): number[] {
  const whole = Math.round(side);
  if (length <= whole) return [0];
  const count = Math.ceil((length - side) / (side * (1 - OVERLAP))) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - whole)) / (count - 1)));
}

function shownSize(scenePx: number, scale: number, modelPx: number): number {
  return Math.min(modelPx, Math.max(1, Math.round(scenePx / scale)));
}

function padding(shownWidthPx: number, shownHeightPx: number, modelPx: number) {
  return { padLeftPx: Math.floor((modelPx - shownWidthPx) / 2), padTopPx: Math.floor((modelPx - shownHeightPx) / 2) };
}

/**
 * Letterbox of the paper: the longer side fills the window, the shorter one is truncated to whole pixels.
 * @returns size of the image and its padding, model pixels
 */
export function letterboxGeometry(widthPx: number, heightPx: number, modelPx: number) {
  const wide = widthPx > heightPx;
  const shownWidthPx = wide ? modelPx : Math.max(1, Math.trunc(widthPx * (modelPx / heightPx)));
  const shownHeightPx = wide ? Math.max(1, Math.trunc(heightPx * (modelPx / widthPx))) : modelPx;
  return { shownWidthPx, shownHeightPx, ...padding(shownWidthPx, shownHeightPx, modelPx) };
}

function wholePlan(covered: PixelWindow, modelPx: number): WindowPlan {
  const scale = Math.max(covered.width, covered.height) / modelPx;
  const only = { index: 0, window: covered, ...letterboxGeometry(covered.width, covered.height, modelPx) };
  return { mode: 'WHOLE', modelPx, scale, covered, windows: [only] };
}
