import { AppError } from '../errors.ts';
import { growingUint32 } from './growing-array.ts';
import { MaskRuns, type RunLines } from './mask-runs.ts';
import { transposeRuns } from './transpose-runs.ts';

/** Run-length counts are not whole numbers, or do not sum to the pixels of the mask. */
export class InvalidCocoCountsError extends AppError {
  readonly code = 'INVALID_COCO_COUNTS';
}

/**
 * Encodes the mask as uncompressed COCO run-length counts: lengths of alternating runs of 0 and 1, column by column from
 * the top left, starting with 0 (so the first count may be 0).
 * @see https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.h
 */
export function toCocoCounts(mask: MaskRuns): number[] {
  const { lines, offsets, toggles } = transposeRuns(mask, mask.widthPx);
  const counts: number[] = [];
  let position = 0;
  for (let k = 0; k < lines.length; k++) {
    const origin = lines[k]! * mask.heightPx;
    for (let i = 2 * offsets[k]!; i < 2 * offsets[k + 1]!; i += 2) {
      const [start, end] = [origin + toggles[i]!, origin + toggles[i + 1]!];
      if (start === position && counts.length > 0) counts[counts.length - 1]! += end - start;
      else counts.push(start - position, end - start);
      position = end;
    }
  }
  const rest = mask.widthPx * mask.heightPx - position;
  if (rest > 0) counts.push(rest);
  return counts;
}

/**
 * Decodes uncompressed COCO run-length counts. Counts carry no probabilities, so the sums of the mask are NaN.
 * @throws {InvalidCocoCountsError} when a count is not a whole number from 0 or they do not sum to width x height
 * @throws {InvalidMaskSizeError}
 */
export function fromCocoCounts(counts: readonly number[], widthPx: number, heightPx: number): MaskRuns {
  const mask = new MaskRuns(widthPx, heightPx);
  const { lines, offsets, toggles } = transposeRuns(columnsOf(counts, widthPx, heightPx), heightPx);
  for (let k = 0; k < lines.length; k++) {
    const [from, to] = [offsets[k]!, offsets[k + 1]!];
    const probabilitySums = new Float64Array(to - from).fill(Number.NaN);
    mask.pushRow({ y: lines[k]!, toggles: toggles.subarray(2 * from, 2 * to), probabilitySums });
  }
  return mask;
}

/** Runs of 1, split at the end of each column. */
function columnsOf(counts: readonly number[], widthPx: number, heightPx: number): RunLines {
  checkCounts(counts, widthPx, heightPx);
  const [lines, offsets, toggles] = [growingUint32(), growingUint32(), growingUint32()];
  let column = -1;
  for (const [start, end] of runsOfOnes(counts)) {
    for (let position = start; position < end; position = (column + 1) * heightPx) {
      const next = Math.floor(position / heightPx);
      if (next !== column) {
        lines.push(next);
        offsets.push(toggles.length / 2);
        column = next;
      }
      toggles.push(position - column * heightPx);
      toggles.push(Math.min(end - column * heightPx, heightPx));
    }
  }
  offsets.push(toggles.length / 2);
  return { lines: lines.view(), offsets: offsets.view(), toggles: toggles.view() };
}

/** Start and end (exclusive) of every run of 1; adjacent runs are merged. */
function* runsOfOnes(counts: readonly number[]): Generator<[number, number]> {
  let [start, end, position] = [0, 0, 0];
  for (let index = 1; index < counts.length; index += 2) {
    position += counts[index - 1]!;
    if (position > end) {
      if (end > start) yield [start, end];
      start = position;
    }
    position += counts[index]!;
    end = position;
  }
  if (end > start) yield [start, end];
}

function checkCounts(counts: readonly number[], widthPx: number, heightPx: number): void {
  const wrong = counts.findIndex((count) => !Number.isInteger(count) || count < 0);
  if (wrong >= 0)
    throw new InvalidCocoCountsError(`Count ${wrong} is ${counts[wrong]}; counts must be whole numbers of at least 0.`);
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum !== widthPx * heightPx) {
    throw new InvalidCocoCountsError(
      `Counts sum to ${sum} pixels; a mask of ${widthPx} x ${heightPx} has ${widthPx * heightPx}.`,
    );
  }
}
