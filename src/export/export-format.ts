import { UnknownExportFormatError } from './export-errors.ts';
import type { ExportRow, OutlineForm } from './export-row.ts';
import { writeCsv } from './write-csv.ts';
import { writeFlatGeobuf } from './write-flatgeobuf.ts';
import { writeGeoJson, writeGeoJsonSequence, writeNdjson } from './write-geojson.ts';
import { writeGeoParquet } from './write-geoparquet.ts';

/** A kind of file that features are written as. */
export interface ExportFormat {
  /** Of the file name, without the dot; also the name of the format. */
  readonly extension: string;
  /** What readers know the file by, where that is another ending. */
  readonly fileExtension?: string;
  readonly mediaType: string;
  /** Whether people read it: then coordinates are rounded, and it may be printed on a terminal. */
  readonly isText: boolean;
  /** Whether the file is not compressed by itself, so that gzip makes it smaller. */
  readonly compressible: boolean;
  readonly outline: OutlineForm;
  /** The file in pieces; holds no more than a batch, or a row group, at a time. */
  write(batches: AsyncIterable<readonly ExportRow[]>): AsyncIterable<Uint8Array>;
}

export const EXPORT_FORMATS: readonly ExportFormat[] = [
  {
    extension: 'geojson',
    mediaType: 'application/geo+json',
    isText: true,
    compressible: true,
    outline: 'GEOJSON',
    write: writeGeoJson,
  },
  {
    extension: 'ndjson',
    fileExtension: 'geojsonl',
    mediaType: 'application/x-ndjson',
    isText: true,
    compressible: true,
    outline: 'GEOJSON',
    write: writeNdjson,
  },
  {
    extension: 'geojsons',
    mediaType: 'application/geo+json-seq',
    isText: true,
    compressible: true,
    outline: 'GEOJSON',
    write: writeGeoJsonSequence,
  },
  {
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8; header=present',
    isText: true,
    compressible: true,
    outline: 'WKT',
    write: writeCsv,
  },
  {
    extension: 'fgb',
    mediaType: 'application/flatgeobuf',
    isText: false,
    compressible: true,
    outline: 'GEOJSON',
    write: writeFlatGeobuf,
  },
  {
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    isText: false,
    compressible: false,
    outline: 'WKB',
    write: writeGeoParquet,
  },
];

/** @throws {UnknownExportFormatError} */
export function exportFormat(extension: string): ExportFormat {
  const format = EXPORT_FORMATS.find((known) => known.extension === extension);
  if (format) return format;
  throw new UnknownExportFormatError(
    extension,
    EXPORT_FORMATS.map((known) => known.extension),
  );
}
