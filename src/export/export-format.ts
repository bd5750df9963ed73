import { UnknownExportFormatError } from './export-errors.ts';
import type { ExportContents, OutlineForm } from './export-row.ts';
import { writeCoco } from './write-coco.ts';
import { writeCsv } from './write-csv.ts';
import { writeFlatGeobuf } from './write-flatgeobuf.ts';
import { writeGeoJson, writeGeoJsonSequence, writeNdjson } from './write-geojson.ts';
import { writeGeoParquet } from './write-geoparquet.ts';
import { writePartitions } from './write-partitions.ts';

/** A kind of file that features are written as. */
export interface ExportFormat {
  /** Of the file name, without the dot; also the name of the format. */
  readonly extension: string;
  /** What readers know the file by, where that is another ending. */
  readonly fileExtension?: string;
  readonly mediaType: string;
  /** Whether people read it: then degrees are rounded, and it may be printed on a terminal. */
  readonly isText: boolean;
  /** Whether the file is not compressed by itself, so that gzip makes it smaller. */
  readonly compressible: boolean;
  readonly outline: OutlineForm;
  /** Whether the outlines may be in another system than WGS 84. */
  readonly anyCrs?: true;
  /** Whether the features of a prompt stand together. */
  readonly byPrompt?: true;
  /** The file in pieces; holds no more than a batch, or a row group, at a time. */
  write(contents: ExportContents): AsyncIterable<Uint8Array>;
}

const TEXT = { isText: true, compressible: true, outline: 'GEOJSON' } as const;

export const EXPORT_FORMATS: readonly ExportFormat[] = [
  { ...TEXT, extension: 'geojson', mediaType: 'application/geo+json', write: writeGeoJson },
  {
    ...TEXT,
    extension: 'ndjson',
    fileExtension: 'geojsonl',
    mediaType: 'application/x-ndjson',
    write: writeNdjson,
  },
  { ...TEXT, extension: 'geojsons', mediaType: 'application/geo+json-seq', write: writeGeoJsonSequence },
  {
    ...TEXT,
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8; header=present',
    outline: 'WKT',
    anyCrs: true,
    write: writeCsv,
  },
  {
    extension: 'coco',
    fileExtension: 'coco.json',
    mediaType: 'application/json',
    isText: true,
    compressible: true,
    outline: 'FRAMED',
    write: writeCoco,
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
    anyCrs: true,
    write: writeGeoParquet,
  },
  {
    extension: 'parquet.zip',
    mediaType: 'application/zip',
    isText: false,
    compressible: false,
    outline: 'WKB',
    anyCrs: true,
    byPrompt: true,
    write: writePartitions,
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
