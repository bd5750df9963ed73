import { groupedBy } from './grouped-by.ts';
import { iouOf } from './overlap.ts';
import { type AskedQuestion, type Summary, summaryOf } from './scores.ts';

/** The questions and the model of an evaluation. */
export interface EvaluationSubject {
  readonly model: { readonly id: string; readonly sha256: string; readonly windowPx: number };
  readonly dataset: {
    readonly name: string;
    readonly split: string;
    /** Whether every image was asked about. */
    readonly complete: boolean;
    readonly leftOut: readonly string[];
  };
  readonly scale: string;
}

/** Scores of a group, and of each category in it. */
export interface GroupScores extends Summary {
  readonly categories: Readonly<Record<string, Summary>>;
}

/** Everything measured, as it is written to JSON. */
export interface EvaluationReport extends EvaluationSubject {
  readonly firstQuestion: Summary;
  readonly allQuestions: Summary;
  readonly groups: Readonly<Record<string, GroupScores>>;
  readonly categories: Readonly<Record<string, Summary>>;
  readonly answers: readonly {
    readonly sample: string;
    readonly question: string;
    readonly first: boolean;
    readonly targetPixels: number;
    readonly predictedPixels: number;
    readonly iouWindow: number;
    readonly iouScene: number;
  }[];
}

/** Scores of answers: the first questions, all of them, and each group and category. */
export function evaluationReport(subject: EvaluationSubject, asked: readonly AskedQuestion[]): EvaluationReport {
  return {
    ...subject,
    firstQuestion: summaryOf(asked.filter(({ first }) => first)),
    allQuestions: summaryOf(asked),
    groups: split(asked, 'group', (part) => ({ ...summaryOf(part), categories: split(part, 'category', summaryOf) })),
    categories: split(asked, 'category', summaryOf),
    answers: asked.map(({ sample, question, first, targetPixels, scene, window }) => ({
      sample,
      question,
      first,
      targetPixels,
      predictedPixels: scene.predicted,
      iouWindow: iouOf(window),
      iouScene: iouOf(scene),
    })),
  };
}

/** Scores for each non-empty value, in order of the values. */
function split<T>(
  asked: readonly AskedQuestion[],
  key: 'group' | 'category',
  score: (part: readonly AskedQuestion[]) => T,
): Record<string, T> {
  const parts = groupedBy(asked, (one) => one[key]);
  const names = [...parts.keys()].filter((name) => name !== '').toSorted();
  return Object.fromEntries(names.map((name) => [name, score(parts.get(name)!)]));
}

/** A table: headings, then rows; the first `words` columns hold words, the others numbers. */
export interface ReportTable {
  readonly title: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly words: number;
}

const SETS = [
  ['first', 'firstQuestion'],
  ['all', 'allQuestions'],
] as const;

/** The tables of a report; numbers are percent, ± half the 95 % interval. */
export function reportTables(report: EvaluationReport): ReportTable[] {
  const tables = [scoreTable(report), absenceTable(report)];
  const breakdown = breakdownRows(report);
  if (breakdown.length === 0) return tables;
  const headings = ['group', 'category', 'present', 'gIoU', '±', 'absent', 'false alarms'];
  return [...tables, { title: 'Groups and categories, original size', headings, rows: breakdown, words: 2 }];
}

function scoreTable(report: EvaluationReport): ReportTable {
  const frames = [
    [`${report.model.windowPx} px window`, 'window'],
    ['original size', 'scene'],
  ] as const;
  return {
    title: 'Overlap of answer and label',
    headings: ['questions', 'frame', 'gIoU', '±', 'cIoU', 'P@0.5', 'P@0.6', 'P@0.7', 'P@0.8', 'P@0.9'],
    rows: SETS.flatMap(([title, key]) =>
      frames.map(([name, frame]) => {
        const { gIoU, gIoU95, cIoU, precision } = report[key][frame];
        return [title, name, ...[gIoU, gIoU95, cIoU, ...Object.values(precision)].map(percent)];
      }),
    ),
    words: 2,
  };
}

function absenceTable(report: EvaluationReport): ReportTable {
  return {
    title: 'Present and absent targets, original size',
    headings: ['questions', 'present', 'gIoU', '±', 'answered', 'absent', 'empty right', 'false alarms', 'area'],
    rows: SETS.map(([title, key]) => {
      const { present, absent } = report[key];
      return [
        title,
        String(present.questions),
        ...[present.gIoU, present.gIoU95, present.answered].map(percent),
        String(absent.questions),
        ...[absent.emptyAccuracy, absent.falseAlarmRate, absent.falseAlarmArea].map(percent),
      ];
    }),
    words: 1,
  };
}

function breakdownRows({ groups, categories }: EvaluationReport): string[][] {
  const row = (group: string, category: string, { present, absent }: Summary): string[] => [
    group,
    category,
    String(present.questions),
    percent(present.gIoU),
    percent(present.gIoU95),
    String(absent.questions),
    percent(absent.falseAlarmRate),
  ];
  const rowsOf = (group: string, parts: Readonly<Record<string, Summary>>): string[][] =>
    Object.entries(parts).map(([category, scores]) => row(group, category, scores));
  const grouped = Object.entries(groups);
  if (grouped.length === 0) return rowsOf('', categories);
  return grouped.flatMap(([group, scores]) => [row(group, 'all', scores), ...rowsOf(group, scores.categories)]);
}

/** A share as percent with one decimal; a dash for null. */
export function percent(share: number | null): string {
  return share === null ? '–' : (100 * share).toFixed(1);
}

/** Statement of a report about comparisons with published scores. */
export const COMPARISON_NOTE =
  'Not set beside published scores: those come from whole windows of the published weights, not from stored masks of a service. ' +
  '`python -m segmenter evaluate` compares where the weights and the data set are the published ones.';
