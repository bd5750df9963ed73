import { featureGeoJson } from '../feature/feature-record.ts';
import type { ExportContents, ExportRow } from './export-row.ts';

/**
 * One RFC 7946 feature collection, a feature a line. Outlines are put in as the database wrote them.
 * @see https://www.rfc-editor.org/rfc/rfc7946
 */
export async function* writeGeoJson({ batches, columns }: ExportContents): AsyncGenerator<Uint8Array> {
  const featureText = featureWriter(columns);
  let before = '{"type":"FeatureCollection","features":[\n';
  for await (const rows of batches) {
    yield Buffer.from(before + rows.map(featureText).join(',\n'));
    before = ',\n';
  }
  yield Buffer.from(before === ',\n' ? '\n]}\n' : `${before}]}\n`);
}

/** What is in a file without features, so that readers find a layer in it: a sequence begins with its first separator. */
const NO_FEATURES = '{"type":"FeatureCollection","features":[]}';

/** One RFC 7946 feature per line, without the record separators of RFC 8142; an empty collection without features. */
export function writeNdjson(contents: ExportContents): AsyncGenerator<Uint8Array> {
  return writeLines(contents, '');
}

/**
 * A GeoJSON text sequence: each feature between a record separator and a line feed.
 * @see https://www.rfc-editor.org/rfc/rfc8142
 */
export function writeGeoJsonSequence(contents: ExportContents): AsyncGenerator<Uint8Array> {
  return writeLines(contents, '\u001e');
}

async function* writeLines({ batches, columns }: ExportContents, separator: string): AsyncGenerator<Uint8Array> {
  const featureText = featureWriter(columns);
  let isEmpty = true;
  for await (const rows of batches) {
    yield Buffer.from(rows.map((row) => `${separator}${featureText(row)}\n`).join(''));
    if (rows.length > 0) isEmpty = false;
  }
  if (isEmpty) yield Buffer.from(`${NO_FEATURES}\n`);
}

function featureWriter(columns: ExportContents['columns']): (row: ExportRow) => string {
  const properties = columns.map(({ name }) => name).filter((name) => name !== 'id');
  return ({ record, outline }) => featureGeoJson(record, outline, record.bbox, properties);
}
