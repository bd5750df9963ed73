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

/** Features that the file was to hold were deleted while it was written. */
export class ExportInterruptedError extends AppError {
  readonly code = 'EXPORT_INTERRUPTED';
  constructor(missing: number) {
    super(`${missing} of the features were deleted during the export; try again.`);
  }
}
