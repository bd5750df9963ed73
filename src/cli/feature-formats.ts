import { geoJSONToWkt } from 'betterknown';
import { areaText, lengthText } from '../measure-text.ts';
import type { FeatureRow } from './feature-rows.ts';
import { textTable } from './table.ts';

export const FEATURE_FORMATS = ['TABLE', 'GEOJSON', 'CSV', 'NDJSON'] as const;
export type FeatureFormat = (typeof FEATURE_FORMATS)[number];

/** Turns features into text, piece by piece, so that only one page of them is in memory; a table needs them all. */
export type FeatureWriter = (rows: AsyncIterable<FeatureRow>) => AsyncIterable<string>;

export const FEATURE_WRITERS: Readonly<Record<FeatureFormat, FeatureWriter>> = {
  TABLE: writeTable,
  GEOJSON: writeGeoJson,
  CSV: writeCsv,
  NDJSON: writeNdjson,
};

/** Everything of a feature but its shape, flat. */
function attributes(row: FeatureRow) {
  const { segmentation, scene, neighbours } = row;
  return {
    id: row.id,
    prompt: segmentation.prompt,
    areaM2: row.areaM2,
    perimeterM: row.perimeterM,
    meanProbability: row.meanProbability,
    pixelCount: row.pixelCount,
    compactness: row.compactness,
    bearingDeg: row.bearingDeg,
    neighbourCount: neighbours.totalCount,
    distanceM: row.distanceM,
    segmentationId: segmentation.id,
    sceneId: scene.id,
    sceneName: scene.name,
  };
}

type Attributes = ReturnType<typeof attributes>;

function feature(row: FeatureRow): object {
  const { id, ...properties } = attributes(row);
  return { type: 'Feature', id, bbox: row.bbox, geometry: row.geometry, properties };
}

/** One RFC 7946 feature collection. */
async function* writeGeoJson(rows: AsyncIterable<FeatureRow>): AsyncGenerator<string> {
  yield '{"type":"FeatureCollection","features":[';
  let separator = '\n';
  for await (const row of rows) {
    yield separator + JSON.stringify(feature(row));
    separator = ',\n';
  }
  yield '\n]}\n';
}

/** One RFC 7946 feature a line. */
async function* writeNdjson(rows: AsyncIterable<FeatureRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(feature(row))}\n`;
}

const CSV_COLUMNS: readonly (keyof Attributes)[] = [
  'id',
  'prompt',
  'areaM2',
  'perimeterM',
  'meanProbability',
  'pixelCount',
  'compactness',
  'bearingDeg',
  'neighbourCount',
  'distanceM',
  'segmentationId',
  'sceneId',
  'sceneName',
];

/** RFC 4180 with a heading; the shape is the last column, as OGC well-known text. */
async function* writeCsv(rows: AsyncIterable<FeatureRow>): AsyncGenerator<string> {
  yield `${[...CSV_COLUMNS, 'wkt'].join(',')}\r\n`;
  for await (const row of rows) {
    const values = attributes(row);
    const fields = [...CSV_COLUMNS.map((column) => values[column]), geoJSONToWkt(row.geometry)];
    yield `${fields.map(csvField).join(',')}\r\n`;
  }
}

function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Aligned columns for people, with the rank in the asked order. */
async function* writeTable(rows: AsyncIterable<FeatureRow>): AsyncGenerator<string> {
  const lines: string[][] = [];
  for await (const row of rows) lines.push([String(lines.length + 1), ...tableLine(row)]);
  yield textTable(
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
