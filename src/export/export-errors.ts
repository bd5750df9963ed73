import { AppError } from '../errors.ts';

/** A file of features is asked for in a format that is not written. */
export class UnknownExportFormatError extends AppError {
  readonly code = 'EXPORT_FORMAT_UNKNOWN';
  constructor(format: string, known: readonly string[]) {
    super(
      format === 'gpkg'
        ? 'GeoPackage is not available here; request fgb and convert it with `ogr2ogr features.gpkg features.fgb`.'
        : `Format ${JSON.stringify(format)} does not exist; the formats are ${known.join(', ')}.`,
    );
  }
}

/** More features match than one file may hold. */
export class ExportTooLargeError extends AppError {
  readonly code = 'EXPORT_TOO_LARGE';
  constructor(maxFeatures: number) {
    super(
      `More than ${maxFeatures} features match; narrow the filter, or set limit to export the first ${maxFeatures}.`,
    );
  }
}

/** A parameter of the request, or its body, is not what an export takes. */
export class InvalidExportError extends AppError {
  readonly code = 'EXPORT_REQUEST_INVALID';
}

/** A file cannot say that its coordinates are in another system than WGS 84. */
export class CrsRefusedError extends InvalidExportError {
  constructor(crs: string, format: string) {
    super(
      format.startsWith('geojson') || format === 'ndjson'
        ? `crs is ${crs}, but RFC 7946 allows only WGS 84 in GeoJSON; omit crs, or request GeoPackage, FlatGeobuf, GeoParquet or CSV.`
        : `crs is ${crs}, but ${format} files have no other coordinate reference system than their own; omit crs.`,
    );
  }
}

/** A feature lies where the coordinate reference system of the file has no coordinates. */
export class ExportOutsideCrsError extends AppError {
  readonly code = 'EXPORT_OUTSIDE_CRS';
  constructor(id: string, position: readonly number[], crs: string) {
    super(
      `Feature ${id} has no coordinates in ${crs} at ${position.join(', ')}; choose another crs, or narrow the filter.`,
    );
  }
}

/** Features that the file was to hold were deleted while it was written. */
export class ExportInterruptedError extends AppError {
  readonly code = 'EXPORT_INTERRUPTED';
  constructor(missing: number) {
    super(`${missing} of the features were deleted during the export; try again.`);
  }
}
