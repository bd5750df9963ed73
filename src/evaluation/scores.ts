import { iouOf, type Overlap } from './overlap.ts';

/** One answered question, compared in both frames. */
export interface AskedQuestion {
  readonly sample: string;
  readonly image: string;
  readonly question: string;
  /** Whether the paper asks this question of the sample. */
  readonly first: boolean;
  readonly category: string;
  readonly group: string;
  readonly window: Overlap;
  readonly scene: Overlap;
  /** Target pixels of the image that count. */
  readonly targetPixels: number;
  /** Pixels of the image that count. */
  readonly pixels: number;
}

/** Scores of answers in one frame, 0 to 1; null for means of no value. */
export interface FrameScores {
  /** Mean IoU. */
  readonly gIoU: number | null;
  /** Half width of its 95 % interval. */
  readonly gIoU95: number | null;
  /** Summed intersections over summed unions. */
  readonly cIoU: number | null;
  /** Share of answers whose IoU is above 0.5, 0.6, 0.7, 0.8, 0.9. */
  readonly precision: Readonly<Record<string, number | null>>;
}

/** Scores of some answers; shares are of questions unless they say otherwise. */
export interface Summary {
  readonly questions: number;
  readonly images: number;
  readonly window: FrameScores;
  readonly scene: FrameScores;
  /** Questions whose target is in the image, at the image's own size. */
  readonly present: FrameScores & { readonly questions: number; readonly answered: number | null };
  readonly absent: {
    readonly questions: number;
    readonly emptyAccuracy: number | null;
    readonly falseAlarmRate: number | null;
    /** Mean share of the image that is predicted. */
    readonly falseAlarmArea: number | null;
  };
}

const PRECISION_AT = ['0.5', '0.6', '0.7', '0.8', '0.9'] as const;

/** Scores of some answers. */
export function summaryOf(answers: readonly AskedQuestion[]): Summary {
  const present = answers.filter(({ targetPixels }) => targetPixels > 0);
  const absent = answers.filter(({ targetPixels }) => targetPixels === 0);
  const alarms = absent.map(({ scene }) => Number(scene.predicted > 0));
  return {
    questions: answers.length,
    images: new Set(answers.map(({ image }) => image)).size,
    window: frameScores(answers, 'window'),
    scene: frameScores(answers, 'scene'),
    present: {
      questions: present.length,
      ...frameScores(present, 'scene'),
      answered: mean(present.map(({ scene }) => Number(scene.predicted > 0))),
    },
    absent: {
      questions: absent.length,
      emptyAccuracy: mean(alarms.map((alarm) => 1 - alarm)),
      falseAlarmRate: mean(alarms),
      falseAlarmArea: mean(absent.map(({ scene, pixels }) => scene.predicted / Math.max(1, pixels))),
    },
  };
}

function frameScores(answers: readonly AskedQuestion[], frame: 'window' | 'scene'): FrameScores {
  const overlaps = answers.map((answer) => answer[frame]);
  const ious = overlaps.map(iouOf);
  const sum = (key: 'intersection' | 'union'): number => overlaps.reduce((total, one) => total + one[key], 0);
  return {
    gIoU: mean(ious),
    gIoU95: interval(
      ious,
      answers.map(({ image }) => image),
    ),
    cIoU: ious.length === 0 ? null : sum('intersection') / (sum('union') + 1e-10),
    precision: Object.fromEntries(PRECISION_AT.map((at) => [at, mean(ious.map((iou) => Number(iou > Number(at))))])),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;
}

/**
 * Half width of the 95 % interval of a mean: 1.96 cluster-robust standard errors, with answers about one image as a
 * cluster.
 * @returns null with fewer than two clusters, whose spread is unknown
 */
export function interval(values: readonly number[], clusters: readonly string[]): number | null {
  const centre = mean(values) ?? 0;
  const sums = new Map<string, number>();
  values.forEach((value, i) => sums.set(clusters[i]!, (sums.get(clusters[i]!) ?? 0) + value - centre));
  const count = sums.size;
  if (count < 2) return null;
  const squares = [...sums.values()].reduce((total, sum) => total + sum * sum, 0);
  return 1.96 * Math.sqrt((squares / values.length ** 2) * (count / (count - 1)));
}
