import type { StageFeatures } from '../inference/vision-stages.ts';

/** Cells of a stage that show the picture and not the letterbox's bars; `right` and `bottom` are exclusive. */
export interface CellRange {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Cosine similarities of pairs of tokens: how many pairs, their mean, and what lies between their 5 % and 95 % marks. */
export interface Similarity {
  readonly pairs: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Histogram bins over [-1, 1], fine enough for marks of two digits. */
const BINS = 400;

/** Accumulates cosine similarities without keeping them. */
export class SimilarityTally {
  private readonly bins = new Float64Array(BINS);
  private pairs = 0;
  private sum = 0;

  add(cosine: number): void {
    this.pairs += 1;
    this.sum += cosine;
    this.bins[Math.min(BINS - 1, Math.floor(((cosine + 1) / 2) * BINS))]! += 1;
  }

  /** Adds the values of another tally. */
  merge(other: SimilarityTally): void {
    this.pairs += other.pairs;
    this.sum += other.sum;
    other.bins.forEach((count, bin) => (this.bins[bin]! += count));
  }

  result(): Similarity {
    if (this.pairs === 0) return { pairs: 0, mean: null, low: null, high: null };
    return { pairs: this.pairs, mean: this.sum / this.pairs, low: this.mark(0.05), high: this.mark(0.95) };
  }

  /** Middle of the bin in which the given share of the pairs is reached. */
  private mark(share: number): number {
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.bins[bin]!;
      if (seen >= share * this.pairs) return ((bin + 0.5) / BINS) * 2 - 1;
    }
    return 1;
  }
}

/** Vectors of the cells in a range as rows of length 1; a vector of zeros stays one. */
function unitTokens({ channels, side, values }: StageFeatures, { left, top, right, bottom }: CellRange): Float32Array {
  const width = right - left;
  const tokens = new Float32Array(width * (bottom - top) * channels);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const row = ((y - top) * width + (x - left)) * channels;
      let squares = 0;
      for (let c = 0; c < channels; c++) {
        const value = values[(c * side + y) * side + x]!;
        tokens[row + c] = value;
        squares += value * value;
      }
      const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
      for (let c = 0; c < channels; c++) tokens[row + c]! *= scale;
    }
  }
  return tokens;
}

/**
 * Cosine similarity of tokens that lie `distance` cells apart in a row or a column.
 * @param range cells to look at
 * @param tallies one for each of `distances`; pairs are added to them
 */
export function tallyNeighbours(
  features: StageFeatures,
  range: CellRange,
  distances: readonly number[],
  tallies: readonly SimilarityTally[],
): void {
  const tokens = unitTokens(features, range);
  const [width, height] = [range.right - range.left, range.bottom - range.top];
  const cosine = cosineOf(tokens, features.channels);
  distances.forEach((distance, index) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const here = y * width + x;
        if (x + distance < width) tallies[index]!.add(cosine(here, here + distance));
        if (y + distance < height) tallies[index]!.add(cosine(here, here + distance * width));
      }
    }
  });
}

/**
 * Cosine similarity of pairs of tokens drawn anywhere in the range: the baseline for neighbours.
 * @param random numbers in [0, 1)
 */
export function tallyRandomPairs(
  features: StageFeatures,
  range: CellRange,
  pairs: number,
  random: () => number,
  tally: SimilarityTally,
): void {
  const tokens = unitTokens(features, range);
  const count = tokens.length / features.channels;
  if (count < 2) return;
  const cosine = cosineOf(tokens, features.channels);
  for (let pair = 0; pair < pairs; pair++) {
    const a = Math.floor(random() * count);
    const b = (a + 1 + Math.floor(random() * (count - 1))) % count;
    tally.add(cosine(a, b));
  }
}

function cosineOf(tokens: Float32Array, channels: number): (a: number, b: number) => number {
  return (a, b) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += tokens[a * channels + c]! * tokens[b * channels + c]!;
    return Math.min(1, Math.max(-1, sum));
  };
}
