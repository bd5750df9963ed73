import type { FeatureAttribute } from '../feature/feature-record.ts';
import type { ExportContents, ExportRow } from './export-row.ts';

/**
 * RFC 4180 in UTF-8 with a heading; the outline comes last, as OGC well-known text in the column `wkt`.
 *
 * Spreadsheets run a text that begins like a formula. Prompts and scene names come from clients, so such a
 * text is written with an apostrophe before it, which spreadsheets do not show.
 * @see https://www.rfc-editor.org/rfc/rfc4180 and https://owasp.org/www-community/attacks/CSV_Injection
 */
export async function* writeCsv({ batches, columns }: ExportContents): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${[...columns.map(({ name }) => name), 'wkt'].join(',')}\r\n`);
  for await (const rows of batches) yield Buffer.from(rows.map((row) => line(row, columns)).join(''));
}

function line({ record, outline }: ExportRow, columns: readonly FeatureAttribute[]): string {
  return `${[...columns.map(({ name }) => csvField(record[name])), `"${outline}"`].join(',')}\r\n`;
}

/** A value as a field of a line. */
export function csvField(value: string | number | Date | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return value.toISOString();
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
