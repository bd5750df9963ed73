import { type Measure, MEASURES } from '../feature/measures.ts';
import { areaText, lengthText } from '../measure-text.ts';
import type { FeatureRow } from './feature-rows.ts';
import { type Column, textTable } from './terminal/table.ts';

const COLUMNS: readonly Column[] = [
  { heading: '#', align: 'right' },
  { heading: 'prompt' },
  ...MEASURES.map(({ heading }): Column => ({ heading, align: 'right' })),
  { heading: 'centroid', align: 'right' },
  { heading: 'neighbours', align: 'right' },
  { heading: 'feature' },
];

/** Features as aligned columns for people, with the rank in the order that was asked for. */
export async function featureTable(rows: AsyncIterable<FeatureRow>): Promise<string> {
  const lines: string[][] = [];
  for await (const row of rows) lines.push([String(lines.length + 1), ...tableLine(row)]);
  return textTable(COLUMNS, lines);
}

function tableLine(row: FeatureRow): string[] {
  const { prompt } = row.segmentation;
  return [
    prompt.length > 40 ? `${prompt.slice(0, 39)}…` : prompt,
    ...MEASURES.map((measure) => measureText(measure, row[measure.name])),
    row.centroid.coordinates.map((coordinate) => coordinate.toFixed(5)).join(' '),
    String(row.neighbours.totalCount),
    row.id,
  ];
}

/** A value for people, in the unit of its measure; a dash where there is none. */
function measureText({ unit }: Pick<Measure, 'unit'>, value: number | null): string {
  if (value === null) return '–';
  return TEXTS[unit ?? 'none'](value);
}

const TEXTS: Readonly<Record<NonNullable<Measure['unit']> | 'none', (value: number) => string>> = {
  'm²': areaText,
  m: lengthText,
  '°': (degrees) => `${degrees.toFixed(0)}°`,
  px: String,
  none: (ratio) => ratio.toFixed(2),
};
