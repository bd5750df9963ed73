import { InvalidExportError } from './export-errors.ts';
import { type ExportFormat, exportFormat } from './export-format.ts';

/** A kind of file that is made whole before it is handed out. */
export interface FileFormat {
  readonly name: string;
  readonly extension: string;
  readonly mediaType: string;
  /** What the features are written as, at first; null where the file holds map tiles of them. */
  readonly written: ExportFormat | null;
  /** Whether its features stand along a space-filling curve unless another order is asked for. */
  readonly byPlace: boolean;
  /** Driver of GDAL that makes the file of that; null where it is the file. */
  readonly gdal: { readonly driver: string; readonly options: readonly string[] } | null;
}

const plain = (name: string, extension: string, byPlace = false): FileFormat => {
  const written = exportFormat(extension);
  return {
    name,
    extension: written.fileExtension ?? extension,
    mediaType: written.mediaType,
    written,
    byPlace,
    gdal: null,
  };
};
const LAYER = ['-nln', 'features'];

/** The formats of stored files. Those that GDAL makes have a spatial index and may be in any coordinate reference system. */
const FILE_FORMATS: readonly FileFormat[] = [
  plain('GEOJSON', 'geojson'),
  plain('NDJSON', 'ndjson'),
  plain('GEOJSON_SEQUENCE', 'geojsons'),
  plain('CSV', 'csv'),
  plain('COCO', 'coco'),
  plain('GEOPARQUET', 'parquet', true),
  plain('GEOPARQUET_PARTITIONED', 'parquet.zip', true),
  {
    name: 'FLATGEOBUF',
    extension: 'fgb',
    mediaType: 'application/flatgeobuf',
    written: exportFormat('fgb'),
    byPlace: false,
    gdal: { driver: 'FlatGeobuf', options: ['-lco', 'SPATIAL_INDEX=YES', ...LAYER] },
  },
  {
    name: 'GEOPACKAGE',
    extension: 'gpkg',
    mediaType: 'application/geopackage+sqlite3',
    written: exportFormat('fgb'),
    byPlace: false,
    gdal: { driver: 'GPKG', options: ['-lco', 'SPATIAL_INDEX=YES', '-lco', 'FID=fid', ...LAYER] },
  },
  {
    name: 'PMTILES',
    extension: 'pmtiles',
    mediaType: 'application/vnd.pmtiles',
    written: null,
    byPlace: false,
    gdal: null,
  },
];

/** @throws {InvalidExportError} */
export function fileFormat(name: string): FileFormat {
  const format = FILE_FORMATS.find((known) => known.name === name);
  if (format) return format;
  throw new InvalidExportError(
    `format is ${JSON.stringify(name)}; it must be one of ${FILE_FORMATS.map((known) => known.name).join(', ')}.`,
  );
}
