import { resolveCrs } from '../imagery/crs/crs.ts';
import { MAX_ADJACENT_M, type RequestedFilter } from '../feature/check-filter.ts';
import { type FeatureFilter, type FeatureOrder, LARGEST_FIRST } from '../feature/feature.filter.ts';
import { CrsRefusedError, ExportTooLargeError, InvalidExportError } from './export-errors.ts';
import { exportFormat, type ExportFormat } from './export-format.ts';
import type { ExportRequest } from './export-request.ts';
import { exportColumns, type ExportRow, type OutlineForm } from './export-row.ts';
import type { ExportStore } from './export.store.ts';
import { movedOutlines } from './move-outlines.ts';

/** A file that is about to be written. */
export interface FeatureExport {
  readonly format: ExportFormat;
  readonly featureCount: number;
  /** Features that match but are left out: without georeference they have no longitude and latitude. */
  readonly withoutGeoreference: number;
  /** What was repaired in the filter, a sentence each. */
  readonly warnings: readonly string[];
  /**
   * The file in pieces, each made when it is asked for.
   * @param onFeatures receives the number of features read so far
   * @throws {ExportInterruptedError} when features are deleted meanwhile
   */
  pieces(onFeatures?: (done: number) => void): AsyncIterable<Uint8Array>;
}

/** Makes filters ready for a store. */
export interface FilterChecker {
  /** @param warn receives what was changed in the filter @throws {InvalidFilterError} {@link InvalidGeometryError} */
  checkedFilter(
    requested: RequestedFilter,
    order: FeatureOrder,
    warn: (warning: string) => void,
  ): Promise<FeatureFilter>;
}

export interface ExportLimits {
  /** Features of one file. */
  readonly maxFeatures: number;
}

const DEFAULT_PRECISION = 7;
/** A double has no more. */
const MAX_PRECISION = 15;

/** Stored features as files. */
export class ExportService {
  constructor(
    private readonly store: ExportStore,
    private readonly filters: FilterChecker,
    private readonly limits: ExportLimits,
  ) {}

  /**
   * Chooses the features of a file, before anything of it is written.
   * @param extension names the format
   * @throws {UnknownExportFormatError} {@link InvalidExportError} {@link ExportTooLargeError}, and what the check of the
   *   filter throws
   */
  async open(extension: string, request: ExportRequest): Promise<FeatureExport> {
    const format = exportFormat(extension);
    const { precision, simplifyM, columns, crs } = await this.checked(format, request);
    const order = request.order ?? LARGEST_FIRST;
    const warnings: string[] = [];
    const filter = await this.filters.checkedFilter(
      request.filter,
      checkable(order),
      (warning) => void warnings.push(warning),
    );
    const { maxFeatures } = this.limits;
    const limit = request.limit ?? maxFeatures + 1;
    const byPrompt = format.byPrompt === true;
    const outline = crs === null ? format.outline : unmoved(format.outline);
    const chosen = await this.store.choose({ filter, order, limit, outline, precision, simplifyM, byPrompt });
    if (chosen.featureCount > maxFeatures) throw new ExportTooLargeError(maxFeatures);
    const { featureCount, withoutGeoreference } = chosen;
    return {
      format,
      featureCount,
      withoutGeoreference,
      warnings,
      pieces: (onFeatures = () => undefined) => {
        const read = counted(chosen.batches(), onFeatures);
        const batches = crs === null ? read : movedOutlines(read, format.outline === 'WKT' ? 'WKT' : 'WKB', crs);
        return format.write({ batches, columns, crs });
      },
    };
  }

  /** Checks what {@link open} would, but for the number of features. @throws as it does */
  async check(extension: string, request: ExportRequest): Promise<void> {
    await this.checked(exportFormat(extension), request);
    await this.filters.checkedFilter(request.filter, checkable(request.order ?? LARGEST_FIRST), () => undefined);
  }

  private async checked(format: ExportFormat, request: ExportRequest) {
    this.checkLimit(request.limit);
    const columns = exportColumns(request.include);
    const crs = await crsOf(request, format);
    const precision = crs === null ? precisionOf(request.precision, format) : MAX_PRECISION;
    return { precision, simplifyM: simplificationOf(request.simplifyM), columns, crs };
  }

  private checkLimit(limit: number | undefined): void {
    const { maxFeatures } = this.limits;
    if (limit === undefined || (limit >= 1 && limit <= maxFeatures)) return;
    throw new InvalidExportError(`limit is ${limit}; it must be 1 to ${maxFeatures}.`, {
      details: { argument: 'limit', value: limit, limit: maxFeatures },
    });
  }
}

const checkable = (order: FeatureOrder | 'PLACE'): FeatureOrder => (order === 'PLACE' ? LARGEST_FIRST : order);

const CRS_CODE = /^EPSG:\d{1,6}$/;

/** @throws {InvalidExportError} */
export function checkCrsCode(crs: string): void {
  if (CRS_CODE.test(crs)) return;
  throw new InvalidExportError(`crs is ${JSON.stringify(crs)}; it must have the form EPSG:code.`);
}

/** @returns null for WGS 84 */
async function crsOf({ crs, precision }: ExportRequest, { anyCrs, extension }: ExportFormat): Promise<string | null> {
  if (crs === undefined) return null;
  if (!anyCrs) throw new CrsRefusedError(crs, extension);
  checkCrsCode(crs);
  if (precision !== undefined) {
    throw new InvalidExportError(`precision is ${precision}, but it rounds degrees; omit precision or crs.`);
  }
  await resolveCrs(crs);
  return crs;
}

/** The form that outlines are read in before they are moved to another system. */
const unmoved = (form: OutlineForm): OutlineForm => (form === 'WKT' ? 'GEOJSON' : form);

function precisionOf(precision: number | undefined, { isText, outline, extension }: ExportFormat): number {
  if (!isText || outline === 'FRAMED') {
    if (precision === undefined) return MAX_PRECISION;
    throw new InvalidExportError(
      `precision is ${precision}, but ${extension} does not round longitude and latitude; omit precision.`,
    );
  }
  const places = precision ?? DEFAULT_PRECISION;
  if (places >= 0 && places <= MAX_PRECISION) return places;
  throw new InvalidExportError(`precision is ${places}; it must be 0 to ${MAX_PRECISION} decimal places.`, {
    details: { argument: 'precision', value: places, limit: MAX_PRECISION },
  });
}

function simplificationOf(simplifyM = 0): number {
  if (simplifyM >= 0 && simplifyM <= MAX_ADJACENT_M) return simplifyM;
  throw new InvalidExportError(`simplifyM is ${simplifyM}; it must be 0 to ${MAX_ADJACENT_M} metres.`, {
    details: { argument: 'simplifyM', value: simplifyM, limit: MAX_ADJACENT_M },
  });
}

async function* counted(
  batches: AsyncIterable<readonly ExportRow[]>,
  onFeatures: (done: number) => void,
): AsyncGenerator<readonly ExportRow[]> {
  let done = 0;
  for await (const rows of batches) {
    done += rows.length;
    onFeatures(done);
    yield rows;
  }
}
