import { featureGeoJson } from '../feature/feature-record.ts';
import type { ExportRow } from './export-row.ts';

/**
 * One RFC 7946 feature collection, a feature a line. Outlines are put in as the database wrote them.
 * @see https://www.rfc-editor.org/rfc/rfc7946
 */
export async function* writeGeoJson(batches: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Uint8Array> {
  let before = '{"type":"FeatureCollection","features":[\n';
  for await (const rows of batches) {
    yield Buffer.from(before + rows.map(featureText).join(',\n'));
    before = ',\n';
  }
  yield Buffer.from(before === ',\n' ? '\n]}\n' : `${before}]}\n`);
}

/** One RFC 7946 feature a line, without the record separators of RFC 8142. */
export async function* writeNdjson(batches: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Uint8Array> {
  for await (const rows of batches) yield Buffer.from(rows.map((row) => `${featureText(row)}\n`).join(''));
}

function featureText({ record, outline }: ExportRow): string {
  return featureGeoJson(record, outline);
}
