import { AppError } from '../errors.ts';
import { type Stage, type StageFeatures, STAGES } from '../inference/vision-stages.ts';
import { letterbox } from '../raster/letterbox.ts';
import { letterboxGeometry } from '../raster/window-plan.ts';
import { seededRandom } from './seeded-random.ts';
import {
  type CellRange,
  type Similarity,
  SimilarityTally,
  tallyNeighbours,
  tallyRandomPairs,
} from './token-similarity.ts';

/** Cells between the two tokens of a pair. */
export const DISTANCES = [1, 2, 4, 8] as const;
const RANDOM_PAIRS = 4096;

/** An image as the model's window shows it. */
export interface RedundancyImage {
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** HWC uint8 RGB of the whole image. */
  readonly rgb: Uint8Array;
}

/** Similarity of visual tokens in one stage. */
export interface StageRedundancy {
  readonly stage: Stage;
  /** Window pixels from one token to the next. */
  readonly strideWindowPx: number;
  /** Tokens of a whole window. */
  readonly tokens: number;
  /** By the cells of {@link DISTANCES} between the tokens, in a row or a column. */
  readonly neighbours: Readonly<Record<string, Similarity>>;
  /** Pairs anywhere in the same image. */
  readonly anywhere: Similarity;
}

/** Redundancy over all images, and the mean similarity of direct neighbours in each. */
export interface RedundancyReport {
  readonly modelId: string;
  readonly windowPx: number;
  readonly stages: readonly StageRedundancy[];
  readonly images: readonly { readonly name: string; readonly neighbours: Readonly<Record<Stage, number | null>> }[];
}

/** No image could be read. */
export class NoImageError extends AppError {
  readonly code = 'NO_IMAGE';
  constructor() {
    super('None of the images could be read.');
  }
}

interface Encoder {
  of(image: Uint8Array): Promise<Record<Stage, StageFeatures>>;
}

/**
 * Similarity of neighbouring visual tokens in each stage of the vision encoder. Each image is letterboxed into one
 * window; cells that show a bar are ignored.
 * @throws {NoImageError} without any image
 */
export async function measureRedundancy(
  encoder: Encoder,
  model: { readonly id: string; readonly windowPx: number },
  images: AsyncIterable<RedundancyImage>,
): Promise<RedundancyReport> {
  const tallies = new Map(STAGES.map((stage) => [stage, stageTallies()]));
  const perImage: RedundancyReport['images'][number][] = [];
  const sides = new Map<Stage, number>();
  for await (const { name, widthPx, heightPx, rgb } of images) {
    const stages = await encoder.of(letterbox(rgb, widthPx, heightPx, model.windowPx));
    const neighbours = STAGES.map((stage) => {
      const features = stages[stage];
      sides.set(stage, features.side);
      const range = pictureCells(widthPx, heightPx, model.windowPx, features.side);
      const [own, all] = [stageTallies(), tallies.get(stage)!];
      tallyNeighbours(features, range, DISTANCES, own.distances);
      tallyRandomPairs(features, range, RANDOM_PAIRS, seededRandom(perImage.length + 1), own.anywhere);
      own.distances.forEach((tally, index) => all.distances[index]!.merge(tally));
      all.anywhere.merge(own.anywhere);
      return [stage, own.distances[0]!.result().mean] as const;
    });
    perImage.push({ name, neighbours: Object.fromEntries(neighbours) as Record<Stage, number | null> });
  }
  if (perImage.length === 0) throw new NoImageError();
  const stages = [...sides].map(([stage, side]) => stageRedundancy(stage, side, model.windowPx, tallies.get(stage)!));
  return { modelId: model.id, windowPx: model.windowPx, stages, images: perImage };
}

interface StageTallies {
  readonly distances: readonly SimilarityTally[];
  readonly anywhere: SimilarityTally;
}

function stageTallies(): StageTallies {
  return { distances: DISTANCES.map(() => new SimilarityTally()), anywhere: new SimilarityTally() };
}

function stageRedundancy(
  stage: Stage,
  side: number,
  windowPx: number,
  { distances, anywhere }: StageTallies,
): StageRedundancy {
  return {
    stage,
    strideWindowPx: windowPx / side,
    tokens: side ** 2,
    neighbours: Object.fromEntries(DISTANCES.map((distance, i) => [String(distance), distances[i]!.result()])),
    anywhere: anywhere.result(),
  };
}

/** Cells whose whole square shows the picture; at least one. */
export function pictureCells(widthPx: number, heightPx: number, windowPx: number, side: number): CellRange {
  const { shownWidthPx, shownHeightPx, padLeftPx, padTopPx } = letterboxGeometry(widthPx, heightPx, windowPx);
  const cellPx = windowPx / side;
  const range = (padding: number, shown: number): [number, number] => {
    const first = Math.ceil(padding / cellPx);
    const end = Math.floor((padding + shown) / cellPx);
    if (end > first) return [first, end];
    const middle = Math.min(side - 1, Math.floor((padding + shown / 2) / cellPx));
    return [middle, middle + 1];
  };
  const [left, right] = range(padLeftPx, shownWidthPx);
  const [top, bottom] = range(padTopPx, shownHeightPx);
  return { left, top, right, bottom };
}
