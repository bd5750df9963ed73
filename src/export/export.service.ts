import { MAX_ADJACENT_M, type RequestedFilter } from '../feature/check-filter.ts';
import { type FeatureFilter, type FeatureOrder, LARGEST_FIRST } from '../feature/feature.filter.ts';
import { ExportTooLargeError, InvalidExportError } from './export-errors.ts';
import { exportFormat, type ExportFormat } from './export-format.ts';
import type { ExportRequest } from './export-request.ts';
import type { ExportRow } from './export-row.ts';
import type { ExportStore } from './export.store.ts';

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
    const precision = precisionOf(request.precision, format);
    const simplifyM = simplificationOf(request.simplifyM);
    this.checkLimit(request.limit);
    const order = request.order ?? LARGEST_FIRST;
    const warnings: string[] = [];
    const filter = await this.filters.checkedFilter(
      request.filter,
      checkable(order),
      (warning) => void warnings.push(warning),
    );
    const { maxFeatures } = this.limits;
    const limit = request.limit ?? maxFeatures + 1;
    const chosen = await this.store.choose({ filter, order, limit, outline: format.outline, precision, simplifyM });
    if (chosen.featureCount > maxFeatures) throw new ExportTooLargeError(maxFeatures);
    const { featureCount, withoutGeoreference } = chosen;
    return {
      format,
      featureCount,
      withoutGeoreference,
      warnings,
      pieces: (onFeatures = () => undefined) => format.write(counted(chosen.batches(), onFeatures)),
    };
  }

  /** Checks what {@link open} would, but for the number of features. @throws as it does */
  async check(extension: string, request: ExportRequest): Promise<void> {
    precisionOf(request.precision, exportFormat(extension));
    simplificationOf(request.simplifyM);
    this.checkLimit(request.limit);
    await this.filters.checkedFilter(request.filter, checkable(request.order ?? LARGEST_FIRST), () => undefined);
  }

  private checkLimit(limit: number | undefined): void {
    const { maxFeatures } = this.limits;
    if (limit === undefined || (limit >= 1 && limit <= maxFeatures)) return;
    throw new InvalidExportError(`limit is ${limit}; it must be 1 to ${maxFeatures}.`);
  }
}

const checkable = (order: FeatureOrder | 'PLACE'): FeatureOrder => (order === 'PLACE' ? LARGEST_FIRST : order);

function precisionOf(precision: number | undefined, { isText, extension }: ExportFormat): number {
  if (!isText) {
    if (precision === undefined) return MAX_PRECISION;
    throw new InvalidExportError(
      `precision is ${precision}, but ${extension} keeps full-precision coordinates; omit precision.`,
    );
  }
  const places = precision ?? DEFAULT_PRECISION;
  if (places >= 0 && places <= MAX_PRECISION) return places;
  throw new InvalidExportError(`precision is ${places}; it must be 0 to ${MAX_PRECISION} decimal places.`);
}

function simplificationOf(simplifyM = 0): number {
  if (simplifyM >= 0 && simplifyM <= MAX_ADJACENT_M) return simplifyM;
  throw new InvalidExportError(`simplifyM is ${simplifyM}; it must be 0 to ${MAX_ADJACENT_M} metres.`);
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
