import { areaText, lengthText } from '../measure-text.ts';
import type { FeatureRow } from './feature-rows.ts';
import { textTable } from './terminal/table.ts';

/** Features as aligned columns for people, with the rank in the asked order. */
export async function featureTable(rows: AsyncIterable<FeatureRow>): Promise<string> {
  const lines: string[][] = [];
  for await (const row of rows) lines.push([String(lines.length + 1), ...tableLine(row)]);
  return textTable(
    [
      { heading: '#', align: 'right' },
      { heading: 'prompt' },
      { heading: 'area', align: 'right' },
      { heading: 'perimeter', align: 'right' },
      { heading: 'probability', align: 'right' },
      { heading: 'centroid', align: 'right' },
      { heading: 'neighbours', align: 'right' },
      { heading: 'feature' },
    ],
    lines,
  );
}

function tableLine({
  segmentation,
  areaM2,
  perimeterM,
  meanProbability,
  centroid,
  neighbours,
  id,
}: FeatureRow): string[] {
  const { prompt } = segmentation;
  return [
    prompt.length > 40 ? `${prompt.slice(0, 39)}…` : prompt,
    areaText(areaM2),
    lengthText(perimeterM),
    meanProbability.toFixed(2),
    centroid.coordinates.map((coordinate) => coordinate.toFixed(5)).join(' '),
    String(neighbours.totalCount),
    id,
  ];
}
