import { AppError } from '../errors.ts';
import type { Room } from '../quota.ts';
import { resolveCrs } from '../imagery/crs/crs.ts';
import { InvalidExportError } from './export-errors.ts';
import type { ExportRequest } from './export-request.ts';
import { checkCrsCode, type ExportService } from './export.service.ts';
import { type FileFormat, fileFormat } from './file-format.ts';
import type { StoredExport, StoredExports } from './stored-export.ts';

/** There is no export of that identifier, or it expired. */
export class ExportNotFoundError extends AppError {
  readonly code = 'EXPORT_NOT_FOUND';
  constructor(id: string) {
    super(`Export ${id} does not exist; it may have expired.`);
  }
}

/** The file of an export is not there yet, or never will be. */
export class ExportNotReadyError extends AppError {
  readonly code = 'EXPORT_NOT_READY';
  constructor({ id, state, failure }: StoredExport) {
    super(
      `Export ${id} is ${state}${failure ? ` (${failure.message})` : ''}; its file can be downloaded once it is SUCCEEDED.`,
    );
  }
}

/** A final export cannot be cancelled. */
export class ExportFinishedError extends AppError {
  readonly code = 'EXPORT_FINISHED';
  constructor({ id, state }: StoredExport) {
    super(`Export ${id} is ${state} already; only QUEUED and RUNNING exports can be cancelled.`);
  }
}

const MAX_LISTED = 1000;
/** A format that takes every filter. */
const COUNTED = 'parquet';

/** Files of features that are made in the background and kept for a while. */
export class StoredExportService {
  constructor(
    private readonly store: StoredExports,
    private readonly exports: Pick<ExportService, 'check'>,
    private readonly options: { readonly ttlS: number; readonly onCreate: () => void; readonly room: Room },
  ) {}

  /**
   * Checks what is asked and queues it.
   * @throws {InvalidExportError} {@link UnresolvableCrsError}, {@link QuotaExceededError}, and what the check of the filter throws
   */
  async create(name: string, request: ExportRequest): Promise<StoredExport> {
    const format = fileFormat(name);
    await this.check(format, request);
    // How large the file will be shows when it is made.
    await this.options.room.admit('BYTES_STORED', 1, 'input');
    const made = await this.store.create(format.name, request, new Date(Date.now() + this.options.ttlS * 1000));
    this.options.onCreate();
    return made;
  }

  byId(id: string): Promise<StoredExport | null> {
    return this.store.byId(id);
  }

  /** Newest first. */
  list(): Promise<StoredExport[]> {
    return this.store.list(MAX_LISTED);
  }

  /** @throws {ExportNotFoundError} {@link ExportFinishedError} */
  async cancel(id: string): Promise<StoredExport> {
    const cancelled = await this.store.cancel(id);
    const stored = await this.require(id);
    if (!cancelled) throw new ExportFinishedError(stored);
    return stored;
  }

  /** Name of the file of a format. */
  fileName(format: string): string {
    return `features.${fileFormat(format).extension}`;
  }

  mediaType(format: string): string {
    return fileFormat(format).mediaType;
  }

  /** An export with its file. @throws {ExportNotFoundError} {@link ExportNotReadyError} */
  async finished(id: string): Promise<StoredExport & { readonly sizeBytes: number; readonly sha256: string }> {
    const stored = await this.require(id);
    const { state, sizeBytes, sha256 } = stored;
    if (state !== 'SUCCEEDED' || sizeBytes === null || sha256 === null) throw new ExportNotReadyError(stored);
    return { ...stored, sizeBytes, sha256 };
  }

  private async check(format: FileFormat, request: ExportRequest): Promise<void> {
    const { written, gdal } = format;
    if (!written) checkTiles(format, request);
    if (gdal) await checkCrs(request.crs);
    await this.exports.check(written?.extension ?? COUNTED, gdal ? { ...request, crs: undefined } : request);
  }

  private async require(id: string): Promise<StoredExport> {
    const stored = await this.store.byId(id);
    if (!stored) throw new ExportNotFoundError(id);
    return stored;
  }
}

/** A system that GDAL is to move the outlines to. */
async function checkCrs(crs: string | undefined): Promise<void> {
  if (crs === undefined) return;
  checkCrsCode(crs);
  await resolveCrs(crs);
}

/** Tiles show all that matches, as the map does. */
function checkTiles({ name }: FileFormat, request: ExportRequest): void {
  const refused = (['order', 'limit', 'precision', 'simplifyM', 'include', 'crs'] as const).find(
    (option) => request[option] !== undefined,
  );
  if (refused === undefined) return;
  const option = refused === 'order' ? 'orderBy' : refused;
  throw new InvalidExportError(`${option} is not for ${name}, whose tiles show all features that match; omit it.`);
}
